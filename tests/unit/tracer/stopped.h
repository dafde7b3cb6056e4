// A program that is stopped where it enters a system call, umask(2) unless said otherwise, and what
// it has printed until then. Must never outlive the test.
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "reporter/tracer/address_space.h"

class Stopped {
 public:
  // The test fails where it cannot be started or ends before.
  explicit Stopped(std::vector<std::string> command, long number = SYS_umask);
  ~Stopped();
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;

  bool there() const { return tid_ > 0; }
  pid_t pid() const { return pid_; }
  pid_t tid() const { return tid_; }  // of the thread that called
  umaskaudit::tracer::Registers registers() const;

  // The numbers of the lines "NAME NUMBER".
  const std::vector<std::uint64_t>& printed(const std::string& name) { return printed_[name]; }

 private:
  void run_to(long number);
  void read_printed(int fd);

  pid_t pid_ = -1;
  pid_t tid_ = -1;
  std::map<std::string, std::vector<std::uint64_t>> printed_;
};
