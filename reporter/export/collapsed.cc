// See collapsed.h. The form is that of stackcollapse-perf.pl: the program's name is the root.
// Must never let a ';' of a symbol split a frame.
#include "reporter/export/collapsed.h"

#include <map>
#include <tuple>

#include "reporter/render/stack_text.h"
#include "reporter/text/escape.h"

namespace umaskaudit::exports {
namespace {

// Of one thread's program, one stack, one call.
using Key = std::tuple<std::string_view, std::uint64_t, std::string_view>;
struct Place {
  StackRef stack;
  std::uint64_t count = 0;
};

std::string frame_text(std::string text) {
  for (char& c : text)
    if (c == ';') c = ':';
  return text.empty() ? "[unknown]" : text;
}

std::string frame_name(const symbolize::Frame& frame) {
  if (frame.symbol.empty() || frame.script) return frame_text(render::site(&frame));
  return frame_text(escape(frame.symbol)) + (frame.inlined ? "_[i]" : "");
}

bool counts(const Event& event, CollapsedBy by) {
  if (by == CollapsedBy::changes) return std::holds_alternative<UmaskEvent>(event);
  const auto* create = std::get_if<CreateEvent>(&event);
  return create != nullptr && create->error == 0 && create->created != trace::Created::no;
}

std::string line_of(std::string_view program, const std::vector<symbolize::Frame>& frames,
                    std::string_view call) {
  std::string line = frame_text(escape(program));
  if (frames.empty()) line += ";[no stack]";
  for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame)
    if (!frame->folded) line += ';' + frame_name(*frame);
  return line + ";[" + frame_text(escape(call)) + ']';
}

}  // namespace

void export_collapsed(const ExportSource& source, CollapsedBy by, const TextSink& sink) {
  std::map<std::uint32_t, std::string_view> programs;  // by pid: the latest image's name
  std::map<Key, Place> places;
  source.run.for_each([&](const Event& event) {
    if (const auto* process = std::get_if<ProcessEvent>(&event))
      programs[process->pid] = process->comm;
    if (!counts(event, by)) return true;
    const EventBase& base =
        std::visit([](const auto& one) -> const EventBase& { return one; }, event);
    const auto program = programs.find(base.pid);
    const std::string_view name = program == programs.end() ? base.thread : program->second;
    Place& place = places[{name, analysis::StackCache::key(base.stack), base.call}];
    place.stack = base.stack;
    ++place.count;
    return true;
  });
  // Stacks of different processes become one when they name the same code.
  std::map<std::string, std::uint64_t> lines;
  for (const auto& [key, place] : places)
    lines[line_of(std::get<0>(key), source.stacks.frames(place.stack), std::get<2>(key))] +=
        place.count;
  for (const auto& [line, count] : lines)
    if (!sink(line + ' ' + std::to_string(count) + '\n')) return;
}

}  // namespace umaskaudit::exports
