#include "reporter/base/pager.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

extern char** environ;

namespace umaskaudit {
namespace {

// A pager that is left behind would compete with the shell for the terminal: when a key ends this
// process, the signal handler waits for the pager first. Only async-signal-safe functions here.
volatile sig_atomic_t pager_of_handler = 0;
volatile sig_atomic_t pipe_of_handler = -1;

extern "C" void wait_and_end(int signal) {
  close(pipe_of_handler);
  while (waitpid(pager_of_handler, nullptr, 0) < 0 && errno == EINTR) continue;
  std::signal(signal, SIG_DFL);
  raise(signal);
}

}  // namespace

std::string decide_pager(const char* own, const char* general, const char* term) {
  if (term == nullptr || *term == '\0' || std::strcmp(term, "dumb") == 0) return "";
  const char* wish = own != nullptr ? own : general;
  if (wish == nullptr) return kUsualPager;
  return std::strcmp(wish, "cat") == 0 ? "" : wish;
}

Pager::Pager(std::ostream& out, std::string command, std::size_t rows)
    : out_(out), before_(out.rdbuf(this)), command_(std::move(command)), rows_(rows) {}

int Pager::sync() { return 0; }  // flushed when more than a screen was written, or at the end

Pager::int_type Pager::overflow(int_type next) {
  if (traits_type::eq_int_type(next, traits_type::eof())) return traits_type::not_eof(next);
  const char c = traits_type::to_char_type(next);
  add(&c, 1);
  return next;
}

std::streamsize Pager::xsputn(const char* text, std::streamsize count) {
  add(text, static_cast<std::size_t>(count));
  return count;
}

void Pager::add(const char* text, std::size_t count) {
  constexpr std::size_t kMost = 1 << 16;
  held_.append(text, count);
  const std::size_t rows = rows_ != 0 ? rows_ : 24;
  for (std::size_t i = 0; i < count && lines_ < rows; ++i) lines_ += text[i] == '\n' ? 1 : 0;
  if (lines_ < rows && held_.size() < kMost) return;
  if (pid_ < 0 && !bypass_) start();
  if (bypass_ || held_.size() >= kMost || pid_ < 0) send();
}

void Pager::start() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    bypass_ = true;
    return;
  }
  std::vector<std::string> variables;
  // The options of git(1): end where all fits, keep colours, leave the text on the screen.
  if (std::getenv("LESS") == nullptr) variables.emplace_back("LESS=FRX");
  std::vector<char*> environment;
  for (char** one = environ; *one != nullptr; ++one) environment.push_back(*one);
  for (std::string& one : variables) environment.push_back(one.data());
  environment.push_back(nullptr);
  std::string shell = "sh", option = "-c", command = command_;
  char* const words[] = {shell.data(), option.data(), command.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
  const int error = posix_spawn(&pid_, "/bin/sh", &actions, nullptr, words, environment.data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[0]);
  if (error != 0) {
    close(ends[1]);
    pid_ = -1;
    bypass_ = true;
    return;
  }
  descriptor_ = ends[1];
  pager_of_handler = pid_;
  pipe_of_handler = descriptor_;
  std::signal(SIGPIPE, SIG_IGN);
  for (const int one : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(one, wait_and_end);
}

void Pager::send() {
  if (pid_ < 0) {
    before_->sputn(held_.data(), static_cast<std::streamsize>(held_.size()));
  } else {
    const char* at = held_.data();
    const char* const end = at + held_.size();
    while (at < end) {
      const ssize_t count = write(descriptor_, at, static_cast<std::size_t>(end - at));
      if (count < 0 && errno != EINTR) break;  // EPIPE: the user left the pager
      if (count > 0) at += count;
    }
  }
  held_.clear();
}

void Pager::finish() {
  if (done_) return;
  done_ = true;
  send();
  out_.rdbuf(before_);
  out_.flush();
  if (pid_ < 0) return;
  close(descriptor_);
  // Ctrl-C is for the pager from here on.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  for (const int one : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) std::signal(one, SIG_DFL);
}

}  // namespace umaskaudit
