// Sends lines to the socket of a syslog daemon or of systemd-journald, as libc and
// sd_journal_send(3) do: one datagram each. Must never wait, raise a signal or keep the descriptor.
// Called by log_sink.cc only, where no other thread of the program can see descriptors of ours.
#pragma once

#include <cstddef>

namespace umaskaudit::shim {

class LogSocket {
 public:
  // `path` as in unix(7). `streams`: try a stream too, on which messages end with a NUL.
  LogSocket(const char* path, bool streams);
  ~LogSocket();
  LogSocket(const LogSocket&) = delete;
  LogSocket& operator=(const LogSocket&) = delete;

  int error() const { return fd_ < 0 ? -fd_ : 0; }  // errno of the connection; 0: connected
  // False: the line did not fit, or the daemon has gone.
  bool send(const char* head, std::size_t head_length, const char* text, std::size_t length) const;

 private:
  int fd_;
  bool stream_ = false;
};

}  // namespace umaskaudit::shim
