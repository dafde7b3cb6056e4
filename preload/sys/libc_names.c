/* A library of the names in libc_names.def, without code and without versions. The shim is linked
   against it instead of libc, whose newest versions it would ask for at the start otherwise. Never
   loaded: its SONAME is libc's, so that the loader takes libc. */
#define NEEDED(kind, name) \
  __asm__(".globl " #name "\n.type " #name ", %" #kind "\n.size " #name ", 8\n" #name ":\n");
#define OPTIONAL(kind, name) NEEDED(kind, name)
#include "preload/sys/libc_names.def"
