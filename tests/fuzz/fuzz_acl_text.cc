// Feeds text to the reader of default ACLs: a mistake has a place within the text, and what was
// understood has permissions only, and a mask where a name needs one. A libFuzzer target.
#include "reporter/mode/acl_text.h"
#include "tests/fuzz/require.h"

namespace umaskaudit {
namespace {

using testing::require;

void check(std::string_view text, std::optional<Mode> directory) {
  const Parsed<DefaultAcl> parsed = parse_acl_text(text, directory);
  if (const auto* error = std::get_if<NotationError>(&parsed)) {
    require(error->offset <= text.size(), "a mistake lies within the text");
    require(!error->message.empty(), "a mistake has a reason");
    return;
  }
  const DefaultAcl& acl = std::get<DefaultAcl>(parsed);
  for (const unsigned bits : {acl.user_obj, acl.group_obj, acl.other, acl.mask.value_or(0)}) {
    require(bits <= 7, "permissions have three bits");
  }
  require(acl_allows(acl) <= 0777, "an ACL allows nine bits");
  // What needs no directory does not depend on it.
  if (!directory) {
    const Parsed<DefaultAcl> again = parse_acl_text(text, 0777);
    const auto* same = std::get_if<DefaultAcl>(&again);
    require(same != nullptr && acl_allows(*same) == acl_allows(acl), "a whole ACL stands alone");
  }
}

}  // namespace
}  // namespace umaskaudit

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t length) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), length);
  umaskaudit::check(text, std::nullopt);
  umaskaudit::check(text, 0750);
  return 0;
}
