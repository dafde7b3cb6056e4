// Environments of programs that are started; see exec_environment.h.

#include "preload/process/exec_environment.h"

#include <stdlib.h>
#include <unistd.h>

#include <cstring>

#include "preload/sys/at_start.h"
#include "preload/sys/format_text.h"
#include "preload/sys/start_environment.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr char kPreload[] = "LD_PRELOAD=";
constexpr char kOptions[] = "UMASKAUDIT_OPTIONS=";

const char* preload_value = "";   // LD_PRELOAD as this image got it
const char* own_entry = "";       // our entry in it
std::ptrdiff_t own_entry_at = 0;  // its offset in preload_value
char* initial_preload = nullptr;  // the string in the initial environment
bool blanked = false;             // our entry in that string was blanked
char no_options[] = "";
char* options_entry = no_options;  // "UMASKAUDIT_OPTIONS=..."

constexpr std::size_t kLongestPreload = 4095;
constexpr std::size_t kLongestOptions = 2047;

// LD_PRELOAD is separated by colons or spaces (ld.so(8)).
bool contains_entry(const char* list, const char* entry) {
  const std::size_t length = strlen(entry);
  while (*list != '\0') {
    const std::size_t item = length_until(list, ':', ' ');
    if (item == length && memcmp(list, entry, length) == 0) return true;
    list += item;
    if (*list != '\0') ++list;
  }
  return false;
}

bool starts_with(const char* text, const char* prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

void find_own_entry() {
  const PreloadEntry own = own_preload_entry(preload_value);
  if (own.begin == nullptr) return;
  const char* const entry = keep_text(own.begin, own.length);
  if (entry == nullptr) return;
  own_entry = entry;
  own_entry_at = own.begin - preload_value;
}

// The options as given, with absolute file names.
void write_options(const char* given) {
  std::size_t room = sizeof kOptions + strlen(given) + strlen(":trace=:log=") +
                     strlen(process.options.trace.bytes) + strlen(process.options.log.bytes);
  if (room > kLongestOptions) room = kLongestOptions;
  char* const entry = room_for_text(room);
  if (entry == nullptr) return;
  TextBuffer text(entry, room + 1);
  text.put(kOptions);
  bool first = true;
  while (*given != '\0') {
    const std::size_t item = length_until(given, ':', ':');
    if (!starts_with(given, "trace=") && !starts_with(given, "log=") && item != 0) {
      if (!first) text.put(':');
      text.put(given, item);
      first = false;
    }
    given += item;
    if (*given != '\0') ++given;
  }
  if (!process.options.trace.empty()) {
    text.put(first ? "" : ":").put("trace=").put(process.options.trace.bytes);
    first = false;
  }
  if (!process.options.log.empty()) {
    text.put(first ? "" : ":").put("log=").put(process.options.log.bytes);
  }
  text.end();
  if (!text.overflow()) options_entry = entry;
}

// `list` without our entry; entries are separated by colons afterwards, which ld.so(8) accepts.
void put_without_ours(TextBuffer& text, const char* list) {
  const std::size_t own = strlen(own_entry);
  bool first = true;
  while (*list != '\0') {
    const std::size_t item = length_until(list, ':', ' ');
    if (item != 0 && !(item == own && memcmp(list, own_entry, own) == 0)) {
      if (!first) text.put(':');
      text.put(list, item);
      first = false;
    }
    list += item;
    if (*list != '\0') ++list;
  }
}

}  // namespace

void remember_environment(bool options_moved) {
  const char* preload = start_variable("LD_PRELOAD");
  const std::size_t length = preload != nullptr ? strlen(preload) : 0;
  const char* const kept =
      length != 0 && length <= kLongestPreload ? keep_text(preload, length) : nullptr;
  if (kept != nullptr) {
    preload_value = kept;
    initial_preload = const_cast<char*>(preload) - strlen(kPreload);
    find_own_entry();
  }
  const char* options = start_variable("UMASKAUDIT_OPTIONS");
  if (options != nullptr) write_options(options);
  if (!options_moved || options_entry[0] == '\0') return;
  char** entry = start_environment();
  for (; entry != nullptr && *entry != nullptr; ++entry) {
    if (starts_with(*entry, kOptions)) *entry = options_entry;
  }
}

