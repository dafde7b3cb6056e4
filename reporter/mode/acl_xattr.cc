// Decodes the kernel's encoding of a default ACL, from a live getxattr(2) or from a trace.
// The bytes may be hostile: nothing is believed that posix_acl_valid() would refuse.

#include "reporter/mode/calculus.h"

namespace umaskaudit {
namespace {

// linux/posix_acl_xattr.h: a 32-bit version, then 16-bit tag, 16-bit perm, 32-bit id, all little
// endian. Read byte by byte, so neither alignment nor the host's byte order matters.
constexpr std::size_t kHeaderBytes = 4;
constexpr std::size_t kEntryBytes = 8;
constexpr std::uint32_t kVersion = 2;

enum Tag : std::uint32_t {
  kUserObj = 0x01,
  kUser = 0x02,
  kGroupObj = 0x04,
  kGroup = 0x08,
  kMask = 0x10,
  kOther = 0x20,
};

std::uint32_t little_endian(const unsigned char* bytes, unsigned count) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < count; ++i) value |= std::uint32_t{bytes[i]} << (8 * i);
  return value;
}

bool is_tag(std::uint32_t tag) { return tag != 0 && (tag & (tag - 1)) == 0 && tag <= kOther; }

}  // namespace

std::optional<DefaultAcl> parse_acl_xattr(const void* bytes, std::size_t length) {
  if (bytes == nullptr || length <= kHeaderBytes) return std::nullopt;
  if ((length - kHeaderBytes) % kEntryBytes != 0) return std::nullopt;
  const auto* data = static_cast<const unsigned char*>(bytes);
  if (little_endian(data, 4) != kVersion) return std::nullopt;

  DefaultAcl acl;
  std::uint32_t seen = 0;
  std::uint32_t last = 0;
  for (std::size_t at = kHeaderBytes; at < length; at += kEntryBytes) {
    const std::uint32_t tag = little_endian(data + at, 2);
    const std::uint32_t perm = little_endian(data + at + 2, 2);
    // The kernel keeps the entries sorted by tag, and only named users and groups repeat.
    const bool repeats = tag == last && tag != kUser && tag != kGroup;
    if (!is_tag(tag) || perm > 7 || tag < last || repeats) return std::nullopt;
    last = tag;
    seen |= tag;
    const auto bits = static_cast<std::uint8_t>(perm);
    if (tag == kUserObj) acl.user_obj = bits;
    if (tag == kGroupObj) acl.group_obj = bits;
    if (tag == kMask) acl.mask = bits;
    if (tag == kOther) acl.other = bits;
  }
  constexpr std::uint32_t kRequired = kUserObj | kGroupObj | kOther;
  const bool named = (seen & (kUser | kGroup)) != 0;
  if ((seen & kRequired) != kRequired || (named && !acl.mask)) return std::nullopt;
  return acl;
}

}  // namespace umaskaudit
