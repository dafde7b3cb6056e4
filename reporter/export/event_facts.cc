#include "reporter/export/event_facts.h"

#include "reporter/symbolize/culprit.h"

namespace umaskaudit::exports {
namespace {

struct DatasetOf {
  const char* operator()(const ProcessEvent&) const { return "process"; }
  const char* operator()(const UmaskEvent&) const { return "umask"; }
  const char* operator()(const CreateEvent&) const { return "create"; }
  const char* operator()(const ChmodEvent&) const { return "chmod"; }
  const char* operator()(const RenameEvent&) const { return "rename"; }
  const char* operator()(const BlindSpotEvent&) const { return "blind_spot"; }
  const char* operator()(const LossEvent&) const { return "loss"; }
  const char* operator()(const NoteEvent&) const { return "note"; }
  const char* operator()(const ForkEvent&) const { return "fork"; }
  const char* operator()(const ExecEvent&) const { return "exec"; }
  const char* operator()(const ThreadCreateEvent&) const { return "thread"; }
};

}  // namespace

const EventBase& base_of(const Event& event) {
  return std::visit([](const auto& one) -> const EventBase& { return one; }, event);
}

const char* dataset_of(const Event& event) { return std::visit(DatasetOf{}, event); }

PathParts parts_of_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  return {path.substr(0, slash == 0 ? 1 : slash), path.substr(slash + 1)};
}

const symbolize::Frame* code_behind(analysis::StackCache& stacks, StackRef stack) {
  const symbolize::Frame* frame = symbolize::culprit(stacks.frames(stack));
  const bool named = frame != nullptr && (!frame->symbol.empty() || frame->script);
  return named ? frame : nullptr;
}

void LatestImages::see(const Event& event) {
  if (const auto* process = std::get_if<ProcessEvent>(&event)) see(*process);
}

void LatestImages::see(const ProcessEvent& process) {
  programs_[process.pid] = {std::string(process.comm), std::string(process.exe), process.ppid};
}

const LatestImages::Image* LatestImages::find(std::uint32_t pid) const {
  const auto known = programs_.find(pid);
  return known == programs_.end() ? nullptr : &known->second;
}

}  // namespace umaskaudit::exports
