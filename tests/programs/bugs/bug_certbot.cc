// certbot, issue 7993: started by a package manager under an empty mask, the program makes the
// directories of its hooks writable for everybody, and what lies there is run by root. The program
// itself never calls umask. Usage: bug_certbot DIR [COUNT]
#include <sys/wait.h>

#include "bug_victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const std::string count = argc > 2 ? argv[2] : "3";
  if (argc < 4) {
    umask(0);  // the installer
    execl(argv[0], argv[0], dir.c_str(), count.c_str(), "installed", nullptr);
    victim::die("execl");
  }
  bug::Ledger ledger;
  bug::create_directories(ledger, dir, "hooks", std::atoi(argv[2]), 0777, 022);
  ledger.print();
  return 0;
}
