// Modes and masks as people read and write them: octal, ls(1)'s letters, chmod(1)'s notation.
// Must never read the process's own mask or change anything: what an expression is relative to, the
// caller says. Called by `explain`, `umask`, `whatif`, the policy, and whoever prints a mode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "reporter/mode/calculus.h"

namespace umaskaudit {

// The first character that could not be understood. offset == text.size(): the end came too early.
struct NotationError {
  std::size_t offset = 0;
  std::string message;  // "'z' is no permission: use r w x X s t, or one of u g o to copy"
};
template <typename T>
using Parsed = std::variant<T, NotationError>;

// "0644", "644", or "u=rw,go=r", "g-w,o=", "a+X", "g=u": clauses of classes (u g o a; none means
// a), one or more of + - = each with permissions (r w x X s t) or a class to copy from. + and - are
// relative to `base`; X asks whether `directory` is set or somebody may execute so far. Like
// chmod(1), but no class means everybody: the caller's own umask plays no part.
Parsed<Mode> parse_mode(std::string_view text, Mode base, bool directory);

// A mask, 0..0777. Octal says what is taken away, as for umask(2). Symbolic says what is allowed,
// as for the shells' umask: "u=rwx,g=rx,o=" is 0027, "g+w" gives group writing back to `current`.
// Octal values up to 7777 are understood; the kernel keeps their lower nine bits, and so does this.
Parsed<Mode> parse_mask(std::string_view text, Mode current);

// "0022", "1777": four digits at least, as 022 and 0022 must not look like different things; more
// only when higher bits are set.
std::string octal(std::uint32_t bits);
// "rw-r--r--", with s S t T for the special bits, as ls(1) prints them.
std::string rwx(Mode mode);
// "u=rw,g=r,o="; with special bits "u=rwxs,g=rx,o=rxt". parse_mode() reads it back.
std::string symbolic(Mode mode);
// What a mask allows: "u=rwx,g=rx,o=rx" for 0022, as `umask -S` prints it.
std::string symbolic_mask(Mode mask);

// A mask that takes reading or writing from the owner was probably meant as a mode (CWE-560): the
// mask that gives files this mode, 0022 for 0644. Nothing for any other mask.
std::optional<Mode> intended_mask(Mode mask);

}  // namespace umaskaudit
