// A log file of `run --live-to file:PATH`: mode 0600, kept to a size by renaming. Must never make a
// directory, follow a symbolic link at PATH, write to another user's file or to one that has a
// second name, or hand the descriptor on to CMD. Called by live_log.cc.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "reporter/base/result.h"

namespace umaskaudit::live {

// A sink for spdlog's loggers, because spdlog's own file sinks make directories and follow links.
class LiveFile : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // Appends to `path`, which is made if it is not there. With more than `most` bytes it is renamed
  // to have ".1" before its extension, the one before that to ".2", up to `older`. Error: why not.
  static Result<std::shared_ptr<LiveFile>> open(const std::string& path, std::size_t most,
                                                unsigned older);
  ~LiveFile() override;
  LiveFile(const LiveFile&) = delete;
  LiveFile& operator=(const LiveFile&) = delete;

 protected:
  // Both throw spdlog_ex, which the logger hands to its error handler.
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  LiveFile(std::string path, std::size_t most, unsigned older);
  std::string reopen();
  std::string name(unsigned number) const;
  void rotate();

  std::string path_;
  std::size_t most_;
  unsigned older_;
  int fd_ = -1;
  std::size_t size_ = 0;
};

}  // namespace umaskaudit::live
