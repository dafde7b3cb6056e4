// TmpfileLinks: the names that files made without one (O_TMPFILE, open(2)) were given by linkat(2).
// Must never merge two objects because an inode number was reused: a link belongs to the latest
// creation before it. Filled by the first pass, used for each such creation in the second.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "preload/trace/format.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

class TmpfileLinks {
 public:
  struct Name {
    std::uint64_t time_ns = 0;
    const Segment* segment = nullptr;  // whose paths `base` is of
    std::uint32_t base = 0;
    std::string_view text;  // as passed
  };

  // In the order of the segment's file; the pool owns `text`.
  void note(const trace::Create& create, std::uint64_t time_ns);
  bool wants(const trace::Rename& rename) const;
  void note(const trace::Rename& rename, const Name& name);
  // Call once, after all segments.
  void finish();

  // The first name of the created file; nothing when it never got one.
  const Name* find(const trace::Create& create, std::uint64_t time_ns) const;

 private:
  using Inode = std::pair<std::uint64_t, std::uint64_t>;
  struct Lives {
    std::vector<std::uint64_t> births;  // each time that the inode was created
    std::vector<Name> links;
  };
  std::map<Inode, Lives> inodes_;
};

}  // namespace umaskaudit::reader
