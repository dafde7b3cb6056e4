// The language's reader. See fixture.h.
#include "tests/unit/rules/fixture.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "reporter/rules/timeline.h"

namespace umaskaudit::testing {
namespace {

std::string octal(Mode bits) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", bits);
  return text.data();
}

}  // namespace

// The words of a line, taken one by one: `key=value` words first, then the verb, then the rest.
struct Fixture::Line {
  std::map<std::string, std::string> keys;
  std::deque<std::string> words;
  bool bad = false;

  explicit Line(const std::string& text) {
    std::istringstream in(text.substr(0, text.find(" #")));
    for (std::string word; in >> word;) words.push_back(word);
    while (!words.empty() && words.front().find('=') != std::string::npos) {
      const std::string& word = words.front();
      keys[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
      words.pop_front();
    }
  }
  std::string take() {
    if (words.empty()) {
      bad = true;
      return "";
    }
    std::string word = words.front();
    words.pop_front();
    return word;
  }
  // Takes `word` from anywhere in the rest; false when it is not there.
  bool flag(const std::string& word) {
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return false;
    words.erase(found);
    return true;
  }
  // Takes `word` and the one behind it.
  std::optional<std::string> option(const std::string& word) {
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return std::nullopt;
    if (found + 1 == words.end()) {
      bad = true;
      return std::nullopt;
    }
    std::string value = *(found + 1);
    words.erase(found, found + 2);
    return value;
  }
  Mode mode(const std::string& word) {
    std::size_t used = 0;
    if (word.empty() || word.find_first_not_of("01234567") != std::string::npos) {
      bad = true;
      return 0;
    }
    return static_cast<Mode>(std::stoul(word, &used, 8));
  }
  std::uint32_t number(const std::string& word) {
    if (word.empty() || word.find_first_not_of("0123456789") != std::string::npos) {
      bad = true;
      return 0;
    }
    return static_cast<std::uint32_t>(std::stoul(word));
  }
};

Fixture Fixture::load(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  Fixture fixture = parse(text.str());
  if (!in) fixture.error_ = "cannot read " + file;
  return fixture;
}

Fixture Fixture::parse(const std::string& text) {
  Fixture fixture;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line) && fixture.error_.empty();) {
    ++fixture.line_;
    if (!line.empty() && line[0] != '#') fixture.read_line(line);
  }
  return fixture;
}

void Fixture::fail(const std::string& why) {
  if (error_.empty()) error_ = "line " + std::to_string(line_) + ": " + why;
}

Fixture::Context& Fixture::context(std::uint32_t fs) { return contexts_[fs]; }

void Fixture::read_line(const std::string& text) {
  if (text.rfind("expect ", 0) == 0) return expect_.push_back(text.substr(7));
  if (text.rfind("says ", 0) == 0) return says_.push_back(text.substr(5));
  if (text.rfind("hit ", 0) == 0) return hits_.push_back(text.substr(4));
  Line line(text);
  if (line.words.empty()) return line.keys.empty() ? void() : fail("no verb");
  const std::string verb = line.take();
  if (verb == "umask")
    read_umask(line);
  else if (verb == "create")
    read_create(line);
  else if (verb == "chmod")
    read_chmod(line);
  else if (verb == "process")
    read_process(line);
  else if (verb == "rename" || verb == "link" || verb == "unlink")
    read_name(line, verb);
  else
    read_other(line, verb);
  if (line.bad || !line.words.empty()) fail("cannot understand '" + text + "'");
}

template <typename T>
T Fixture::base(Line& line) {
  T event;
  const auto key = [&](const char* name, std::uint32_t usual) {
    return line.keys.count(name) != 0 ? line.number(line.keys[name]) : usual;
  };
  event.seq = ++seq_;
  event.time_ns = time_ = key("t", static_cast<std::uint32_t>(time_ + 10));
  event.pid = key("pid", 1);
  event.tid = key("tid", event.pid);
  event.fs = key("fs", event.pid);
  names_.push_back(line.keys.count("thread") != 0 ? line.keys["thread"]
                   : event.tid == event.pid       ? "main"
                                                  : "t" + std::to_string(event.tid));
  event.thread = names_.back();
  if (const auto stack = line.option("at")) {
    const auto next = static_cast<std::uint32_t>(stacks_.size() + 1);
    event.stack = {1, stacks_.try_emplace(*stack, next).first->second};
  }
  return event;
}

