// Searches imports by name, and instructions by bytes: two patterns need no disassembler, `mov eax,
// NUMBER ... syscall` and `mov esi, FLAGS ... call dlopen`.
#include "reporter/inspect/code_hints.h"

#include <dlfcn.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "reporter/inspect/elf_image.h"

namespace umaskaudit::inspect {
namespace {

constexpr std::size_t kNear = 24;  // bytes between an argument's instruction and its call

// Calls that create or change the mask, which are not recorded when made without libc.
struct Number {
  long number;
  const char* name;
};
constexpr Number kNumbers[] = {
#if defined(__x86_64__)
    {SYS_open, "open"},       {SYS_creat, "creat"},     {SYS_mkdir, "mkdir"},
    {SYS_mknod, "mknod"},
#endif
    {SYS_umask, "umask"},     {SYS_openat, "openat"},   {SYS_mkdirat, "mkdirat"},
    {SYS_mknodat, "mknodat"}, {SYS_openat2, "openat2"}, {SYS_mq_open, "mq_open"},
};

std::uint32_t word_at(const unsigned char* bytes) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// The operand of the last `mov REGISTER, imm32` (one byte of code, then the number) before `end`.
bool operand_before(const unsigned char* begin, const unsigned char* end, unsigned char opcode,
                    std::uint32_t* operand) {
  const unsigned char* first = end - begin > static_cast<long>(kNear) ? end - kNear : begin;
  for (const unsigned char* at = end - 5; at >= first; --at) {
    if (*at != opcode) continue;
    *operand = word_at(at + 1);
    return true;
  }
  return false;
}

// A function that is called through the procedure linkage table or the global offset table.
class Callee {
 public:
  explicit Callee(std::uint64_t slot) : slot_(slot) {}

  // Entries of the table: `jmp *slot`, with or without endbr64 and bnd before it.
  void find_stub(std::uint64_t address, const unsigned char* code) {
    if (slot_ == 0 || code[0] != 0xff || code[1] != 0x25) return;
    if (address + 6 + sign_extended(word_at(code + 2)) != slot_) return;
    for (const unsigned before : {0u, 1u, 4u, 5u}) stubs_.insert(address - before);
  }
  bool called_at(std::uint64_t address, const unsigned char* code) const {
    if (slot_ == 0) return false;
    const bool near = code[0] == 0xe8 || code[0] == 0xe9;  // call, or jmp as a tail call
    if (near) return stubs_.count(address + 5 + sign_extended(word_at(code + 1))) != 0;
    const bool indirect = code[0] == 0xff && (code[1] == 0x15 || code[1] == 0x25);
    return indirect && address + 6 + sign_extended(word_at(code + 2)) == slot_;
  }

 private:
  static std::uint64_t sign_extended(std::uint32_t word) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(word)));
  }

  std::uint64_t slot_;
  std::set<std::uint64_t> stubs_;
};

class CodeReader {
 public:
  CodeReader(std::uint64_t dlopen_slot, std::uint64_t syscall_slot)
      : dlopen_(dlopen_slot), syscall_(syscall_slot) {}

  void find_stubs(std::uint64_t address, const unsigned char* code, std::size_t size) {
    for (std::size_t i = 0; i + kInstruction <= size; ++i) {
      dlopen_.find_stub(address + i, code + i);
      syscall_.find_stub(address + i, code + i);
    }
  }

  void read(std::uint64_t address, const unsigned char* code, std::size_t size) {
    for (std::size_t i = kInstruction; i + kInstruction <= size; ++i) {
      std::uint32_t operand = 0;
      const auto operand_is_known = [&](unsigned char opcode) {
        return operand_before(code, code + i, opcode, &operand);
      };
      const bool instruction = code[i] == 0x0f && code[i + 1] == 0x05;
      if (instruction && operand_is_known(kMovEax)) see_number(operand);
      if (dlopen_.called_at(address + i, code + i) && operand_is_known(kMovEsi)) {
        if ((operand & RTLD_DEEPBIND) != 0 && operand <= kAllFlags) deepbind_ = true;
      }
      if (syscall_.called_at(address + i, code + i) && operand_is_known(kMovEdi)) {
        if (operand == SYS_io_uring_setup) io_uring_ = true;
      }
    }
  }

  bool deepbind() const { return deepbind_; }
  bool io_uring() const { return io_uring_; }
  const std::set<std::string>& calls() const { return calls_; }

 private:
  static constexpr std::size_t kInstruction = 6;  // the longest instruction searched for
  static constexpr unsigned char kMovEax = 0xb8, kMovEsi = 0xbe, kMovEdi = 0xbf;
  static constexpr std::uint32_t kAllFlags = 0x1fff;  // of dlopen(3)

  void see_number(std::uint32_t number) {
    for (const Number& known : kNumbers) {
      if (known.number == static_cast<long>(number)) calls_.insert(known.name);
    }
  }

  Callee dlopen_, syscall_;
  std::set<std::string> calls_;
  bool deepbind_ = false;
  bool io_uring_ = false;
};

using Imports = std::map<std::string, std::uint64_t>;  // name -> slot

std::uint64_t slot_of(const Imports& imports, const char* name) {
  const auto found = imports.find(name);
  return found == imports.end() ? 0 : found->second;
}

bool uses_liburing(const ElfImage& image, const Imports& imports) {
  const auto first = imports.lower_bound("io_uring_");
  if (first != imports.end() && first->first.starts_with("io_uring_")) return true;
  const std::vector<std::string> needed = image.needed();
  return std::any_of(needed.begin(), needed.end(),
                     [](const std::string& name) { return name.starts_with("liburing"); });
}

}  // namespace

std::vector<CodeHint> code_hints(const std::string& path) {
  std::vector<CodeHint> hints;
  const ElfImage image(path);
  if (!image.valid()) return hints;
  Imports imports;
  for (const ElfImage::Import& import : image.imports()) {
    imports.try_emplace(import.name, import.slot);
  }
  CodeReader reader(slot_of(imports, "dlopen"), slot_of(imports, "syscall"));
  if (image.machine() == EM_X86_64) {
    image.for_each_code([&](auto at, auto code, auto size) { reader.find_stubs(at, code, size); });
    image.for_each_code([&](auto at, auto code, auto size) { reader.read(at, code, size); });
  }
  if (uses_liburing(image, imports)) {
    hints.push_back({trace::Blind::io_uring, "uses liburing"});
  } else if (reader.io_uring()) {
    hints.push_back({trace::Blind::io_uring, "calls io_uring_setup"});
  }
  if (imports.count("dlmopen") != 0) hints.push_back({trace::Blind::dlmopen, "imports dlmopen"});
  if (reader.deepbind()) hints.push_back({trace::Blind::deepbind, "calls dlopen, RTLD_DEEPBIND"});
  std::string names;
  for (const std::string& name : reader.calls()) names += (names.empty() ? "" : ", ") + name;
  if (!names.empty()) {
    hints.push_back({trace::Blind::other, "syscall instructions of its own: " + names});
  }
  return hints;
}

}  // namespace umaskaudit::inspect
