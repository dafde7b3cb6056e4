// Normalises names; see path_names.h.
#include "reporter/analysis/path_names.h"

#include <fcntl.h>
#include <regex.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace umaskaudit::analysis {
namespace {

constexpr char kTemp[] = "<temp>";
constexpr std::size_t kRandom = 6;         // mkstemp(3): the last six characters of the template
constexpr std::size_t kRandomMktemp = 10;  // mktemp(1): tmp.XXXXXXXXXX
constexpr std::size_t kRandomPython = 8;   // tempfile: tmp and eight of [a-z0-9_]
constexpr std::uint32_t kLeastPid = 100;   // smaller numbers are in names for other reasons

bool all_of(std::string_view text, bool (*one)(unsigned char)) {
  return std::all_of(text.begin(), text.end(), one);
}
bool is_alnum(unsigned char c) { return std::isalnum(c) != 0; }
bool is_python(unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_'; }

std::string base_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// The component with its random characters replaced; empty if none are recognised.
std::string by_mkstemp(const std::string& name, bool suffix) {
  const std::size_t end = suffix ? std::min(name.rfind('.'), name.size()) : name.size();
  if (end < kRandom || !all_of(std::string_view(name).substr(end - kRandom, kRandom), is_alnum))
    return "";
  return name.substr(0, end - kRandom) + kTemp + name.substr(end);
}

// Python's tempfile: eight of [a-z0-9_] behind any prefix, before a suffix that is an extension.
std::string by_tempfile(const std::string& name) {
  for (const std::size_t end : {std::min(name.rfind('.'), name.size()), name.size()})
    if (end >= kRandomPython &&
        all_of(std::string_view(name).substr(end - kRandomPython, kRandomPython), is_python))
      return name.substr(0, end - kRandomPython) + kTemp + name.substr(end);
  return "";
}

std::string random_name(const CreateEvent& event, bool by_python) {
  const std::string name = base_of(event.path);
  const std::string_view call = event.call;
  if (call == "mkdtemp" || call.substr(0, 7) == "mkstemp" || call.substr(0, 8) == "mkostemp")
    return by_mkstemp(name, call.find("temps") != std::string_view::npos);
  const bool directory = event.kind == trace::Kind::dir;
  const bool exclusive = directory || (event.open_flags & O_EXCL) != 0;
  if (!exclusive || event.requested != (directory ? 0700U : 0600U)) return "";
  if (name.rfind("tmp.", 0) == 0 && name.size() == 4 + kRandomMktemp &&
      all_of(std::string_view(name).substr(4), is_alnum))
    return std::string("tmp.") + kTemp;
  if (by_python) return by_tempfile(name);
  const std::size_t end = std::min(name.find('.'), name.size());
  if (name.rfind("tmp", 0) == 0 && end == 3 + kRandomPython &&
      all_of(std::string_view(name).substr(3, kRandomPython), is_python))
    return std::string("tmp") + kTemp + name.substr(end);
  return "";
}

}  // namespace

struct SameText::Expression {
  regex_t compiled{};
  bool valid = false;
  Expression() = default;
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  ~Expression() {
    if (valid) regfree(&compiled);
  }
};

Result<SameText> SameText::compile(const std::string& text) {
  auto expression = std::make_shared<Expression>();
  const int error = regcomp(&expression->compiled, text.c_str(), REG_EXTENDED);
  if (error != 0) {
    char why[128];
    regerror(error, &expression->compiled, why, sizeof why);
    return Error{"bad expression '" + text + "'", why, "an extended regular expression, regex(7)",
                 ExitCode::usage};
  }
  expression->valid = true;
  SameText same;
  same.expression_ = std::move(expression);
  return same;
}

std::string SameText::replaced(const std::string& path, std::uint64_t* count) const {
  std::string out;
  const char* rest = path.c_str();
  regmatch_t match{};
  while (*rest != '\0' && regexec(&expression_->compiled, rest, 1, &match,
                                  rest == path.c_str() ? 0 : REG_NOTBOL) == 0) {
    out.append(rest, static_cast<std::size_t>(match.rm_so));
    if (match.rm_eo > match.rm_so) {
      out += "<same>";
      ++*count;
      rest += match.rm_eo;
    } else {  // an empty match: continue after the next character
      rest += match.rm_so;
      if (*rest != '\0') out += *rest++;
    }
  }
  return out + rest;
}

PathNames::PathNames(std::string root, std::vector<SameText> same, bool exact)
    : root_(std::move(root)), same_(std::move(same)), exact_(exact) {
  while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
  if (root_ == "/") root_.clear();  // everything is below it: replacing it would say nothing
}

void PathNames::learn(const Event& event, bool by_python) {
  if (exact_) return;
  if (const auto* process = std::get_if<ProcessEvent>(&event)) {
    if (process->pid >= kLeastPid) pids_.insert(std::to_string(process->pid));
  } else if (const auto* create = std::get_if<CreateEvent>(&event)) {
    if (create->error != 0) return;
    std::string name = random_name(*create, by_python);
    if (!name.empty()) random_[create->path] = std::move(name);
  }
}

std::string PathNames::without_pids(const std::string& component, bool* any) const {
  std::string out;
  for (std::size_t at = 0; at < component.size();) {
    std::size_t end = at;
    while (end < component.size() && std::isdigit(static_cast<unsigned char>(component[end])) != 0)
      ++end;
    if (end == at) {
      out += component[at++];
      continue;
    }
    const std::string number = component.substr(at, end - at);
    const bool pid = pids_.count(number) != 0;
    *any |= pid;
    out += pid ? "<pid>" : number;
    at = end;
  }
  return out;
}

std::string PathNames::normal(const std::string& path) {
  if (exact_) return path;
  std::string out;
  std::size_t begin = 0;
  if (!root_.empty() && path.compare(0, root_.size(), root_) == 0 &&
      (path.size() == root_.size() || path[root_.size()] == '/')) {
    out = ".";
    begin = root_.size();
    ++below_root_;
  }
  bool random = false, pid = false;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin + 1), path.size());
    const auto known = random_.find(path.substr(0, end));
    const bool slash = path[begin] == '/';
    if (slash) out += '/';
    if (known != random_.end()) {
      out += known->second;
      random = true;
    } else {
      const std::size_t name = begin + (slash ? 1 : 0);
      out += without_pids(path.substr(name, end - name), &pid);
    }
    begin = end;
  }
  temporary_ += random ? 1 : 0;
  with_pid_ += pid ? 1 : 0;
  std::uint64_t matches = 0;
  for (const SameText& same : same_) out = same.replaced(out, &matches);
  same_count_ += matches != 0 ? 1 : 0;
  return out;
}

}  // namespace umaskaudit::analysis
