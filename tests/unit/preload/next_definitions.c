/* Functions of libc's names, as another preload has them: plain, chosen at run time (IFUNC), weak,
   and one that it keeps to itself. Linked into preload_real_test in front of libc. */

int next_definitions_version(void);
int next_definitions_version(void) { return 1; }

int mkfifo(const char *path, unsigned mode);
int mkfifo(const char *path, unsigned mode) { return path == 0 || mode != 0 ? -1 : 1001; }

static int make_directory(const char *path, unsigned mode) {
  return path == 0 || mode != 0 ? -1 : 1002;
}
static int (*choose(void))(const char *, unsigned) { return make_directory; }
int mkdir(const char *path, unsigned mode) __attribute__((ifunc("choose")));

int creat(const char *path, unsigned mode);
__attribute__((weak)) int creat(const char *path, unsigned mode) {
  return path == 0 || mode != 0 ? -1 : 1003;
}

int chmod(const char *path, unsigned mode);
__attribute__((visibility("hidden"))) int chmod(const char *path, unsigned mode) {
  return path == 0 || mode != 0 ? -1 : 1004;
}
