// Symbolizer::stack: the one place where symbols meet a Run.
// Must never do more than translate: everything else works, and is tested, without a run.
// Called by the renderers.
#include <string>
#include <vector>

#include "reporter/events/stack_source.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit {

std::vector<Frame> Symbolizer::stack(const StackSource& source, StackRef ref) {
  std::vector<RecordedAddress> addresses;
  for (const RawFrame& frame : source.stack(ref)) {
    const ModuleInfo* module = source.module(ref.segment, frame.module);
    if (module == nullptr) {
      addresses.push_back({"", "", frame.offset});
    } else {
      addresses.push_back({std::string(module->path), module->build_id, frame.offset});
    }
  }
  return lookup(addresses);
}

}  // namespace umaskaudit
