#include "reporter/render/whole_since.h"

#include "reporter/text/time_text.h"

namespace umaskaudit::render {

std::uint64_t whole_since_real_ns(const reader::Run& run) {
  const std::uint64_t since = run.dropped().whole_since_ns;
  if (since == 0 || run.begin_real_ns() == 0) return 0;
  return run.real_ns(since);
}

std::string whole_since_text(const reader::Run& run) {
  const std::uint64_t since = whole_since_real_ns(run);
  return since == 0 ? "" : utc_text(since);
}

}  // namespace umaskaudit::render
