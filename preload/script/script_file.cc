// The script's name alone, for interpreters that no other row of runtimes.def reads: from the
// arguments that the program was started with. Sources: execve(2), "Interpreter scripts", and
// getauxval(3), AT_EXECFN.
// Must never name a file that the program only works on.

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstring>
#include <new>

#include "preload/record/intern.h"
#include "preload/script/runtime.h"
#include "preload/sys/start_environment.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim::script_file_runtime {

namespace {

struct Structures {
  std::uint32_t length;
  char name[240];  // as the interpreter was given it
};

// Programs whose first argument that is no option is the script. Version numbers may follow.
constexpr const char* kInterpreters[] = {
    "python", "pypy",   "perl",  "ruby", "php",  "lua",  "luajit", "tclsh",  "wish",
    "expect", "guile",  "julia", "fish", "ksh",  "mksh", "yash",   "csh",    "tcsh",
    "node",   "octave", "mono",  "deno", "dash", "bash", "zsh",    "dotnet", "gnuplot"};

// Options after which the text of the script, or the name of a module, stands among the arguments.
constexpr const char* kTextOptions[] = {"-c", "-e", "-E", "-m", "-r", "--eval", "--command"};

const char* base_name(const char* path) {
  const void* const slash = memrchr(path, '/', std::strlen(path));
  return slash == nullptr ? path : static_cast<const char*>(slash) + 1;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_interpreter(const char* path) {
  const char* const name = base_name(path);
  for (const char* known : kInterpreters) {
    const std::size_t length = std::strlen(known);
    if (std::strncmp(name, known, length) == 0 && !is_letter(name[length])) return true;
  }
  return false;
}

bool look_at(const char* path, struct stat& found) {
  return sys::call(SYS_newfstatat, AT_FDCWD, sys::arg(path), sys::arg(&found), 0) == 0;
}

// A function of its own, as the next, because its frame is large.
[[gnu::noinline]] bool is_regular_file(const char* path) {
  struct stat found;
  return look_at(path, found) && S_ISREG(found.st_mode);
}

// Whether `path` is the program's own file, under whatever name. Where that cannot be looked at, by
// the names.
[[gnu::noinline]] bool is_program(const char* path, const char* program) {
  struct stat named;
  struct stat own;
  if (look_at(path, named) && look_at("/proc/self/exe", own)) {
    return named.st_dev == own.st_dev && named.st_ino == own.st_ino;
  }
  return std::strcmp(base_name(path), base_name(program)) == 0;
}

// The arguments that the program was started with, up to the first that it has replaced: its own
// pointers may lead nowhere. The kernel puts the strings above their pointers, and AT_EXECFN above
// the strings, on the initial stack, which stays mapped.
class Arguments {
 public:
  Arguments() : words_(start_arguments()) {}

  const char* executed() const { return executed_; }
  const char* at(unsigned index) const {
    const char* const word = words_ == nullptr || executed_ == nullptr ? nullptr : words_[index];
    const auto place = reinterpret_cast<std::uintptr_t>(word);
    const bool is_given = place > reinterpret_cast<std::uintptr_t>(words_) &&
                          place < reinterpret_cast<std::uintptr_t>(executed_);
    return is_given ? word : nullptr;
  }

 private:
  char** words_;
  const char* executed_ = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
};

// For a file that begins with #!, the kernel executes the interpreter with at most one argument and
// the name of the file, which it also tells as AT_EXECFN.
const char* executed_script(const Arguments& arguments, const char* program) {
  const char* const name = arguments.executed();
  const char* word = arguments.at(0);
  if (word == nullptr || std::strcmp(word, name) == 0) return nullptr;
  for (unsigned i = 1; i <= 2 && (word = arguments.at(i)) != nullptr; ++i) {
    if (std::strcmp(word, name) == 0) return is_program(name, program) ? nullptr : word;
  }
  return nullptr;
}

bool takes_text(const char* option) {
  for (const char* known : kTextOptions) {
    if (std::strcmp(option, known) == 0) return true;
  }
  return false;
}

// The first argument that names a file: an option may have a word of its own.
const char* first_file(const Arguments& arguments) {
  constexpr unsigned kMost = 16;
  const char* word = nullptr;
  for (unsigned i = 1; i < kMost && (word = arguments.at(i)) != nullptr; ++i) {
    if (takes_text(word) || std::strcmp(word, "-") == 0) return nullptr;
    if (word[0] != '-' && is_regular_file(word)) return word;
  }
  return nullptr;
}

}  // namespace

bool describe(Exports& module, Layout& layout, RuntimeFacts& facts) {
  if (!module.is_program()) return false;
  const Arguments arguments;
  const char* name = executed_script(arguments, module.path());
  if (name == nullptr && is_interpreter(module.path())) name = first_file(arguments);
  if (name == nullptr) return false;
  auto& found = layout.make<Structures>();
  const std::size_t length = strnlen(name, sizeof found.name);
  if (length == sizeof found.name) return false;
  found.length = static_cast<std::uint32_t>(length);
  std::memcpy(found.name, name, length);
  const char* const program = base_name(module.path());
  std::memcpy(facts.text, program, strnlen(program, sizeof facts.text - 1));
  return true;
}

Captured capture(const Layout& layout, Moment, ScriptSpace& space) {
  const Structures& script = layout.as<Structures>();
  std::uint64_t key = mix(script.length, 0x5c219f);
  for (std::uint32_t i = 0; i < script.length; ++i) {
    key = mix(key, static_cast<unsigned char>(script.name[i]));
  }
  space.places[0] = {};
  space.places[0].key = key | 1;
  space.places[0].entry = true;
  space.count = 1;
  return Captured::frames;
}

bool decode(const Layout& layout, Moment, const ScriptPlace&, PlaceText& text, Window&) {
  const Structures& script = layout.as<Structures>();
  text.file_length = script.length;
  std::memcpy(text.file, script.name, script.length);
  return true;
}

}  // namespace umaskaudit::shim::script_file_runtime
