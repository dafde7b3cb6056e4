// Parses and formats modes and masks: octal, the letters of ls(1), the notation of chmod(1).
// Must never read the process's own mask: the caller passes what an expression is relative to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "reporter/mode/calculus.h"

namespace umaskaudit {

// The error position: the first character that is not valid; text.size(): the end came too early.
struct NotationError {
  std::size_t offset = 0;
  std::string message;  // "'z' is no permission: use r w x X s t, or one of u g o to copy"
};
template <typename T>
using Parsed = std::variant<T, NotationError>;

// "0644", "644", or "u=rw,go=r", "g-w,o=", "a+X", "g=u": clauses of classes (u g o a; none means
// a), one or more of + - = each with permissions (r w x X s t) or a class to copy from. + and - are
// relative to `base`; X adds x if `directory` is set or any class has x so far. Unlike chmod(1), a
// missing class means all classes: the caller's umask is not applied.
Parsed<Mode> parse_mode(std::string_view text, Mode base, bool directory);

// Parses a mask, 0..0777. Octal: the bits to remove, as for umask(2). Symbolic: the bits to allow,
// as for the shells' umask: "u=rwx,g=rx,o=" is 0027, "g+w" removes group writing from `current`.
// Octal values up to 7777 are accepted; as in the kernel, only their lower nine bits count.
Parsed<Mode> parse_mask(std::string_view text, Mode current);

// "0022", "1777": at least four digits, so that 022 and 0022 do not look different; more only if
// higher bits are set.
std::string octal(std::uint32_t bits);
// "rw-r--r--", with s S t T for the special bits, as ls(1) prints them.
std::string rwx(Mode mode);
// "u=rw,g=r,o="; with special bits "u=rwxs,g=rx,o=rxt". parse_mode() reads it back.
std::string symbolic(Mode mode);
// The bits that a mask allows: "u=rwx,g=rx,o=rx" for 0022, as `umask -S` prints it.
std::string symbolic_mask(Mode mask);

// A mask that removes reading or writing from the owner was probably meant as a mode (CWE-560):
// returns the mask that gives files this mode, 0022 for 0644. Nothing for any other mask.
std::optional<Mode> intended_mask(Mode mask);

}  // namespace umaskaudit
