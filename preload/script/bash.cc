// Frames of bash scripts, as the `caller` builtin shows them: GNU bash 5.0 to 5.3.
// A shell has one thread, and its variables are consistent during a call; where a signal handler
// interrupted it they may be half written. Sources: array.h, hashlib.h, variables.h, shell.c and
// execute_cmd.c of those versions.

#include <cstring>
#include <new>

#include "preload/script/named_places.h"
#include "preload/sys/format_text.h"

namespace umaskaudit::shim::bash_runtime {

namespace {

// The VAR_CONTEXT of variables that no function made its own.
constexpr unsigned kContextTable = 32;

struct Table {  // HASH_TABLE
  std::uintptr_t buckets;
  std::int32_t count;  // of buckets: a power of two
  std::int32_t entries;
};

struct Entry {  // BUCKET_CONTENTS
  std::uintptr_t next;
  std::uintptr_t key;
  std::uintptr_t variable;
  std::uint32_t hash;
  std::int32_t times_found;
};

struct Variable {  // SHELL_VAR
  std::uintptr_t name;
  std::uintptr_t value;
  std::uintptr_t exported, dynamic_value, assign_function;
  std::int32_t attributes;
  std::int32_t context;
};
constexpr std::int32_t kIsArray = 4;  // att_array

struct Element {  // ARRAY_ELEMENT: a ring, whose head has the index -1
  std::int64_t index;
  std::uintptr_t value;
  std::uintptr_t next, previous;
};

struct Structures {
  // Exported variables.
  std::uintptr_t line_number, global_variables, shell_name;
  std::uintptr_t script;          // shell_script_filename: a null pointer where there is none
  std::uintptr_t command;         // command_execution_string, of -c
  std::uintptr_t startup_state;   // 2: the text of -c runs
  std::uintptr_t is_initialized;  // shell_initialized: startup files are through, but for -c
  std::uint16_t array_head;       // where an ARRAY has its head
};

// A variable's name of 8 to 15 letters, as TextWords has it, and hash_string() of it.
struct Name {
  std::uint64_t words[2] = {};
  std::uint32_t hash = 2166136261;

  constexpr explicit Name(const char* text) {
    for (unsigned i = 0; text[i] != '\0'; ++i) {
      const auto letter = static_cast<unsigned char>(text[i]);
      hash = hash * 16777619 ^ letter;
      words[i / 8] |= std::uint64_t{letter} << i % 8 * 8;
    }
  }

  bool is_at(Peek& memory, std::uintptr_t at) const {
    TextWords text(memory, at);
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    unsigned bytes = 0;
    return text.next(first, bytes) && first == words[0] && text.next(second, bytes) &&
           second == words[1];
  }
};
constexpr Name kFiles("BASH_SOURCE");
constexpr Name kFunctions("FUNCNAME");
constexpr Name kLines("BASH_LINENO");

// Walks an array variable from its element 0 on, the innermost call's.
class Values {
 public:
  enum class Found : std::uint8_t { yes, no, malformed };

  Values(const Structures& bash, Peek& memory) : bash_(bash), memory_(memory) {}

  // The script may have unset the variable.
  Found open(const Table& table, const Name& name) {
    std::uintptr_t at = 0;
    const auto bucket = name.hash & static_cast<std::uint32_t>(table.count - 1);
    if (!memory_.get(table.buckets + std::uintptr_t{bucket} * sizeof at, at)) {
      return Found::malformed;
    }
    constexpr unsigned kLongest = 256;
    for (unsigned n = 0; at != 0; ++n) {
      Entry entry{};
      if (n == kLongest || !memory_.get(at, entry)) return Found::malformed;
      if (entry.hash == name.hash && name.is_at(memory_, entry.key)) {
        return open_array(entry.variable);
      }
      at = entry.next;
    }
    return Found::no;
  }

  // The address of the next value, 0: there is none. False: no valid array.
  bool next(std::uintptr_t& value) {
    value = 0;
    if (at_ == head_) return true;
    Element element{};
    if (!memory_.get(at_, element) || element.index != index_) return false;
    ++index_;
    at_ = element.next;
    value = element.value;
    return true;
  }
  bool at_end() const { return at_ == head_; }

 private:
  Found open_array(std::uintptr_t variable) {
    Variable found{};
    if (!memory_.get(variable, found)) return Found::malformed;
    // FUNCNAME that was unset is an ordinary variable afterwards.
    if ((found.attributes & kIsArray) == 0 || found.value == 0) return Found::no;
    Element head{};
    if (!memory_.get(found.value + bash_.array_head, head_) || !memory_.get(head_, head) ||
        head.index != -1) {
      return Found::malformed;
    }
    at_ = head.next;
    return Found::yes;
  }

