// Debuginfod: fetches files by build id from the servers of DEBUGINFOD_URLS, through libdebuginfod.
// Must never be constructed unless the user asked for it: it uses the network.
#pragma once

#include <optional>
#include <string>

#include "reporter/symbolize/elf_file.h"

namespace umaskaudit::symbolize {

class Debuginfod {
 public:
  enum class Kind { debug_info, program };

  // Loads libdebuginfod.so.1; without it, nothing is ever found.
  Debuginfod();
  ~Debuginfod();
  Debuginfod(const Debuginfod&) = delete;
  Debuginfod& operator=(const Debuginfod&) = delete;

  // Downloads to (or finds in) libdebuginfod's own cache. `build_id` is lower-case hex.
  std::optional<ElfFile> find(const std::string& build_id, Kind kind);

 private:
  using Find = int(void* client, const unsigned char* build_id, int length, char** path);
  void* library_ = nullptr;
  void* client_ = nullptr;
  Find* find_debug_info_ = nullptr;
  Find* find_program_ = nullptr;
};

}  // namespace umaskaudit::symbolize
