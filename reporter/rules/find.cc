// The engine: two readings of the events, all checks over the second, one list of findings.
// Must never be the place of a rule: those are in the checks.
#include "reporter/rules/find.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "reporter/rules/check.h"
#include "reporter/rules/fingerprint.h"
#include "reporter/rules/later_changes.h"
#include "reporter/rules/later_names.h"
#include "reporter/rules/policy.h"
#include "reporter/rules/private_directories.h"
#include "reporter/rules/secrets.h"
#include "reporter/rules/timeline.h"
#include "reporter/rules/umask_classifier.h"

namespace umaskaudit::rules {
namespace {

// What must be known of a run before its first event is judged.
struct FirstReading {
  MaskIntents intents;
  ChmodTargets targets;
  LaterChanges later;
  LaterNames names;
};

FirstReading read_first(const EventSource& source) {
  FirstReading first;
  UmaskClassifier classifier;
  source([&](const Event& event) {
    classifier.feed(event);
    first.targets.feed(event);
    first.later.feed(event);
    return true;
  });
  first.intents = classifier.finish();
  return first;
}

class Engine : public TimelineSink {
 public:
  Engine(FirstReading first, const FindOptions& options)
      : options_(options),
        later_(std::move(first.later)),
        lives_(life_options()),
        names_(std::move(first.names)),
        collector_(options_, private_directories_, names_),
        intents_(std::move(first.intents)),
        timeline_(intents_, *this) {
    if (options.policy != nullptr)
      options_.secret_names.insert(options_.secret_names.end(),
                                   options.policy->secret_names.begin(),
                                   options.policy->secret_names.end());
    const CheckParts parts{collector_, timeline_, options_, first.targets};
#define CHECK(name) add(make_##name##_check(parts));
#include "reporter/rules/rules.def"
  }

  // Once there are many objects, looks at an event when kComing others have come: until then, what
  // it will look up is brought near.
  void take(const Event& event) {
    if (taken_ == 0 && lives_.living() < kMany) return feed(event);
    Coming& place = coming_[taken_ % kComing];
    if (taken_ >= kComing) feed(place.event);
    place.event = event;
    place.ahead.begin(lives_, event);
    if (const auto* create = std::get_if<CreateEvent>(&event)) later_.expect(*create);
    for (std::uint64_t age = 2; age < kComing && age <= taken_; age += 2)
      coming_[(taken_ - age) % kComing].ahead.go_on(lives_);
    ++taken_;
  }

  FindResult finish() {
    for (std::uint64_t next = taken_ - std::min(taken_, kComing); next < taken_; ++next)
      feed(coming_[next % kComing].event);
    timeline_.finish();
    look_at_ends();
    for (const CheckPtr& check : checks_) check->finish(end_ns_);
    collector_.close(end_ns_);
    for (const CheckPtr& check : checks_) check->report();
    result_.findings = collector_.take();
    std::erase_if(result_.findings, [](const Finding& finding) { return finding.message.empty(); });
    sort_worst_first(result_.findings);
    return std::move(result_);
  }

  void on_change(const UmaskEvent& event, const Change& change) override {
    result_.stats.mask_changes += event.folded.count;
    if (change.role == Change::Role::restores) result_.stats.windows += event.folded.count;
    if (change.role == Change::Role::leaks && options_.on_window) options_.on_window({event.id, 0});
    for (const CheckPtr& check : checks_) check->on_change(event, change);
  }

  void on_create(const CreateEvent& event, const Verdict& verdict) override {
    count(verdict);
    private_directories_.see(event);
    CheckedCreation creation{event, verdict, std::nullopt};
    for (const CheckPtr& check : checks_) check->on_create(creation);
  }

  void on_closed(const MaskWindow& window) override {
    collector_.window_closed(window);
    if (options_.on_window) options_.on_window({window.open.id, window.close.id});
  }

 private:
  void feed(const Event& event) {
    if (options_.on_event) options_.on_event(event);
    end_ns_ =
        std::max(end_ns_, std::visit([](const EventBase& base) { return base.time_ns; }, event));
    collector_.see(event);
    follow(event);
    const bool judged =
        std::holds_alternative<UmaskEvent>(event) || std::holds_alternative<CreateEvent>(event);
    if (!judged)
      for (const CheckPtr& check : checks_) check->on_event(event);
    timeline_.feed(event);
  }

  void add(CheckPtr check) {
    if (check != nullptr) checks_.push_back(std::move(check));
  }

  // Only what may end otherwise than it began is followed; below a directory that changes, only
  // what other users could use there, or what a policy row may match.
  bool may_change(const CreateEvent& event) const {
    if (options_.on_final_hit || later_.names(event)) return true;
    if (!later_.names_above(event.path)) return false;
    const Mode mode = mode_of(event);
    if (options_.policy != nullptr || (mode & 06022) != 0) return true;
    if (event.kind == trace::Kind::dir) return (mode & 011) != 011;
    return (mode & 044) != 0 && secrecy_of(event.path, options_.secret_names) != Secrecy::none;
  }

  LifeOptions life_options() {
    LifeOptions lives;
    lives.links = options_.links;
    auto follows = [this](const CreateEvent& event) { return may_change(event); };
    (options_.on_lives ? lives.watches : lives.selects) = std::move(follows);
    lives.adopts = [this](const ChmodEvent& event) {
      const Mode mode = *event.final_mode;
      return options_.on_event_object || (mode & 06002) != 0 || options_.policy != nullptr ||
             ((mode & 044) != 0 && secrecy_of(event.path, options_.secret_names) != Secrecy::none);
    };
    lives.on_end = [this](const ObjectLife& life) {
      if (life.watched) collector_.object_ends(life);
      if (options_.on_life_end) options_.on_life_end(life);
    };
    return lives;
  }