  const Structures& bash_;
  Peek& memory_;
  std::uintptr_t head_ = 0;
  std::uintptr_t at_ = 0;
  std::int64_t index_ = 0;
};

// The place outside of all functions and files: the text of -c, or a startup file. False: none, or
// a script, which has a place of its own.
bool find_outermost(const Structures& bash, Peek& memory, ScriptSource& source) {
  std::uintptr_t script = 0;
  std::uintptr_t command = 0;
  std::int32_t state = 0;
  std::int32_t is_initialized = 0;
  if (!memory.get(bash.script, script) || !memory.get(bash.command, command) ||
      !memory.get(bash.startup_state, state) || !memory.get(bash.is_initialized, is_initialized)) {
    return false;
  }
  constexpr std::int32_t kRunsCommand = 2;
  source = command != 0 ? ScriptSource::command : ScriptSource::input;
  return script == 0 && (command != 0 ? state == kRunsCommand : is_initialized != 0);
}

// Lists places from the innermost outwards.
class Callers {
 public:
  Callers(const Structures& bash, Peek& memory)
      : bash_(bash),
        memory_(memory),
        files_(bash, memory),
        functions_(bash, memory),
        lines_(bash, memory) {
    malformed_ = !open();
  }

  bool next(NamedPlace& place) {
    if (!more_) return false;
    place = {};
    place.line = line_ > 0 ? static_cast<std::uint32_t>(line_) : 0;
    if (files_.at_end()) {
      more_ = false;
      return find_outermost(bash_, memory_, place.source) &&
             memory_.get(bash_.shell_name, place.file);
    }
    std::uintptr_t line = 0;
    malformed_ = !files_.next(place.file) || !functions_.next(place.function) || !lines_.next(line);
    std::uint32_t number = 0;
    if (line != 0) malformed_ = malformed_ || !number_in(memory_, line, number);
    line_ = static_cast<std::int32_t>(number);
    more_ = !malformed_;
    return more_;
  }
  // Not a bash with this layout.
  bool is_malformed() const { return malformed_; }

 private:
  bool open() {
    std::uintptr_t context = 0;
    if (!memory_.get(bash_.global_variables, context)) return false;
    if (context == 0) return true;  // the shell has just started
    std::uintptr_t table_at = 0;
    Table table{};
    if (!memory_.get(context + kContextTable, table_at)) return false;
    if (table_at == 0) return true;
    if (!memory_.get(table_at, table)) return false;
    constexpr std::int32_t kMost = 1 << 24;
    const std::int32_t count = table.count;
    if (count <= 0 || count > kMost || (count & (count - 1)) != 0) return false;
    if (files_.open(table, kFiles) != Values::Found::yes ||
        functions_.open(table, kFunctions) == Values::Found::malformed ||
        lines_.open(table, kLines) == Values::Found::malformed ||
        !memory_.get(bash_.line_number, line_)) {
      return false;
    }
    more_ = true;
    return true;
  }

  const Structures& bash_;
  Peek& memory_;
  Values files_, functions_, lines_;
  std::int32_t line_ = 0;  // of the next place
  bool more_ = false;
  bool malformed_ = false;
};

// Offsets of head by version: to 5.1 a type stands first; 5.0 has the last reference before head.
bool find_version(Exports& module, std::uintptr_t version, Structures& bash, RuntimeFacts& facts) {
  struct Version {
    const char* text;
    std::uint16_t array_head;
  };
  static constexpr Version kVersions[] = {{"5.0", 32}, {"5.1", 24}, {"5.2", 16}, {"5.3", 16}};
  TextBuffer name(facts.text, sizeof facts.text);
  name.put("bash");
  std::uintptr_t text = 0;
  if (!module.get(version, text) || text == 0) return name.end(), false;
  for (const Version& known : kVersions) {
    if (!module.is_text(text, known.text)) continue;
    name.put(' ').put(known.text).end();
    bash.array_head = known.array_head;
    return true;
  }
  return name.end(), false;
}

}  // namespace

bool describe(Exports& module, Layout& layout, RuntimeFacts& facts) {
  const std::uintptr_t version = module.address_of("dist_version");
  if (version == 0) return false;
  auto& bash = layout.make<Structures>();
  bash.line_number = module.address_of("line_number");
  bash.global_variables = module.address_of("global_variables");
  bash.shell_name = module.address_of("shell_name");
  bash.script = module.address_of("shell_script_filename");
  bash.command = module.address_of("command_execution_string");
  bash.startup_state = module.address_of("startup_state");
  bash.is_initialized = module.address_of("shell_initialized");
  if (bash.line_number == 0 || bash.global_variables == 0 || bash.shell_name == 0 ||
      bash.script == 0 || bash.command == 0 || bash.startup_state == 0 ||
      bash.is_initialized == 0) {
    return false;
  }
  const bool known = find_version(module, version, bash, facts);
  facts.state = known ? trace::RuntimeState::read : trace::RuntimeState::unknown_version;
  return true;
}

Captured capture(const Layout& layout, Moment moment, ScriptSpace& space) {
  constexpr std::uint64_t kSeed = 0x62617368;  // "bash"
  return capture_named<Callers>(layout.as<Structures>(), moment, kSeed, space);
}

bool decode(const Layout& layout, Moment moment, const ScriptPlace& place, PlaceText& text,
            Window& window) {
  return decode_named<Callers>(layout.as<Structures>(), moment, place, text, window);
}

}  // namespace umaskaudit::shim::bash_runtime
