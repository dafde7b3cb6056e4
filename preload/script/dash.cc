// The current line of dash (0.5.11 and later, as Debian builds it). dash exports no symbols: its
// variables are found by the code that writes its error messages, "NAME: LINE: ".
// The line belongs to the file, the text of -c or the text of eval that is being read; dash does
// not say which, so the file is always the one that it was started with. Sources: error.c
// (exvwarning2), eval.c and main.c of dash.

#include <elf.h>
#include <sys/auxv.h>

#include <cstring>
#include <new>

#include "preload/script/named_places.h"
#include "preload/sys/start_environment.h"

namespace umaskaudit::shim::dash_runtime {

namespace {

// Addresses of dash's variables.
constexpr unsigned kNames = 4;
struct Structures {
  std::uintptr_t line;           // errlinno
  std::uintptr_t names[kNames];  // one of them is arg0, which is $0; 0 after the last
};

bool ends_with(const Exports& module, const char* name) {
  const std::size_t length = std::strlen(name);
  const std::size_t size = std::strlen(module.path());
  const char* const end = module.path() + size - length;
  return size > length && end[-1] == '/' && std::memcmp(end, name, length) == 0;
}

struct Part {
  const unsigned char* begin = nullptr;
  std::size_t size = 0;
};

// Code and constants of the program, if the module is dash.
bool find_parts(Exports& module, Part& code, Part& constants) {
  const std::uintptr_t at = getauxval(AT_PHDR);
  const std::size_t count = getauxval(AT_PHNUM);
  const auto* const headers = reinterpret_cast<const ElfW(Phdr)*>(at);
  if (!module.is_program()) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const ElfW(Phdr)& header = headers[i];
    const std::uintptr_t begin = module.bias() + header.p_vaddr;
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0) continue;
    const Part part{reinterpret_cast<const unsigned char*>(begin), header.p_memsz};
    if ((header.p_flags & PF_X) != 0) {
      code = part;
    } else if (header.p_offset != 0) {
      constants = part;
    }
  }
  constexpr std::size_t kMost = 1 << 20;
  return code.size - 1 < kMost && constants.size - 1 < kMost;
}

// The address of the format without a command name, which lies between two other strings. 0: not
// found.
std::uintptr_t find_format(Exports& module, const Part& constants) {
  static constexpr char kFormat[] = "\0%s: %d: ";
  for (std::size_t at = 0; at + sizeof kFormat <= constants.size; ++at) {
    const unsigned char* const from = constants.begin + at;
    if (!module.can_read(reinterpret_cast<std::uintptr_t>(from), sizeof kFormat)) return 0;
    if (*from == '\0' && std::memcmp(from, kFormat, sizeof kFormat) == 0) {
      return reinterpret_cast<std::uintptr_t>(from) + 1;
    }
  }
  return 0;
}

// The target of an instruction with rip-relative addressing (x86-64: mod 00, r/m 101).
std::uintptr_t target_of(const unsigned char* displacement) {
  std::int32_t offset = 0;
  std::memcpy(&offset, displacement, sizeof offset);
  return reinterpret_cast<std::uintptr_t>(displacement) + sizeof offset +
         static_cast<std::uintptr_t>(std::intptr_t{offset});
}
bool is_relative(unsigned char mod_rm) { return (mod_rm & 0xc7) == 0x05; }

constexpr unsigned kLea = 0x8d;                                                  // lea r64, m
constexpr unsigned kLoad = 0x8b;                                                 // mov r, m
bool is_wide(unsigned char prefix) { return prefix == 0x48 || prefix == 0x4c; }  // REX.W, REX.WR

// exvwarning2(): loads $0 and the name of the command, then addresses the format and loads the
// line. `lea`: the instruction that addresses the format. The start of the function is not known,
// so loads of the function before it may be among the names.
bool read_code(const unsigned char* lea, Structures& dash) {
  constexpr unsigned kBefore = 48;
  constexpr unsigned kAfter = 64;
  unsigned names = 0;
  for (const unsigned char* at = lea - kBefore; at < lea && names < kNames; ++at) {
    const bool loads = is_wide(at[0]) && at[1] == kLoad && is_relative(at[2]);
    if (loads) dash.names[names++] = target_of(at + 3);
  }
  for (const unsigned char* at = lea + 7; at < lea + kAfter && dash.line == 0; ++at) {
    const bool has_prefix = at[0] == 0x44;  // REX.R: one of the registers that came with 64 bits
    const unsigned char* const load = at + (has_prefix ? 1 : 0);
    const bool is_narrow = has_prefix || (at[-1] & 0xf0) != 0x40;
    if (load[0] == kLoad && is_relative(load[1]) && is_narrow) dash.line = target_of(load + 2);
  }
  return names != 0 && dash.line != 0;
}

