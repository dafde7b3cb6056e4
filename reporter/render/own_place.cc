#include "reporter/render/own_place.h"

#include "reporter/analysis/symbol_chain.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/text/escape.h"

namespace umaskaudit::render {
namespace {

// The innermost one that can be opened; else the innermost of all.
const symbolize::Frame* best_frame(const std::vector<symbolize::Frame>& stack) {
  const symbolize::Frame* first = symbolize::culprit(stack);
  if (first == nullptr || first->script) return first;
  const symbolize::Frame* named = nullptr;
  for (const symbolize::Frame* frame = first; frame != stack.data() + stack.size(); ++frame) {
    if (!analysis::is_own_code(*frame)) continue;
    if (!source_of(*frame, "").empty()) return frame;
    if (named == nullptr) named = frame;
  }
  return named != nullptr ? named : first;
}

}  // namespace

std::string source_of(const symbolize::Frame& frame, const std::string& root) {
  const std::string& file = frame.file;
  if (!frame.script) return symbolize::is_c_runtime(frame.module) ? "" : file;
  if (file.empty() || file.front() == '/') return file;
  if (symbolize::is_given_text(frame) || symbolize::is_library(frame) || file.front() == '-' ||
      file.find(':') != std::string::npos)
    return "";
  std::string_view name = file;
  while (name.starts_with("./")) name.remove_prefix(2);
  return root.empty() ? std::string(name) : root + '/' + std::string(name);
}

const symbolize::Frame* own_frame(analysis::StackCache& stacks, StackRef ref) {
  const symbolize::Frame* frame = best_frame(stacks.frames(ref));
  if (frame == nullptr || !frame->file.empty()) return frame;
  const auto starters = stacks.starters(ref);
  return starters.empty() ? frame : symbolize::culprit(*starters.back());
}

OwnPlace own_place(analysis::StackCache& stacks, StackRef ref, const std::string& root) {
  OwnPlace place;
  const symbolize::Frame* frame = own_frame(stacks, ref);
  if (frame == nullptr) return place;
  place.file = source_of(*frame, root);
  if (!place.file.empty()) place.line = frame->line;
  place.function = frame->script ? frame->symbol : analysis::without_signature(frame->symbol);
  if (!frame->script) place.module = symbolize::base_name(frame->module);
  return place;
}

std::string_view path_below(std::string_view path, std::string_view directory) {
  if (directory.size() > 1 && path.size() > directory.size() + 1 && path.starts_with(directory) &&
      path[directory.size()] == '/')
    return path.substr(directory.size() + 1);
  return path;
}

std::string own_place_text(const OwnPlace& place, const std::string& root) {
  if (place.file.empty()) {
    if (place.function.empty()) return escape(place.module);
    return escape(place.function) + (place.module.empty() ? "" : " (" + escape(place.module) + ")");
  }
  std::string text = escape(path_below(place.file, root));
  if (place.line != 0) text += ':' + std::to_string(place.line);
  return place.function.empty() ? text : text + " in " + escape(place.function);
}

}  // namespace umaskaudit::render
