// Feeds UMASKAUDIT_OPTIONS to the shim's parser, which runs inside the audited program: it stays
// within the text and within its buffers, and complains of words of the text. A libFuzzer target.
#include <cstring>
#include <string>

#include "preload/options.h"
#include "tests/fuzz/require.h"

namespace {

using umaskaudit::shim::Options;
using umaskaudit::shim::Text;
using umaskaudit::testing::require;
using umaskaudit::testing::touch;

const std::string* given = nullptr;

void complain(const char* problem, const char* word, unsigned length) {
  require(problem[0] != '\0', "a complaint says something");
  require(word >= given->data() && word + length <= given->data() + given->size(),
          "a complaint names a word of the text");
  touch({word, length});
}

void check(const Text& text) {
  require(memchr(text.bytes, '\0', sizeof text.bytes) != nullptr, "a text has an end");
}
template <typename T>
void check(const T&) {}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t length) {
  // On the heap, of its own length: reading on is seen.
  const std::string text(reinterpret_cast<const char*>(bytes),
                         strnlen(reinterpret_cast<const char*>(bytes), length));
  given = &text;
  Options options;
  umaskaudit::shim::parse_options(text.c_str(), options, complain);
  require(options.depth >= 1 && options.depth <= 64, "a stack has 1 to 64 frames");
#define OPTION(type, name, initial, help) check(options.name);
#include "preload/options.def"
#undef OPTION
  return 0;
}