void Fixture::read_umask(Line& line) {
  auto event = base<UmaskEvent>(line);
  event.call = "umask";
  const std::string change = line.take();
  const std::size_t arrow = change.find("->");
  if (arrow == std::string::npos) return fail("umask OLD->NEW");
  Context& now = context(event.fs);
  event.old_mask = line.mode(change.substr(0, arrow));
  event.argument = line.mode(change.substr(arrow + 2));
  event.new_mask = event.argument & 0777;
  event.cached = now.mask;
  event.drift = line.flag("drift");
  if (now.change == 0 && !event.drift) now.mask = event.cached = event.old_mask;
  if (event.old_mask != now.mask && !event.drift)
    return fail("the mask is " + octal(now.mask) + " here");
  event.old_set_by = now.set_by;
  event.change = ++now.change;
  event.id = ++umask_id_;
  now.mask = event.new_mask;
  now.set_by = event.id;
  events_.emplace_back(event);
}

void Fixture::read_create(Line& line) {
  auto event = base<CreateEvent>(line);
  const Context& now = context(event.fs);
  const std::string kind = line.take();
  for (unsigned i = 1; i <= static_cast<unsigned>(trace::Kind::tmpfile); ++i)
    if (kind == kind_name(static_cast<trace::Kind>(i))) event.kind = static_cast<trace::Kind>(i);
  if (event.kind == trace::Kind::unknown) return fail("unknown kind '" + kind + "'");
  event.path = line.take();
  event.requested = line.mode(line.take());
  event.mask = now.mask;
  event.mask_set_by = now.set_by;
  event.change_before = event.change_after = now.change;
  names_.push_back(line.option("call").value_or(kind == "dir" ? "mkdir" : "open"));
  event.call = names_.back();
  if (line.flag("excl")) event.open_flags = O_EXCL;
  event.ino = line.number(line.option("ino").value_or("0"));
  event.dev = event.ino == 0 ? 0 : 1;
  if (const auto parent = line.option("parent")) {
    event.parent = ParentFacts{};
    event.parent->mode = line.mode(*parent);
  }
  const std::string created = line.option("created").value_or("yes");
  event.created = created == "yes"        ? trace::Created::yes
                  : created == "no"       ? trace::Created::no
                  : created == "probably" ? trace::Created::probably
                                          : trace::Created::unknown;
  event.error = static_cast<std::int32_t>(line.number(line.option("error").value_or("0")));
  // The mask moved during the call: numbers of the first and last change, and the candidates.
  if (const auto changes = line.option("changes")) {
    const std::size_t dash = changes->find('-');
    if (dash == std::string::npos) return fail("changes FIRST-LAST");
    event.change_before = line.number(changes->substr(0, dash));
    event.change_after = line.number(changes->substr(dash + 1));
  }
  if (const auto masks = line.option("masks")) {
    std::istringstream in(*masks);
    for (std::string mask; std::getline(in, mask, ',');)
      event.ambiguous_masks.push_back(line.mode(mask));
  }
  if (const auto mask = line.option("mask")) event.mask = line.mode(*mask);
  event.steps = predict(facts_of(event), event.mask).steps;
  if (const auto final_mode = line.option("final"))
    event.final_mode = line.mode(*final_mode);
  else if (!line.flag("unread"))
    event.final_mode = event.steps.back().mode;
  events_.emplace_back(event);
}

void Fixture::read_chmod(Line& line) {
  auto event = base<ChmodEvent>(line);
  event.path = line.take();
  event.call = "chmod";
  event.requested = line.mode(line.take());
  event.final_mode = event.requested;
  event.ino = line.number(line.option("ino").value_or("0"));
  event.dev = event.ino == 0 ? 0 : 1;
  events_.emplace_back(event);
}

