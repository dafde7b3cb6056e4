// Symbolizer::stack(): converts a stack of a Run to addresses and the result to frames. Everything
// else in this room works, and is tested, without a run.
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "reporter/events/stack_source.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/symbolize/script_merge.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::symbolize {
namespace {

// Null: their script frames could be read.
const char* reason_of(trace::RuntimeState state) {
  switch (state) {
    case trace::RuntimeState::read:
      return nullptr;
    case trace::RuntimeState::unknown_version:
      return "where this version has its structures is not known";
    case trace::RuntimeState::unknown_layout:
      return "its structures are not where its version has them";
  }
  return "the shim could not read it";
}

RecordedAddress address_of(const StackSource& source, StackRef ref, const RawFrame& frame) {
  const ModuleInfo* module = source.module(ref.segment, frame.module);
  if (module == nullptr) return {"", "", frame.offset, source.pid(ref.segment)};
  return {std::string(module->path), module->build_id, frame.offset};
}

Frame frame_of(const ScriptFrame& script, const std::string& runtime) {
  Frame frame;
  frame.module = runtime;
  frame.symbol = script.function;
  frame.file = script.file;
  frame.line = script.line;
  frame.language = language_name(script.language);
  frame.line_of_other = script.line_of_other;
  frame.script = true;
  return frame;
}

// The directory of a Java runtime's libraries, with its slash: the parent of libjvm.so's.
std::string java_folder(const std::string& libjvm) {
  const std::size_t file = libjvm.rfind('/');
  if (file == std::string::npos || file == 0) return "";
  return libjvm.substr(0, libjvm.rfind('/', file - 1) + 1);
}

// The frames that are hidden in a script stack: the interpreter's (all native ones, where only the
// script's name is known), its generated code, and, outside all script frames, those of libc that
// started it.
void fold(std::vector<Frame>& frames, const std::string& runtime, trace::Language language) {
  const bool generates_code = placement_of(language) == ScriptPlacement::run;
  const std::string folder = language == trace::Language::java ? java_folder(runtime) : "";
  const bool is_name_alone = language == trace::Language::script;
  const auto is_interpreters = [&](const Frame& frame) {
    if (is_name_alone) return true;
    if (frame.module.empty()) return generates_code;
    return frame.module == runtime || is_interpreter(frame.module) ||
           (folder.size() > 1 && frame.module.starts_with(folder));
  };
  for (Frame& frame : frames) frame.folded = !frame.script && is_interpreters(frame);
  for (auto frame = frames.rbegin(); frame != frames.rend() && !frame->script; ++frame) {
    if (!frame->folded && !is_c_runtime(frame->module)) break;
    frame->folded = true;
  }
}

}  // namespace

std::vector<std::string> runtime_notes(const std::vector<ScriptRuntime>& runtimes) {
  std::vector<std::string> notes;
  for (const ScriptRuntime& runtime : runtimes) {
    const char* why = reason_of(runtime.state);
    if (why == nullptr) continue;
    std::string note(runtime.text.empty() ? language_name(runtime.language) : runtime.text);
    if (!runtime.module.empty()) note += " (" + std::string(runtime.module) + ')';
    notes.push_back(note + ": " + why + "; its scripts have no frames in stacks");
  }
  return notes;
}

std::vector<Frame> Symbolizer::native_stack(const StackSource& source, StackRef ref) {
  std::vector<RecordedAddress> addresses;
  for (const RawFrame& frame : source.stack(ref))
    addresses.push_back(address_of(source, ref, frame));
  return lookup(addresses);
}

std::vector<Frame> Symbolizer::stack(const StackSource& source, StackRef ref) {
  const std::optional<ScriptStack> script = source.script(ref);
  if (!script || script->frames.empty()) return native_stack(source, ref);
  const std::vector<RawFrame> native = source.stack(ref);
  const bool truncated = source.stack_truncated({ref.segment, script->native});
  const std::vector<MergedFrame> merged = merge_script(native, *script, truncated);

  std::vector<RecordedAddress> addresses;
  for (const MergedFrame& one : merged)
    if (!one.script) addresses.push_back(address_of(source, ref, native[one.index]));
  lookup(addresses);  // one request for each module
  const ModuleInfo* module = source.module(ref.segment, script->runtime);
  const std::string runtime(module == nullptr ? std::string_view{} : module->path);
  std::vector<Frame> frames;
  for (const MergedFrame& one : merged) {
    if (one.script) {
      frames.push_back(frame_of(script->frames[one.index], runtime));
      continue;
    }
    const RecordedAddress address = address_of(source, ref, native[one.index]);
    std::vector<Frame> own = lookup(std::span(&address, 1));
    std::move(own.begin(), own.end(), std::back_inserter(frames));
  }
  fold(frames, runtime, script->language);
  return frames;
}

}  // namespace umaskaudit::symbolize
