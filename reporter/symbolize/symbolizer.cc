#include "reporter/symbolize/symbolizer.h"

#include <algorithm>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>

#include "reporter/base/code_map_name.h"
#include "reporter/symbolize/code_map.h"
#include "reporter/symbolize/known_names.h"
#include "reporter/symbolize/location.h"
#include "reporter/symbolize/worker.h"

namespace umaskaudit::symbolize {
namespace {

// Addresses in one request, which bounds the time for one answer.
constexpr std::size_t kBatch = 512;

// The instruction before a return address is the call, on the line of interest; the address itself
// may belong to the next line or function.
std::uint64_t call_address(std::uint64_t return_address) {
  return return_address == 0 ? 0 : return_address - 1;
}

// Generated code is a module of its own in the cache, and in a pack: its process's.
ModuleKey key_of(const RecordedAddress& address) {
  if (address.module.empty() && address.pid != 0) return {"", code_map_name(address.pid)};
  return {address.module, address.build_id};
}

}  // namespace

struct Symbolizer::State {
  explicit State(SymbolOptions given) : options(std::move(given)), worker(options) {}

  // Requests the `offsets` that are not in the cache.
  void fetch(const ModuleKey& key, std::span<const std::uint64_t> offsets);
  ModulePlaces look_up(const ModuleKey& key, const std::vector<std::uint64_t>& calls);
  // The map of the process whose generated code `key` is; empty: there is none.
  const CodeMap& code_map(const ModuleKey& key);
  void note(const ModuleKey& key, const std::string& text);
  void append(std::vector<Frame>& frames, const RecordedAddress& address) const;

  SymbolOptions options;
  Worker worker;
  std::map<ModuleKey, std::unordered_map<std::uint64_t, Places>> cache;  // by return address
  std::map<std::string, CodeMap> code_maps;                              // by name
  std::vector<std::string> notes;
  std::map<ModuleKey, std::string> notes_of;
};

void Symbolizer::State::note(const ModuleKey& key, const std::string& text) {
  if (text.empty()) return;
  notes_of[key] = text;
  if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
}

void Symbolizer::State::fetch(const ModuleKey& key, std::span<const std::uint64_t> offsets) {
  if (!options.symbols) return;
  const KnownModule* known = options.known != nullptr ? options.known->module(key) : nullptr;
  // Generated code without a map has no names; its addresses would only fill the cache, and a pack.
  if (key.path.empty() && known == nullptr && code_map(key).empty()) return;
  auto& cached = cache[key];
  std::vector<std::uint64_t> missing;
  for (const std::uint64_t offset : offsets) {
    const auto [entry, fresh] = cached.try_emplace(offset);
    if (!fresh) continue;
    const Places* places = known != nullptr ? known->at(offset) : nullptr;
    if (places == nullptr) {
      missing.push_back(offset);
    } else {
      entry->second = *places;
      note(key, known->note);
    }
  }
  for (std::size_t at = 0; at < missing.size(); at += kBatch) {
    const std::span batch = std::span(missing).subspan(at, std::min(kBatch, missing.size() - at));
    std::vector<std::uint64_t> calls;
    for (const std::uint64_t offset : batch) calls.push_back(call_address(offset));
    ModulePlaces answer = look_up(key, calls);
    for (std::size_t i = 0; i < batch.size(); ++i) cached[batch[i]] = std::move(answer.places[i]);
    note(key, answer.note);
  }
}

const CodeMap& Symbolizer::State::code_map(const ModuleKey& key) {
  const auto [map, fresh] = code_maps.try_emplace(key.build_id);
  if (fresh && !key.build_id.empty() && !options.code_maps.empty())
    map->second = CodeMap::read(options.code_maps + '/' + key.build_id);
  return map->second;
}

ModulePlaces Symbolizer::State::look_up(const ModuleKey& key,
                                        const std::vector<std::uint64_t>& calls) {
  if (!key.path.empty()) return worker.resolve(key, calls);
  ModulePlaces answer;
  answer.places.resize(calls.size());
  const CodeMap& map = code_map(key);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    Location place;
    place.symbol = map.at(calls[i]);
    if (!place.symbol.empty()) answer.places[i].push_back(std::move(place));
  }
  return answer;
}

void Symbolizer::State::append(std::vector<Frame>& frames, const RecordedAddress& address) const {
  Frame frame;
  frame.module = address.module;
  frame.build_id = address.build_id;
  frame.offset = address.offset;
  const auto module = cache.find(key_of(address));
  if (module != cache.end()) {
    const auto found = module->second.find(address.offset);
    if (found != module->second.end() && !found->second.empty()) {
      for (const Location& place : found->second) {
        frame.symbol = place.symbol;
        frame.file = place.file;
        frame.line = place.line;
        frame.inlined = place.inlined;
        frame.language = place.language;
        frames.push_back(frame);
      }
      return;
    }
  }
  frames.push_back(std::move(frame));
}

Symbolizer::Symbolizer(SymbolOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
Symbolizer::~Symbolizer() = default;

std::vector<Frame> Symbolizer::lookup(std::span<const RecordedAddress> addresses) {
  // One request a module, not one a frame.
  std::map<ModuleKey, std::vector<std::uint64_t>> wanted;
  for (const RecordedAddress& address : addresses) {
    wanted[key_of(address)].push_back(address.offset);
  }
  for (const auto& [key, offsets] : wanted) state_->fetch(key, offsets);
  std::vector<Frame> frames;
  for (const RecordedAddress& address : addresses) state_->append(frames, address);
  return frames;
}

std::vector<Frame> Symbolizer::lookup(const std::string& module, const std::string& build_id,
                                      std::uint64_t offset) {
  const RecordedAddress address{module, build_id, offset, 0};
  return lookup(std::span(&address, 1));
}

const std::vector<std::string>& Symbolizer::notes() const { return state_->notes; }

void Symbolizer::add_names(KnownNames& names) const {
  for (const auto& [key, places] : state_->cache) {
    KnownModule& module = names.modules[key];
    module.places.insert(places.begin(), places.end());
    const auto note = state_->notes_of.find(key);
    if (note != state_->notes_of.end()) module.note = note->second;
  }
}

}  // namespace umaskaudit::symbolize
