// UMASKAUDIT_OPTIONS: the only way the shim is configured (options.def is the list).
// Must never allocate or use the locale; obeyed only outside secure-execution mode.
// Parsed once, by init.cc.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

enum class Keep : std::uint8_t { first, latest };
enum class LogEvents : std::uint8_t { all, changes, creations, findings };
enum class LogFormat : std::uint8_t { text, json };
enum class Stop : std::uint8_t { no, trap, abort, exit };
enum class Stacks : std::uint8_t { none, changes, all };

// A copy: the program may change its environment. Longer values are refused with a warning.
struct Text {
  static constexpr unsigned kSize = 1024;
  char bytes[kSize] = {};
  bool empty() const { return bytes[0] == '\0'; }
  bool is(const char* other) const;
};

struct Options {
#define TYPE_text Text
#define TYPE_number std::uint64_t
#define TYPE_boolean bool
#define TYPE_stacks Stacks
#define TYPE_keep Keep
#define TYPE_log_events LogEvents
#define TYPE_log_format LogFormat
#define TYPE_stop Stop
#define OPTION(type, name, initial, help) TYPE_##type name = TYPE_##type{initial};
#include "preload/options.def"
#undef OPTION
#undef TYPE_text
#undef TYPE_number
#undef TYPE_boolean
#undef TYPE_stacks
#undef TYPE_keep
#undef TYPE_log_events
#undef TYPE_log_format
#undef TYPE_stop
};

// Says what is wrong with one key or value; `word` is the offending text, not NUL-terminated.
using Complain = void (*)(const char* problem, const char* word, unsigned length);

// Fills `options` from "key=value:key=value" (null or empty: the defaults stay). Unknown keys and
// bad values are complained about and skipped. '-' and '_' in keys are the same.
void parse_options(const char* text, Options& options, Complain complain);

// Calls `line` for each option: "  key=  help (default)".
void describe_options(void (*line)(const char* name, const char* help));

}  // namespace umaskaudit::shim
