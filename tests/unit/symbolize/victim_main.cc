// Runs the victims and prints one line a sample: module, build id, offset, then the places from
// the innermost outwards, all tab-separated, each place as line:function.
// Must learn offsets and build ids as the recorder does: from the loaded program headers.
// Called by samples.cc; arguments: shared libraries with run_c_victim or run_cxx_victim.
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/symbolize/probe.h"

namespace {

struct Recorder : Probe {
  std::vector<std::pair<std::string, unsigned>> around;
};

struct Found {
  std::uintptr_t address = 0;
  std::string path;
  std::string build_id;
  std::uintptr_t bias = 0;
};

std::string note_build_id(const char* at, std::size_t size) {
  std::string hex;
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const std::size_t name = (note.n_namesz + 3u) & ~3u;
    const std::size_t all = sizeof note + name + ((note.n_descsz + 3u) & ~3u);
    if (all > size) break;
    if (note.n_type == NT_GNU_BUILD_ID && std::memcmp(at + sizeof note, "GNU", 4) == 0) {
      for (unsigned i = 0; i < note.n_descsz; ++i) {
        char digits[3];
        const auto byte = static_cast<unsigned char>(at[sizeof note + name + i]);
        std::snprintf(digits, sizeof digits, "%02x", byte);
        hex += digits;
      }
    }
    at += all;
    size -= all;
  }
  return hex;
}

int look_at_module(dl_phdr_info* info, std::size_t, void* data) {
  auto* found = static_cast<Found*>(data);
  bool inside = false;
  std::string build_id;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    const std::uintptr_t start = info->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && found->address >= start &&
        found->address < start + header.p_memsz) {
      inside = true;
    }
    if (header.p_type == PT_NOTE) {
      build_id += note_build_id(reinterpret_cast<const char*>(start), header.p_memsz);
    }
  }
  if (!inside) return 0;
  found->bias = info->dlpi_addr;
  found->path = info->dlpi_name;
  found->build_id = build_id;
  return 1;
}

int on_hit(Probe* probe, const char* function, unsigned line) {
  auto* recorder = static_cast<Recorder*>(probe);
  Found found;
  found.address = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  dl_iterate_phdr(look_at_module, &found);
  if (found.path.empty()) {  // the program itself
    char self[PATH_MAX] = {};
    if (readlink("/proc/self/exe", self, sizeof self - 1) > 0) found.path = self;
  }
  std::printf("%s\t%s\t%jx\t%u:%s", found.path.c_str(), found.build_id.c_str(),
              static_cast<std::uintmax_t>(found.address - found.bias), line, function);
  auto& around = recorder->around;
  for (auto it = around.rbegin(); it != around.rend(); ++it) {
    std::printf("\t%u:%s", it->second, it->first.c_str());
  }
  std::printf("\n");
  around.clear();
  return 1;
}

void on_enter(Probe* probe, const char* function, unsigned line) {
  static_cast<Recorder*>(probe)->around.emplace_back(function, line);
}

using Run = int(Probe*);

void run_library(const char* path, Probe* probe) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return;
  }
  for (const char* name : {"run_c_victim", "run_cxx_victim"}) {
    if (void* run = dlsym(library, name)) reinterpret_cast<Run*>(run)(probe);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Recorder recorder;
  recorder.hit = on_hit;
  recorder.enter = on_enter;
  run_c_victim(&recorder);
  run_cxx_victim(&recorder);
  for (int i = 1; i < argc; ++i) run_library(argv[i], &recorder);
  return 0;
}
