// Makes nothing until its standard input says so: a directory and a file, long after its start.
// Ground truth: their modes by lstat. Usage: waits_first DIR
// Another process acts on it meanwhile; it must be recorded all the same.
#include "victim.h"

int main(int, char** argv) {
  const std::string dir = argv[1];
  if (write(1, "ready\n", 6) != 6) return 98;
  char byte = 0;
  if (read(0, &byte, 1) != 1) return 98;
  const std::string directory = dir + "/directory";
  const std::string file = dir + "/file";
  victim::need(mkdir(directory.c_str(), 0750), "mkdir");
  victim::need(mknod(file.c_str(), S_IFREG | 0640, 0), "mknod");
  victim::print({directory, victim::mode_of(directory), "mkdir"});
  victim::print({file, victim::mode_of(file), "mknod"});
}
