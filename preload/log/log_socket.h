// Sends lines to the socket of a syslog daemon or of systemd-journald, as libc and
// sd_journal_send(3) do: one datagram each. Must never wait, raise a signal or keep the descriptor.
// Called by log_sink.cc only, where no other thread of the program can see descriptors of ours.
#pragma once

#include <cstddef>

namespace umaskaudit::shim {

class LogSocket {
 public:
  // `path` as in unix(7). `streams`: a daemon may take a stream, of messages that end with a NUL.
  LogSocket(const char* path, bool streams);
  ~LogSocket();
  LogSocket(const LogSocket&) = delete;
  LogSocket& operator=(const LogSocket&) = delete;

  int error() const { return fd_ < 0 ? -fd_ : 0; }  // an errno; 0: somebody listens
  // False: there was no room for all of it, or nobody listens any more.
  bool send(const char* head, std::size_t head_length, const char* text, std::size_t length) const;

 private:
  int fd_;
  bool stream_ = false;
};

}  // namespace umaskaudit::shim
