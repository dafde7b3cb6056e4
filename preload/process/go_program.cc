// Notes of the main program, as it lies in memory; see go_program.h.

#include "preload/process/go_program.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <cstring>

#include "preload/log/blind_spot.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

namespace {

// Go's linker writes a note named "Go" with its build id, in every link mode.
bool has_go_note(const char* at, std::size_t size) {
  const auto aligned = [](std::size_t length) { return (length + 3) / 4 * 4; };
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    memcpy(&note, at, sizeof note);
    const std::size_t names = aligned(note.n_namesz);
    const std::size_t whole = sizeof note + names + aligned(note.n_descsz);
    if (names > size || whole > size) return false;
    if (names == 4 && memcmp(at + sizeof note, "Go\0", 3) == 0) return true;
    at += whole;
    size -= whole;
  }
  return false;
}

}  // namespace

bool is_go_program() {
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(getauxval(AT_PHDR));
  const unsigned long count = getauxval(AT_PHNUM);
  std::uintptr_t bias = 0;
  for (unsigned long i = 0; headers != nullptr && i < count; ++i) {
    if (headers[i].p_type == PT_PHDR) {
      bias = reinterpret_cast<std::uintptr_t>(headers) - headers[i].p_vaddr;
    }
  }
  for (unsigned long i = 0; headers != nullptr && i < count; ++i) {
    if (headers[i].p_type != PT_NOTE) continue;
    if (has_go_note(reinterpret_cast<const char*>(bias + headers[i].p_vaddr), headers[i].p_memsz)) {
      return true;
    }
  }
  return false;
}

void look_for_go_at_start(const Author& author, std::uint32_t context, HandOver hand_over) {
  if (!is_go_program()) return;
  const char* name = process.exe;
  std::uint32_t length = process.exe_length;
  const Scratch scratch;
  if (hand_over.error() != 0 && scratch.get() != nullptr) {
    TextBuffer text(scratch.get(), Scratch::kSize);
    text.put(name, length);
    describe_refusal(hand_over, text);
    name = text.begin();
    length = static_cast<std::uint32_t>(text.length());
  }
  report_blind_spot(author, trace::Blind::go_runtime, Call::syscall, context, 0, name, length);
}

}  // namespace umaskaudit::shim
