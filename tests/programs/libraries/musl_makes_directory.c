/* A library that makes a directory. Loaded by musl_forks_while_loading. */
#include <sys/stat.h>

int make_directory(const char* path);
int make_directory(const char* path) { return mkdir(path, 0777); }
