// Feeds text to the readers of modes and masks: a mistake has a place within the text, and what was
// understood can be written and read back. A libFuzzer target; the first two bytes of an input are
// the mode that it is relative to.
#include "reporter/mode/notation.h"
#include "tests/fuzz/require.h"

namespace umaskaudit {
namespace {

using testing::require;

constexpr Mode kModes = 07777;
constexpr Mode kMasks = 0777;

bool is(const Parsed<Mode>& parsed, Mode mode) {
  const auto* value = std::get_if<Mode>(&parsed);
  return value != nullptr && *value == mode;
}

void check_error(const NotationError& error, std::string_view text) {
  require(error.offset <= text.size(), "a mistake lies within the text");
  require(!error.message.empty(), "a mistake has a reason");
}

void check_mode(std::string_view text, Mode base, bool directory) {
  const Parsed<Mode> parsed = parse_mode(text, base, directory);
  const auto* mode = std::get_if<Mode>(&parsed);
  if (mode == nullptr) return check_error(std::get<NotationError>(parsed), text);
  require(*mode <= kModes, "modes have twelve bits");
  require(is(parse_mode(symbolic(*mode), 0, directory), *mode), "reads what it writes");
}

void check_mask(std::string_view text, Mode current) {
  const Parsed<Mode> parsed = parse_mask(text, current);
  const auto* mask = std::get_if<Mode>(&parsed);
  if (mask == nullptr) return check_error(std::get<NotationError>(parsed), text);
  require(*mask <= kMasks, "masks have nine bits");
  require(is(parse_mask(symbolic_mask(*mask), 0), *mask), "reads what it writes");
  if (const std::optional<Mode> meant = intended_mask(*mask)) {
    require(*meant <= kMasks, "masks have nine bits");
  }
}

}  // namespace

}  // namespace umaskaudit

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t length) {
  using namespace umaskaudit;
  if (length < 2) return 0;
  const Mode base = (bytes[0] | static_cast<unsigned>(bytes[1]) << 8) & kModes;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 2, length - 2);
  check_mode(text, base, false);
  check_mode(text, base, true);
  check_mask(text, base & kMasks);
  return 0;
}
