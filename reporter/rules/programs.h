// Programs: the program that each process runs, by the last component of its path, which is the
// same from run to run. Gets every event; the collector queries it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "reporter/events/events.h"

namespace umaskaudit::rules {

class Programs {
 public:
  void see(const Event& event) {
    if (const auto* process = std::get_if<ProcessEvent>(&event)) {
      const std::string_view path = process->exe.empty() ? process->comm : process->exe;
      of_[process->pid] = intern(path.substr(path.rfind('/') + 1));
    } else if (const auto* fork = std::get_if<ForkEvent>(&event)) {
      // Until the child has a record of its own, if ever.
      const auto parent = of_.find(fork->pid);
      if (parent != of_.end()) of_.try_emplace(fork->child, parent->second);
    }
  }
  // A number for the program of a process; 0: not known.
  std::uint32_t of(std::uint32_t pid) const {
    const auto found = of_.find(pid);
    return found == of_.end() ? 0 : found->second;
  }
  const std::string& name(std::uint32_t program) const { return names_[program]; }

 private:
  std::uint32_t intern(std::string_view name) {
    const auto next = static_cast<std::uint32_t>(names_.size());
    const auto [entry, fresh] = numbers_.try_emplace(std::string(name), next);
    if (fresh) names_.emplace_back(name);
    return entry->second;
  }

  std::unordered_map<std::uint32_t, std::uint32_t> of_;  // by pid
  std::unordered_map<std::string, std::uint32_t> numbers_{{"", 0}};
  std::deque<std::string> names_{""};
};

}  // namespace umaskaudit::rules