bool find_variables(Exports& module, Structures& dash) {
  constexpr std::size_t kMargin = 64;
  Part code;
  Part constants;
  if (!find_parts(module, code, constants)) return false;
  const std::uintptr_t format = find_format(module, constants);
  if (format == 0) return false;
  for (std::size_t at = kMargin; at + 2 * kMargin < code.size; ++at) {
    const unsigned char* const from = code.begin + at;
    if (!module.can_read(reinterpret_cast<std::uintptr_t>(from), 2 * kMargin)) return false;
    if (is_wide(from[0]) && from[1] == kLea && is_relative(from[2]) &&
        target_of(from + 3) == format) {
      return read_code(from, dash);
    }
  }
  return false;
}

// Scans the arguments (options.c): options, of which -o takes a name, then a script.
ScriptSource source_of(char** argument, std::uintptr_t name) {
  const bool is_named = reinterpret_cast<std::uintptr_t>(argument[0]) != name;
  for (++argument; *argument != nullptr; ++argument) {
    const char* option = *argument;
    if ((option[0] != '-' && option[0] != '+') || option[1] == '\0') break;
    if (std::strncmp(option, "--", sizeof "--") == 0) break;
    const bool is_minus = option[0] == '-';
    for (++option; *option != '\0'; ++option) {
      if (*option == 'c' && is_minus) return ScriptSource::command;
      if (*option == 'o' && argument[1] != nullptr) ++argument;
    }
  }
  return is_named ? ScriptSource::file : ScriptSource::input;
}

// The only place that is known.
class Callers {
 public:
  Callers(const Structures& dash, Peek& memory) : arguments_(start_arguments()) {
    // Where `command &` forks, the line is undefined: dash does not set it there.
    std::int32_t line = 0;
    constexpr std::int32_t kMost = 10'000'000;
    if (!memory.get(dash.line, line)) return;
    if (line > 0 && line <= kMost) line_ = static_cast<std::uint32_t>(line);
    for (const std::uintptr_t at : dash.names) {
      if (is_malformed_ && at != 0) is_malformed_ = !memory.get(at, name_) || !is_argument(name_);
    }
  }

  bool next(NamedPlace& place) {
    if (is_malformed_ || was_told_) return false;
    place = {};
    place.source = source_of(arguments_, name_);
    place.file =
        place.source == ScriptSource::file ? name_ : reinterpret_cast<std::uintptr_t>(*arguments_);
    place.line = line_;
    was_told_ = true;
    return true;
  }
  // $0 points to an argument; none of the variables found does.
  bool is_malformed() const { return is_malformed_; }

 private:
  bool is_argument(std::uintptr_t text) const {
    char** argument = arguments_;
    for (; argument != nullptr && *argument != nullptr; ++argument) {
      if (reinterpret_cast<std::uintptr_t>(*argument) == text) return true;
    }
    return false;
  }

  char** arguments_;
  std::uintptr_t name_ = 0;
  std::uint32_t line_ = 0;  // not known
  bool is_malformed_ = true;
  bool was_told_ = false;
};

}  // namespace

bool describe(Exports& module, Layout& layout, RuntimeFacts& facts) {
  if (!ends_with(module, "dash") && !ends_with(module, "sh")) return false;
  auto& dash = layout.make<Structures>();
  std::memcpy(facts.text, "dash", sizeof "dash");
#if defined(__x86_64__)
  if (find_variables(module, dash)) return true;
#endif
  facts.state = trace::RuntimeState::unknown_version;
  return ends_with(module, "dash");
}

Captured capture(const Layout& layout, Moment moment, ScriptSpace& space) {
  constexpr std::uint64_t kSeed = 0x64617368;  // "dash"
  return capture_named<Callers>(layout.as<Structures>(), moment, kSeed, space);
}

bool decode(const Layout& layout, Moment moment, const ScriptPlace& place, PlaceText& text,
            Window& window) {
  if (!decode_named<Callers>(layout.as<Structures>(), moment, place, text, window)) return false;
  text.flags = trace::kLineOfOther;
  return true;
}

}  // namespace umaskaudit::shim::dash_runtime
