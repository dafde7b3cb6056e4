#include "reporter/symbolize/culprit.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string_view>

namespace umaskaudit::symbolize {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// ".../lib/python3.11/subprocess.py"; packages that users install are below it, too.
bool is_python_library(std::string_view file) {
  if (file.starts_with("<frozen ")) return true;
  const auto is_version = [](std::string_view name) {
    return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) != 0;
  };
  for (const std::string_view before : {"/lib/python", "/lib64/python", "/lib/pypy"}) {
    const std::size_t at = file.find(before);
    if (at == std::string_view::npos || !is_version(file.substr(at + before.size()))) continue;
    return !has(file, "/site-packages/") && !has(file, "/dist-packages/");
  }
  return false;
}

bool is_ruby_library(std::string_view file) {
  if (file.starts_with("<internal:") || file.starts_with("/usr/lib/ruby/")) return true;
  return has(file, "/lib/ruby/") && !has(file, "/gems/");
}

bool is_perl_library(std::string_view file) {
  return file.starts_with("/usr/share/perl") || file.starts_with("/usr/lib/perl") ||
         (file.starts_with("/usr/lib/") && has(file, "/perl"));
}

bool is_java_library(std::string_view function) {
  for (const std::string_view package : {"java.", "javax.", "jdk.", "sun.", "com.sun."})
    if (function.starts_with(package)) return true;
  return false;
}

const Frame* culprit_of_script(const std::vector<Frame>& stack) {
  const Frame* innermost = nullptr;
  for (const Frame& frame : stack) {
    if (!frame.script) continue;
    if (!is_library(frame)) return &frame;
    if (innermost == nullptr) innermost = &frame;
  }
  return innermost;
}

// "net" of "net.(*Dialer).Dial", "runtime/internal/syscall" of "runtime/internal/syscall.Syscall6".
std::string_view go_package(std::string_view symbol) {
  const std::size_t slash = symbol.rfind('/', symbol.find('('));
  const std::size_t from = slash == std::string_view::npos ? 0 : slash;
  return symbol.substr(0, symbol.find('.', from));
}

// Whether the package came with Go: its path has no host name, and its sources are in a directory
// of that name, below Go's own or, with -trimpath, at the top.
bool is_go_library(const Frame& frame) {
  const std::string_view file = frame.file;
  if (!file.ends_with(".go") && !file.ends_with(".s")) return false;
  const std::string package(go_package(frame.symbol));
  const std::string_view first = std::string_view(package).substr(0, package.find('/'));
  if (package.empty() || package == "main" || has(first, ".")) return false;
  return has(file, "/src/" + package + "/") || file.starts_with(package + "/");
}

// libc linked statically: the archives of distributions have no line tables.
bool is_linked_libc(const Frame& frame) {
  if (frame.script || !frame.file.empty()) return false;
  const std::string_view symbol = frame.symbol;
  if (symbol.starts_with("__") || symbol.starts_with("_IO_")) return true;
  static constexpr std::string_view kCalls[] = {
      "umask",   "open",     "open64",  "openat",  "openat64", "creat",    "mkdir",   "mkdirat",
      "mknod",   "mknodat",  "mkfifo",  "bind",    "fopen",    "fopen64",  "chmod",   "fchmod",
      "mkstemp", "mkostemp", "mkdtemp", "tmpfile", "shm_open", "sem_open", "mq_open", "fchmodat"};
  return std::find(std::begin(kCalls), std::end(kCalls), symbol) != std::end(kCalls);
}

// The code that starts a program or a thread, and is linked into the program itself.
bool is_start(const Frame& frame) {
  return !frame.script && frame.symbol == "_start" &&
         (frame.file.empty() || frame.file.ends_with("/start.S"));
}

// The innermost native frame for which `passes` is true; if there is none, the innermost outside
// the C run time, and else the innermost of all.
template <typename Passes>
const Frame* innermost(const std::vector<Frame>& stack, const Passes& passes) {
  const Frame* program = nullptr;
  for (const Frame& frame : stack) {
    if (is_c_runtime(frame.module)) continue;
    if (program == nullptr) program = &frame;
    if (passes(frame)) return &frame;
  }
  if (program != nullptr) return program;
  return stack.empty() ? nullptr : &stack.front();
}

}  // namespace

