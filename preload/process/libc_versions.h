// Tests whether a glibc is new enough to load our library, which needs names, but no versions of
// them (libc_names.def).
// Must never trust the file's numbers. Runs where own_table.h says.
#pragma once

#include <cstddef>

namespace umaskaudit::shim {

// `fd` is open on a libc.so.6; `buffer` is working memory of at least 2 KiB.
bool is_new_enough(int fd, char* buffer, std::size_t size);

}  // namespace umaskaudit::shim
