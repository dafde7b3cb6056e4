// Names of generated code: the perf maps that runtimes write (perf-PID.map), as perf-report(1)
// reads them. Must never be trusted: any program may have written one. Asked by the symboliser.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace umaskaudit::symbolize {

// One map. Not thread-safe.
class CodeMap {
 public:
  // Of a file's text: "START SIZE NAME" a line, in hexadecimal. A line that overlaps earlier ones
  // replaces them, for runtimes move code and use places again; what is no such line is left out,
  // and what comes behind the first million.
  static CodeMap parse(std::string_view text);
  // Empty where there is no such regular file.
  static CodeMap read(const std::string& path);

  bool empty() const { return code_.empty(); }
  // The function that holds an address, raw bytes; empty: not known.
  std::string_view at(std::uint64_t address) const;

 private:
  void add(std::uint64_t start, std::uint64_t end, std::string_view name);

  struct Code {
    std::uint64_t end;
    std::string name;
  };
  std::map<std::uint64_t, Code> code_;  // by start; they do not overlap
};

}  // namespace umaskaudit::symbolize
