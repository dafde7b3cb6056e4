#include "reporter/symbolize/resolver.h"

#include <utility>

namespace umaskaudit::symbolize {
namespace {

// Each open module costs up to three descriptors; the usual limit is 1024.
constexpr std::size_t kMaxOpen = 256;

}  // namespace

Resolver::Entry& Resolver::entry_of(const ModuleKey& key) {
  const auto known = modules_.find(key);
  if (known != modules_.end()) return known->second;
  if (modules_.size() >= kMaxOpen) modules_.clear();
  Entry entry;
  Result<std::unique_ptr<Module>> module = Module::open(key, files_);
  if (module) {
    entry.module = std::move(*module);
    entry.note = entry.module->note();
    if (entry.note.empty() && entry.module->is_nameless())
      entry.note = key.path + ": no symbols in it, and no debug file";
  } else {
    entry.note = module.error().what;
  }
  return modules_.emplace(key, std::move(entry)).first->second;
}

ModulePlaces Resolver::resolve(const ModuleKey& key, std::span<const std::uint64_t> addresses) {
  Entry& entry = entry_of(key);
  ModulePlaces answer;
  answer.note = entry.note;
  answer.places.reserve(addresses.size());
  for (const std::uint64_t address : addresses) {
    answer.places.push_back(entry.module == nullptr ? Places{} : entry.module->places_at(address));
  }
  return answer;
}

}  // namespace umaskaudit::symbolize
