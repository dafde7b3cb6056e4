// What many events share, written once into the page and named by number: texts, threads, stacks,
// frames, derivations. Must never hold an event: it grows with distinct values only.
// Filled while the events are written, written behind them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "reporter/analysis/stack_cache.h"
#include "reporter/events/events.h"
#include "reporter/objects/final_states.h"
#include "reporter/reader/run.h"
#include "reporter/rules/finding.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::render::html {

// Values in the order in which they were first seen, as JSON, and their numbers from 0.
class Table {
 public:
  // The number of `key`. Calls write(std::string& json) for a new one.
  template <typename Write>
  std::uint64_t number(std::string_view key, const Write& write) {
    const auto [entry, fresh] = numbers_.try_emplace(std::string(key), numbers_.size());
    if (fresh) {
      if (!rows_.empty()) rows_ += ",\n";
      write(rows_);
    }
    return entry->second;
  }
  // The elements of a JSON array.
  const std::string& rows() const { return rows_; }

 private:
  std::unordered_map<std::string, std::uint64_t> numbers_;
  std::string rows_;
};

class Tables {
 public:
  Tables(const reader::Run& run, analysis::StackCache& stacks) : run_(run), stacks_(stacks) {}

  // `bytes` as they are; the page gets them escaped for display, as every other output.
  std::uint64_t text(std::string_view bytes);
  // [pid, tid, name, fs]
  std::uint64_t who(const EventBase& event);
  std::uint64_t who(const rules::EventRef& event);
  // {site, at: the culprit's frame, frames, started: by which line of a script}; 0 is the missing
  // stack.
  std::uint64_t stack(StackRef ref);
  // {call, kind, requested, mask, final, created, ...}: all of a creation but when, who and where.
  std::uint64_t shape(const CreateEvent& event, const FinalStates::State& last);

  // Writes "texts", "who", "frames", "stacks" and "shapes".
  void write(JsonWriter& json) const;

 private:
  std::uint64_t who(std::uint32_t pid, std::uint32_t tid, std::uint32_t fs,
                    std::string_view thread);
  std::uint64_t frame(const symbolize::Frame& frame, bool folded);

  const reader::Run& run_;
  analysis::StackCache& stacks_;
  Table texts_, who_, frames_, shapes_;
  std::unordered_map<std::uint64_t, std::uint64_t> stack_numbers_;
  std::string stack_rows_;
};

}  // namespace umaskaudit::render::html