  void follow(const Event& event) {
    const std::uint64_t object = lives_.see(event);
    if (options_.on_event_object) options_.on_event_object(event, object);
    const ObjectLife* life = lives_.find(object);
    if (const auto* created = std::get_if<CreateEvent>(&event)) {
      if (created->error != 0 && options_.on_failure) options_.on_failure(*created, lives_);
      if (life == nullptr || !life->watched || life->born.seq != created->seq) return;
      collector_.watch(created->seq);
      if (life->kind == trace::Kind::dir && later_.names(*created))
        later_.add_directory(created->path);
    } else if (const auto* chmod = std::get_if<ChmodEvent>(&event)) {
      private_directories_.see(*chmod);
      const bool directory = life != nullptr && life->kind == trace::Kind::dir;
      if (directory && chmod->error == 0)
        private_directories_.set_directory(lives_.path(*life), life->mode);
    } else if (const auto* rename = std::get_if<RenameEvent>(&event)) {
      private_directories_.see(*rename);
    }
  }

  // The state at the end, by the modes that directories have then.
  void look_at_ends() {
    lives_.for_each([this](const ObjectLife& life) {
      const bool there = life.watched && life.state == ObjectState::there;
      if (!there || life.kind != trace::Kind::dir) return;
      for (const std::string& name : lives_.names(life))
        private_directories_.set_directory(name, life.mode);
    });
    for (const UnrecordedObject& object : options_.unrecorded)
      if (object.kind == trace::Kind::dir)
        private_directories_.set_directory(object.path, object.mode);
    lives_.for_each([this](const ObjectLife& life) {
      if (!life.watched) return;
      look_at_end(life);
      collector_.object_ends(life);
    });
    for (const UnrecordedObject& object : options_.unrecorded) look_at_unrecorded(object);
    if (options_.on_lives) options_.on_lives(lives_);
  }

  void look_at_end(const ObjectLife& life) {
    if (life.state != ObjectState::there) return;
    std::vector<std::string> names = lives_.names(life);
    if (names.empty()) names.push_back(life.last_path);
    const std::size_t present = names.size();
    Mode reached = 0;
    for (const std::string& name : names) reached |= private_directories_.of(name);
    const auto add = [&](const std::string& name) {
      if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
    };
    for (const std::string& name : life.earlier) add(name);
    add(life.born_path);
    add(life.born_link);
    const LastSeen last{life, names, present, reached};
    for (const CheckPtr& check : checks_) check->on_last(last);
  }

  void look_at_unrecorded(const UnrecordedObject& object) {
    const ObjectLife* changed = lives_.find(lives_.at(object.dev, object.ino));
    // The call that changed it is known, and it was judged by that.
    if (changed != nullptr && changed->created == trace::Created::no) return;
    ObjectLife life;
    life.kind = object.kind;
    life.born.time_ns = object.time_ns;
    life.born_path = life.last_path = object.path;
    life.mode = object.mode;
    life.mode_known = true;
    life.dev = object.dev;
    life.ino = object.ino;
    life.uid = object.uid;
    life.gid = object.gid;
    std::vector<std::string> names{object.path};
    names.insert(names.end(), object.more_names.begin(), object.more_names.end());
    life.name_count = names.size();
    Mode reached = 0;
    for (const std::string& name : names) reached |= private_directories_.of(name);
    const LastSeen last{life, names, names.size(), reached};
    for (const CheckPtr& check : checks_) check->on_last(last);
    collector_.object_ends(life);
  }

  void count(const Verdict& verdict) {
    FindStats& stats = result_.stats;
    if (verdict.kind == Verdict::Kind::no_object) return;
    const bool open = verdict.kind == Verdict::Kind::unresolved;
    ++stats.creations;
    stats.ambiguous += verdict.ambiguous ? 1 : 0;
    stats.resolved += verdict.ambiguous && !open ? 1 : 0;
    stats.unresolved += open ? 1 : 0;
  }

  static constexpr std::uint64_t kComing = 8;
  static constexpr std::size_t kMany = 4096;  // more than the caches next to the processor hold
  struct Coming {
    Event event;
    ObjectLives::Ahead ahead;
  };

  FindOptions options_;
  FindResult result_;
  LaterChanges later_;
  ObjectLives lives_;
  LaterNames names_;
  PrivateDirectories private_directories_;
  Collector collector_;
  MaskIntents intents_;
  Timeline timeline_;
  std::vector<CheckPtr> checks_;
  std::uint64_t end_ns_ = 0;
  Coming coming_[kComing];
  std::uint64_t taken_ = 0;
};

// `brief`: the same events, with no more than the first reading looks at.
FindResult find_twice(const EventSource& brief, const EventSource& source,
                      const FindOptions& options) {
  FirstReading first = read_first(brief);
  if (options.skip_object || options.policy != nullptr)
    first.names.read(source, first.later, options.links);
  Engine engine(std::move(first), options);
  source([&](const Event& event) {
    engine.take(event);
    return true;
  });
  return engine.finish();
}

}  // namespace

FindResult find(const EventSource& source, const FindOptions& options) {
  return find_twice(source, source, options);
}

FindResult find(const reader::Run& run, const FindOptions& options) {
  using Visit = std::function<bool(const Event&)>;
  FindOptions about_run = options;
  about_run.whole_since_ns = run.dropped().whole_since_ns;
  return find_twice(
      [&run](const Visit& visit) { run.for_each(visit, Detail::brief, Folds::folded); },
      [&run](const Visit& visit) { run.for_each(visit, Detail::full, Folds::folded); }, about_run);
}

}  // namespace umaskaudit::rules
