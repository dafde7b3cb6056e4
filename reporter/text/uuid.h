// UUIDs as text (RFC 9562).
// Must never make two ids of equal bytes look different: digits are lower-case.
// Called by formats and exports that name a boot, a run or a record.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace umaskaudit {

using UuidBytes = std::array<std::uint8_t, 16>;

// "01234567-89ab-cdef-0123-456789abcdef"
std::string uuid_text(const UuidBytes& bytes);
// The same of a hash: version 8, whose content is the maker's own.
std::string hash_uuid_text(UuidBytes bytes);

}  // namespace umaskaudit
