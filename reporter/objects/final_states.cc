#include "reporter/objects/final_states.h"

#include "reporter/objects/local_links.h"

namespace umaskaudit {

FinalStates::FinalStates(const reader::Run& run) {
  LifeOptions options;
  options.links = local_links(run);
  options.on_end = [this](const ObjectLife& life) { add(life); };
  ObjectLives lives(std::move(options));
  run.for_each_folded([&](const Event& event) {
    lives.see(event);
    return true;
  });
  lives.for_each([this](const ObjectLife& life) { add(life); });
}

void FinalStates::add(const ObjectLife& life) {
  const bool changed = life.mode_known && life.mode != life.born_mode;
  const bool brief = life.state == ObjectState::gone && !life.named_anew() && !changed;
  if (brief) {
    if (gone_.size() <= life.born.seq) gone_.resize(life.born.seq + 1);
    gone_[life.born.seq] = true;
    return;
  }
  if (life.state == ObjectState::there && !life.named_anew() && !changed) return;
  State& state = states_[life.born.seq];
  state.path = life.last_path;
  if (life.mode_known) state.mode = life.mode;
  state.state = life.state;
  state.named_anew = life.named_anew();
  state.changed = changed;
}

FinalStates::State FinalStates::of(const CreateEvent& event) const {
  const auto found = states_.find(event.seq);
  if (found != states_.end()) return found->second;
  State state;
  state.path = file_path(event.kind, event.path);
  if (event.final_mode) state.mode = *event.final_mode & 07777;
  if (event.seq < gone_.size() && gone_[event.seq]) state.state = ObjectState::gone;
  return state;
}

}  // namespace umaskaudit
