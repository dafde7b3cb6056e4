// What differs between two runs, as text.
// Must never compare anything: RunDiff did.
#pragma once

#include <functional>
#include <string>

#include "reporter/analysis/path_names.h"
#include "reporter/analysis/run_diff.h"
#include "reporter/text/style.h"

namespace umaskaudit::render {

// One side as it was compared.
struct DiffSide {
  std::string directory;  // of the run; raw bytes
  std::string program;    // raw bytes
  const analysis::PathNames& names;
  const analysis::RunSide& facts;
  // "inherited", or the code that set the mask of this creation; escaped.
  std::function<std::string(const CreateEvent&)> mask_origin;
};

struct DiffStyle {
  Paint paint;
  std::size_t width = 0;  // columns; 0: no limit
  std::size_t limit = 0;  // rows of each table; 0: all
};

std::string diff_text(const analysis::RunDiff& diff, const DiffSide& a, const DiffSide& b,
                      const DiffStyle& style);

}  // namespace umaskaudit::render
