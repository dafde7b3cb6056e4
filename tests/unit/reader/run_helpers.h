// Shorthand for tests that build a run and read it back.
// Must never hide an error: a run that cannot be opened fails the test with its words.
// Called by the tests beside it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reporter/reader/run.h"
#include "tests/unit/reader/segment_builder.h"

namespace umaskaudit::testing {

// Inside a test, `Run` is a member of gtest's own class.
using ReadRun = reader::Run;

inline reader::Run open_or_die(const std::string& path) {
  Result<reader::Run> run = reader::Run::open(path);
  if (!run) {
    ADD_FAILURE() << run.error().what << " (" << run.error().why << ")";
    std::abort();
  }
  return std::move(run.value());
}

// All events in order; views in them live as long as `run`.
inline std::vector<Event> events_of(const reader::Run& run) {
  std::vector<Event> events;
  run.for_each([&](const Event& event) {
    events.push_back(event);
    return true;
  });
  return events;
}

template <typename T>
std::vector<T> only(const std::vector<Event>& events) {
  std::vector<T> chosen;
  for (const Event& event : events) {
    if (const T* one = std::get_if<T>(&event)) chosen.push_back(*one);
  }
  return chosen;
}

template <typename T>
std::vector<T> only(const reader::Run& run) {
  return only<T>(events_of(run));
}

inline const EventBase& base(const Event& event) {
  return std::visit([](const auto& any) -> const EventBase& { return any; }, event);
}

// A mask change of context `context`, its `change`-th, to `mask`.
inline trace::Umask mask_change(std::uint32_t context, std::uint64_t change, std::uint16_t old_mask,
                                std::uint16_t mask) {
  trace::Umask fixed{};
  fixed.context = context;
  fixed.change = change;
  fixed.argument = mask;
  fixed.old_mask = fixed.cached = old_mask;
  fixed.new_mask = mask;
  fixed.call = 2;
  return fixed;
}

// A file created with open(2), 0666 under `mask`.
inline trace::Create creation(std::uint32_t context, std::uint64_t change, std::uint16_t mask) {
  trace::Create fixed{};
  fixed.context = context;
  fixed.change_before = fixed.change_after = change;
  fixed.mask_before = fixed.mask_after = mask;
  fixed.kind = static_cast<std::uint8_t>(trace::Kind::file);
  fixed.created = static_cast<std::uint8_t>(trace::Created::yes);
  fixed.requested = 0666;
  fixed.final_mode = 0100000 | (0666 & ~std::uint32_t{mask});
  fixed.dev = 1;
  fixed.ino = 1;
  return fixed;
}

}  // namespace umaskaudit::testing
