/* A plain C program that loads a C++ plug-in: usage: plugin_host DIR PLUGIN
   Ground truth: the plug-in catches its own exceptions, all of them.
   A shim that brings an unwinder of its own into the global scope breaks them. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc < 3) return 99;
  void* handle = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 99;
  }
  int (*run)(const char*) = NULL;
  *(void**)&run = dlsym(handle, "plugin_run");
  const int caught = run(argv[1]);
  printf("caught %d\n", caught);
  return caught == 100 ? 0 : 1;
}