bool is_standard_library(const Frame& frame) {
  static constexpr std::string_view kCpp[] = {"std::", "<std::", "__gnu_cxx::"};
  static constexpr std::string_view kRust[] = {"core::", "<core::", "alloc::", "<alloc::"};
  if (frame.script) return false;
  // Without debug information, a template's name begins with its return type.
  std::string_view name = frame.symbol;
  name = name.substr(0, name.find_first_of("<(", 1));
  if (const std::size_t blank = name.rfind(' '); blank != std::string_view::npos)
    name.remove_prefix(blank + 1);
  const auto begins = [&](std::string_view prefix) {
    return name.starts_with(prefix) || frame.symbol.starts_with(prefix);
  };
  if (std::any_of(std::begin(kCpp), std::end(kCpp), begins)) return true;
  // Rust names have no parameters; a C++ program may have a namespace with the same name as Rust's.
  const bool rust = frame.language.empty() ? !has(frame.symbol, "(") : frame.language == "Rust";
  return rust && std::any_of(std::begin(kRust), std::end(kRust), begins);
}

bool is_library(const Frame& frame) {
  const auto is_of = [&](trace::Language language) {
    return frame.language == language_name(language);
  };
  if (is_of(trace::Language::python)) return is_python_library(frame.file);
  if (is_of(trace::Language::javascript))
    return frame.file.starts_with("node:") || frame.file.starts_with("internal/");
  if (is_of(trace::Language::ruby)) return is_ruby_library(frame.file);
  if (is_of(trace::Language::perl)) return is_perl_library(frame.file);
  if (is_of(trace::Language::java)) return is_java_library(frame.symbol);
  return false;
}

bool is_given_text(const Frame& frame) {
  const std::string& file = frame.file;
  return file.empty() || file.ends_with(" -c") || file == "-c" || file == "-e" ||
         file.starts_with('<') || file.starts_with('[') || file.ends_with(" <stdin>");
}

bool is_c_runtime(const std::string& module) {
  static constexpr std::string_view kRuntime[] = {"libumaskaudit.so", "libc.so",   "libc-2.",
                                                  "libpthread",       "ld-linux",  "libstdc++.so",
                                                  "libgcc_s.so",      "libc++.so", "librt"};
  const std::string name = base_name(module);
  return std::any_of(std::begin(kRuntime), std::end(kRuntime),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool is_interpreter(const std::string& module) {
  static constexpr std::string_view kNames[] = {
      "python", "libpython", "pypy", "node",    "libnode", "php",    "libphp",
      "ruby",   "libruby",   "perl", "libperl", "java",    "libjvm", "lua",
      "liblua", "dash",      "bash", "zsh",     "ksh",     "mksh",   "busybox"};
  const std::string name = base_name(module);
  if (name == "sh") return true;
  return std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view known) {
    if (!name.starts_with(known)) return false;
    // "python3.11", "libpython3.11.so.1.0", "php-fpm8.2", "nodejs"; not "pythonic" or "rubygem.so".
    const std::string_view rest = std::string_view(name).substr(known.size());
    return rest.empty() || !std::isalpha(static_cast<unsigned char>(rest.front())) || rest == "js";
  });
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

const Frame* innermost_code(const std::vector<Frame>& stack) {
  if (const Frame* script = culprit_of_script(stack)) return script;
  return innermost(stack,
                   [](const Frame& one) { return !is_go_library(one) && !is_linked_libc(one); });
}

const Frame* culprit(const std::vector<Frame>& stack) {
  if (const Frame* script = culprit_of_script(stack)) return script;
  return innermost(stack, [](const Frame& one) {
    return !is_go_library(one) && !is_linked_libc(one) && !is_standard_library(one);
  });
}

std::vector<bool> own_frames(const std::vector<Frame>& stack) {
  constexpr std::size_t kInnermost = 3;
  std::vector<bool> own(stack.size());
  const auto is_own = [](const Frame& frame) {
    if (frame.script) return !is_library(frame);
    return !frame.folded && !is_c_runtime(frame.module) && !is_interpreter(frame.module) &&
           !is_go_library(frame) && !is_linked_libc(frame) && !is_standard_library(frame) &&
           !is_start(frame);
  };
  std::transform(stack.begin(), stack.end(), own.begin(), is_own);
  if (std::find(own.begin(), own.end(), true) != own.end()) return own;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < stack.size() && taken < kInnermost; ++i) {
    if (stack[i].folded) continue;
    own[i] = true;
    ++taken;
  }
  return own;
}

}  // namespace umaskaudit::symbolize
