// Implementation of symbolizer.h.
#include "reporter/symbolize/symbolizer.h"

#include <algorithm>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>

#include "reporter/symbolize/known_names.h"
#include "reporter/symbolize/location.h"
#include "reporter/symbolize/worker.h"

namespace umaskaudit {
namespace {

// Addresses in one request: bounds the time that one answer takes.
constexpr std::size_t kBatch = 512;

// The instruction before a return address is the call, which is on the line that people look for;
// the address itself may already belong to the next line or function.
std::uint64_t call_address(std::uint64_t return_address) {
  return return_address == 0 ? 0 : return_address - 1;
}

}  // namespace

struct Symbolizer::State {
  explicit State(SymbolOptions given) : options(std::move(given)), worker(options) {}

  // Asks for what the cache does not have of `offsets`.
  void fetch(const ModuleKey& key, std::span<const std::uint64_t> offsets);
  void note(const ModuleKey& key, const std::string& text);
  void append(std::vector<Frame>& frames, const RecordedAddress& address) const;

  SymbolOptions options;
  Worker worker;
  std::map<ModuleKey, std::unordered_map<std::uint64_t, Places>> cache;  // by return address
  std::vector<std::string> notes;
  std::map<ModuleKey, std::string> notes_of;
};

void Symbolizer::State::note(const ModuleKey& key, const std::string& text) {
  if (text.empty()) return;
  notes_of[key] = text;
  if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
}

void Symbolizer::State::fetch(const ModuleKey& key, std::span<const std::uint64_t> offsets) {
  // Generated code has no module; its addresses would only fill the cache.
  if (!options.symbols || key.path.empty()) return;
  auto& cached = cache[key];
  const KnownModule* known = options.known != nullptr ? options.known->module(key) : nullptr;
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
    Answer answer = worker.resolve(key, calls);
    for (std::size_t i = 0; i < batch.size(); ++i) cached[batch[i]] = std::move(answer.places[i]);
    note(key, answer.note);
  }
}

void Symbolizer::State::append(std::vector<Frame>& frames, const RecordedAddress& address) const {
  Frame frame;
  frame.module = address.module;
  frame.build_id = address.build_id;
  frame.offset = address.offset;
  const auto module = cache.find({address.module, address.build_id});
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
    wanted[{address.module, address.build_id}].push_back(address.offset);
  }
  for (const auto& [key, offsets] : wanted) state_->fetch(key, offsets);
  std::vector<Frame> frames;
  for (const RecordedAddress& address : addresses) state_->append(frames, address);
  return frames;
}

std::vector<Frame> Symbolizer::lookup(const std::string& module, const std::string& build_id,
                                      std::uint64_t offset) {
  const RecordedAddress address{module, build_id, offset};
  return lookup(std::span(&address, 1));
}

const std::vector<std::string>& Symbolizer::notes() const { return state_->notes; }

void Symbolizer::tell(KnownNames& names) const {
  for (const auto& [key, places] : state_->cache) {
    KnownModule& module = names.modules[key];
    module.places.insert(places.begin(), places.end());
    const auto note = state_->notes_of.find(key);
    if (note != state_->notes_of.end()) module.note = note->second;
  }
}

}  // namespace umaskaudit
