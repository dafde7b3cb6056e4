#include "reporter/analysis/runtime_idiom.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "reporter/symbolize/culprit.h"

namespace umaskaudit::analysis {
namespace {

bool same_place(const ScriptFrame& a, const ScriptFrame& b) {
  return a.function == b.function && a.file == b.file && a.line == b.line;
}

bool same_script(const StackSource& source, StackRef a, StackRef b) {
  const std::optional<ScriptStack> first = source.script(a), second = source.script(b);
  if (!first || !second) return !first && !second;
  return std::equal(first->frames.begin(), first->frames.end(), second->frames.begin(),
                    second->frames.end(), same_place);
}

}  // namespace

std::string runtime_idiom(const StackSource& source, StackRef sets, StackRef restores) {
  const std::vector<RawFrame> first = source.stack(sets), second = source.stack(restores);
  const auto same = [](const RawFrame& a, const RawFrame& b) {
    return a.module == b.module && a.offset == b.offset;
  };
  // Without the caller's frame, the function itself may have been called twice.
  if (first.size() < 2 || first.size() != second.size() || sets.segment != restores.segment ||
      first[0].module != second[0].module || first[0].offset == second[0].offset ||
      !std::equal(first.begin() + 1, first.end(), second.begin() + 1, same) ||
      !same_script(source, sets, restores)) {
    return "";
  }
  const ModuleInfo* module = source.module(sets.segment, first[0].module);
  if (module == nullptr || !symbolize::is_interpreter(std::string(module->path))) return "";
  for (const ScriptRuntime& runtime : source.runtimes())
    if (runtime.module == module->path && !runtime.text.empty()) return std::string(runtime.text);
  return symbolize::base_name(std::string(module->path));
}

}  // namespace umaskaudit::analysis
