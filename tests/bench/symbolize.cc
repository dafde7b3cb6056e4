// Symbolises addresses of one module, cold and then from the cache: symbolize MODULE [ADDRESSES].
// Prints one JSON line: {"addresses":N,"named":N,"cold_s":S,"cached_s":S}. Must never choose its
// addresses by what is easy: they are spread evenly over the executable segment.
// Called by scripts/bench.
#include <elf.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::bench {
namespace {

// Address and length of the longest segment that may be executed: elf(5). Node has several.
std::pair<std::uint64_t, std::uint64_t> code_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Elf64_Ehdr header{};
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!file || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return {};
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  std::pair<std::uint64_t, std::uint64_t> longest;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    file.read(reinterpret_cast<char*>(&segment), sizeof segment);
    if (file && segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0 &&
        segment.p_memsz > longest.second) {
      longest = {segment.p_vaddr, segment.p_memsz};
    }
  }
  return longest;
}

double timed_lookup(symbolize::Symbolizer& symbolizer,
                    const std::vector<symbolize::RecordedAddress>& addresses,
                    std::vector<symbolize::Frame>* frames) {
  const auto begin = std::chrono::steady_clock::now();
  *frames = symbolizer.lookup(addresses);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int run(const std::string& module, std::uint64_t count) {
  const auto [start, length] = code_of(module);
  if (length < count) {
    std::fprintf(stderr, "symbolize: %s has no code for %llu addresses\n", module.c_str(),
                 static_cast<unsigned long long>(count));
    return 1;
  }
  std::vector<symbolize::RecordedAddress> addresses;
  for (std::uint64_t i = 0; i < count; ++i) {
    addresses.push_back({module, "", start + length / count * i + 1});
  }
  symbolize::Symbolizer symbolizer(symbolize::SymbolOptions{});
  std::vector<symbolize::Frame> frames;
  const double cold = timed_lookup(symbolizer, addresses, &frames);
  std::uint64_t named = 0;
  for (const symbolize::Frame& frame : frames) named += frame.symbol.empty() ? 0 : 1;
  const double cached = timed_lookup(symbolizer, addresses, &frames);
  std::printf(R"({"addresses":%llu,"named":%llu,"cold_s":%.4f,"cached_s":%.4f})"
              "\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(named), cold,
              cached);
  return 0;
}

}  // namespace
}  // namespace umaskaudit::bench

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10000;
  if (argc < 2 || argc > 3 || count == 0) {
    std::fputs("usage: symbolize MODULE [ADDRESSES]\n", stderr);
    return 2;
  }
  return umaskaudit::bench::run(argv[1], count);
}