// rename|link FROM TO, unlink PATH.
void Fixture::read_name(Line& line, const std::string& verb) {
  auto event = base<RenameEvent>(line);
  event.from = line.take();
  if (verb != "unlink") event.to = line.take();
  event.action = verb == "rename" ? RenameEvent::Action::renamed
                 : verb == "link" ? RenameEvent::Action::linked
                                  : RenameEvent::Action::unlinked;
  names_.push_back(verb);
  event.call = names_.back();
  event.ino = line.number(line.option("ino").value_or("0"));
  event.dev = event.ino == 0 ? 0 : 1;
  events_.emplace_back(event);
}

// process fork|exec NAME MASK: a new image or child says who it is.
void Fixture::read_process(Line& line) {
  auto event = base<ProcessEvent>(line);
  const std::string origin = line.take();
  event.origin = origin == "fork" ? trace::Origin::fork : trace::Origin::exec;
  names_.push_back(line.take());
  event.exe = event.comm = names_.back();
  event.mask = line.mode(line.take());
  event.mask_source = trace::MaskSource::proc;
  event.ppid = line.number(line.option("parent").value_or("0"));
  context(event.fs) = {event.mask, 0, std::nullopt};
  events_.emplace_back(event);
}

void Fixture::read_other(Line& line, const std::string& verb) {
  if (verb == "fork") {
    auto event = base<ForkEvent>(line);
    event.call = "fork";
    event.child = line.number(line.take());
    event.origin = line.flag("spawned") ? trace::Origin::vfork : trace::Origin::fork;
    events_.emplace_back(event);
  } else if (verb == "exec") {
    auto event = base<ExecEvent>(line);
    event.call = "execve";
    names_.push_back(line.take());
    event.path = names_.back();
    event.error = static_cast<std::int32_t>(line.number(line.option("error").value_or("0")));
    events_.emplace_back(event);
  } else if (verb == "starts") {
    auto event = base<ThreadCreateEvent>(line);
    event.call = "pthread_create";
    event.fs = 0;  // as the reader leaves it: the record does not say
    event.created_tid = line.number(line.take());
    events_.emplace_back(event);
  } else {
    fail("unknown verb '" + verb + "'");
  }
}

rules::EventSource Fixture::source() const {
  return [this](const std::function<bool(const Event&)>& visit) {
    for (const Event& event : events_)
      if (!visit(event)) return;
  };
}

std::string Fixture::stack_name(StackRef ref) const {
  for (const auto& [name, id] : stacks_)
    if (id == ref.id) return name;
  return "";
}

std::vector<std::string> Fixture::describe(const std::vector<rules::Finding>& findings) const {
  std::vector<std::string> out;
  for (const rules::Finding& finding : findings) {
    std::string line = std::string(finding.info().id) + ' ' +
                       rules::severity_name(finding.severity) + (finding.at_end ? " end" : "") +
                       " count=" + std::to_string(finding.count);
    const auto site = [&](const char* key, const rules::EventRef& event) {
      const std::string name = stack_name(event.stack);
      line += std::string(" ") + key + '=' + (name.empty() ? "-" : name);
    };
    if (finding.culprit) site("culprit", *finding.culprit);
    if (!finding.victims.empty()) site("victim", finding.victims.front().event);
    out.push_back(line);
  }
  return out;
}

rules::FindResult Fixture::find(rules::FindOptions options, std::vector<std::string>* hits) const {
  options.symbol_chain = [this](StackRef ref) { return stack_name(ref); };
  if (hits != nullptr)
    options.on_hit = [hits](const rules::Hit& hit) {
      hits->push_back(std::string(rules::rule_info(hit.rule).id) + ' ' + hit.event.path + ' ' +
                      octal(hit.event.final_mode.value_or(0)) + ' ' + octal(hit.expected));
    };
  return umaskaudit::rules::find(source(), options);
}

}  // namespace umaskaudit::testing
