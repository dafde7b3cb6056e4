// A statically linked program that leaves objects which others may use. Usage: static_exposer DIR
// Ground truth: lstat of what is in DIR. No shim can see it.
// The auditor must judge what it finds there at the end, and say that no event is known to have
// made it: `wide` and `dir` are for everyone, `s.key` is a secret, `private/wide` is out of reach.
#include "victim.h"

namespace {

void make(const std::string& path, int mode) {
  close(victim::need(open(path.c_str(), O_CREAT | O_WRONLY, mode), "open"));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0);
  make(dir + "/wide", 0666);
  make(dir + "/narrow", 0600);
  make(dir + "/s.key", 0644);
  victim::need(mkdir((dir + "/dir").c_str(), 0777), "mkdir");
  victim::need(mkdir((dir + "/private").c_str(), 0700), "mkdir");
  make(dir + "/private/wide", 0666);
}
