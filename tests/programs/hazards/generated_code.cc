// Makes directories from code that it generates, as just-in-time compilers do, and names it in
// /tmp/perf-PID.map.
// Usage: generated_code DIR [wait]. Prints one truth a line: {"path", "function"}. With `wait` it
// says "ready" when the map is written, and goes on at the end of its input.
// x86-64 alone. The file is left behind, as runtimes leave it: the test removes it.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "tests/programs/victim.h"

namespace {

using Make = int (*)(const char* path);

int make_directory(const char* path) { return victim::need(mkdir(path, 0777), "mkdir"); }

// push rbp; mov rbp, rsp; mov rax, make_directory; call rax; pop rbp; ret
std::size_t generate(unsigned char* at) {
  const unsigned char before[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0xb8};
  const unsigned char behind[] = {0xff, 0xd0, 0x5d, 0xc3};
  const auto target = reinterpret_cast<std::uint64_t>(&make_directory);
  std::memcpy(at, before, sizeof before);
  std::memcpy(at + sizeof before, &target, sizeof target);
  std::memcpy(at + sizeof before + sizeof target, behind, sizeof behind);
  return sizeof before + sizeof target + sizeof behind;
}

void call(const unsigned char* code, const std::string& path, const char* function) {
  reinterpret_cast<Make>(reinterpret_cast<std::uintptr_t>(code))(path.c_str());
  std::printf(R"({"path":"%s","function":"%s"})"
              "\n",
              path.c_str(), function);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string directory = argv[1];
  constexpr std::size_t kPage = 4096, kApart = 256;
  void* memory = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto* code = static_cast<unsigned char*>(memory);
  std::size_t length = 0;
  for (int i = 0; i < 3; ++i) length = generate(code + i * kApart);
  victim::need(mprotect(memory, kPage, PROT_READ | PROT_EXEC), "mprotect");

  const std::string name = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  std::FILE* map = std::fopen(name.c_str(), "we");
  if (map == nullptr) victim::die("fopen");
  const auto line = [&](std::size_t at, std::size_t size, const char* function) {
    std::fprintf(map, "%lx %zx %s\n", reinterpret_cast<unsigned long>(code + at), size, function);
  };
  line(0, 2 * kApart, "thrown::away()");  // both places were used again
  line(0, length, "app::Store::put(int, string)");
  std::fputs("no line of a map\n", map);
  line(kApart, length, "app::Main");
  std::fclose(map);

  if (argc > 2) {
    std::puts("ready");
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
  }
  call(code, directory + "/put", "app::Store::put(int, string)");
  call(code + kApart, directory + "/main", "app::Main");
  call(code + 2 * kApart, directory + "/nameless", "");
  return 0;
}
