// inotify(7) does not report stores into a mapped file, so a growing run is read ten times a
// second.
#include "reporter/live/live_follow.h"

#include <poll.h>
#include <signal.h>

#include "reporter/base/running_process.h"
#include "reporter/record/run_record.h"

namespace umaskaudit::live {
namespace {

volatile sig_atomic_t wants_end = 0;

}  // namespace

bool run_is_over(const reader::LiveRun& run, const std::string& directory) {
  const auto record = record::read_run_record(directory);
  if (record && record->exit_code) return true;
  if (record && record->recorder > 0 && is_running(static_cast<pid_t>(record->recorder)))
    return false;
  return !run.has_running_process();
}

void watch_for_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { wants_end = 1; };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

bool interrupted() { return wants_end != 0; }

void follow(reader::LiveRun& run, const std::string& directory, const reader::LiveRun::Visit& visit,
            const std::function<void()>& looked) {
  for (;;) {
    // Checked before the read, which then sees what was committed before the end.
    const bool over = run_is_over(run, directory);
    const bool more = run.poll(visit);
    looked();
    if (interrupted()) return run.stop(visit);
    if (over) return run.finish(visit);
    if (!more) ::poll(nullptr, 0, kLookMs);
  }
}

}  // namespace umaskaudit::live