EnvironmentPlan plan_environment(char* const* environment, bool drop) {
  constexpr std::size_t kLongest = 128 << 10;  // MAX_ARG_STRLEN, execve(2)
  sys::Scout array;
  sys::Scout text;
  EnvironmentPlan plan;
  bool preload_found = false;
  bool options_found = false;
  for (; environment != nullptr; ++plan.entries) {
    // An environment that the kernel will refuse is passed unchanged.
    if (!array.can_read(environment + plan.entries)) return {};
    const char* entry = environment[plan.entries];
    if (entry == nullptr) break;
    if (!text.can_read_text(entry, kLongest)) return {};
    if (!preload_found && starts_with(entry, kPreload)) {
      preload_found = true;
      plan.preload_at = plan.entries;
    }
    options_found = options_found || starts_with(entry, kOptions);
  }
  if (!preload_found) plan.preload_at = plan.entries;
  const char* theirs = preload_found ? environment[plan.preload_at] + strlen(kPreload) : "";
  if (drop) {
    if (own_entry[0] == '\0' || !contains_entry(theirs, own_entry)) return plan;
    plan.drops_ours = true;
    plan.preload_bytes = strlen(kPreload) + strlen(theirs) + 1;
    return plan;
  }
  plan.lacks_options = options_entry[0] != '\0' && !options_found;
  if (own_entry[0] == '\0') return plan;  // loaded another way: ld.so.preload, dlopen
  if (!contains_entry(theirs, own_entry)) {
    // Removed by the program: as this image got it. Changed: the program's entries stay in front.
    plan.preload_bytes = theirs[0] == '\0'
                             ? strlen(kPreload) + strlen(preload_value) + 1
                             : strlen(kPreload) + strlen(theirs) + 1 + strlen(own_entry) + 1;
  }
  return plan;
}

char** repair_environment(const EnvironmentPlan& plan, char* const* environment, char* memory) {
  auto** slots = reinterpret_cast<char**>(memory);
  char* bytes = memory + plan.slots() * sizeof(char*);
  std::size_t used = 0;
  for (; used < plan.entries; ++used) slots[used] = environment[used];
  if (plan.preload_bytes != 0) {
    const bool replace = plan.preload_at < plan.entries;
    const char* theirs = replace ? environment[plan.preload_at] + strlen(kPreload) : "";
    TextBuffer text(bytes, plan.preload_bytes);
    text.put(kPreload);
    if (plan.drops_ours) {
      put_without_ours(text, theirs);
    } else if (theirs[0] == '\0') {
      text.put(preload_value);
    } else {
      text.put(theirs).put(':').put(own_entry);
    }
    text.end();
    slots[plan.preload_at] = bytes;
    if (!replace) ++used;
    // Without us there would be no such variable.
    if (plan.drops_ours && bytes[strlen(kPreload)] == '\0') {
      --used;
      for (std::size_t i = plan.preload_at; i < used; ++i) slots[i] = slots[i + 1];
    }
  }
  if (plan.lacks_options) slots[used++] = options_entry;
  slots[used] = nullptr;
  return slots;
}

const char* preload_entry() { return own_entry; }

void set_own_entry_in_environ(bool there) {
  if (initial_preload == nullptr || own_entry[0] == '\0') return;
  char** entry = environ;
  while (entry != nullptr && *entry != nullptr && *entry != initial_preload) ++entry;
  if (entry == nullptr || *entry == nullptr) return;
  char* value = initial_preload + strlen(kPreload);
  const std::size_t at = static_cast<std::size_t>(own_entry_at);
  const std::size_t size = strlen(own_entry);
  // Only over our own bytes, which are compared first: the program may have changed the string.
  if (there == !blanked) return;
  if (!there && strcmp(value, preload_value) != 0) return;
  blanked = !there;
  const bool last = preload_value[at + size] == '\0';
  if (there) {
    memcpy(value + at, preload_value + at, size);
    if (last && at > 0) value[at - 1] = preload_value[at - 1];
  } else if (last) {
    // one byte: a concurrent reader sees the old or the new list
    value[at > 0 ? at - 1 : 0] = '\0';
  } else {
    memset(value + at, ':', size);  // ld.so(8) ignores empty entries
  }
}

}  // namespace umaskaudit::shim
