// Two runs side by side, as text and as JSON.
// Must never compare anything: RunDiff did. Called by `diff`.
#pragma once

#include <functional>
#include <string>

#include "reporter/analysis/path_names.h"
#include "reporter/analysis/run_diff.h"
#include "reporter/text/style.h"

namespace umaskaudit {

// One side as it was compared.
struct DiffSide {
  std::string directory;  // of the run; raw bytes
  std::string program;    // raw bytes
  const PathNames& names;
  const RunSide& facts;
  // "inherited", or the code that set the mask of this creation; escaped.
  std::function<std::string(const CreateEvent&)> mask_origin;
};

struct DiffStyle {
  Paint paint;
  std::size_t width = 0;  // columns; 0: no limit
  std::size_t limit = 0;  // rows of each table; 0: all
};

std::string diff_text(const RunDiff& diff, const DiffSide& a, const DiffSide& b,
                      const DiffStyle& style);
// One object; ends with a newline.
std::string diff_json(const RunDiff& diff, const DiffSide& a, const DiffSide& b);

}  // namespace umaskaudit
