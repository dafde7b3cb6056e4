// syslog(3) and sd_journal_send(3) succeed also where there is no such service, so their
// sockets are looked for first.
#include "reporter/live/live_log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/syslog_sink.h>
#ifdef UMASKAUDIT_JOURNALD
#include <spdlog/sinks/systemd_sink.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "reporter/live/live_file.h"
#include "reporter/live/live_ship.h"

namespace umaskaudit::live {
namespace {

constexpr char kName[] = "umaskaudit";
constexpr char kFile[] = "file:";
constexpr std::size_t kFileBytes = std::size_t{16} << 20;
constexpr unsigned kOlderFiles = 4;

bool is_file(const std::string& word) { return word.rfind(kFile, 0) == 0; }

Result<spdlog::sink_ptr> file_sink(const std::string& path) {
  Result<std::shared_ptr<LiveFile>> file = LiveFile::open(path, kFileBytes, kOlderFiles);
  if (!file) return file.error();
  (*file)->set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %v");
  return spdlog::sink_ptr(std::move(*file));
}

bool is_there(const char* socket) { return access(socket, F_OK) == 0; }

Error no_place(std::string what, std::string why, std::string hint) {
  return {std::move(what), std::move(why), std::move(hint), ExitCode::usage};
}

Result<spdlog::sink_ptr> journal_sink() {
#ifdef UMASKAUDIT_JOURNALD
  if (!is_there("/run/systemd/journal/socket"))
    return no_place("cannot log to journald", "/run/systemd/journal/socket is not there",
                    "--live-to syslog or file:PATH");
  return spdlog::sink_ptr(std::make_shared<spdlog::sinks::systemd_sink_mt>(kName));
#else
  return no_place("cannot log to journald", "built without libsystemd",
                  "--live-to syslog or file:PATH");
#endif
}

Result<spdlog::sink_ptr> make_sink(const std::string& word, Console& console) {
  using spdlog::sink_ptr;
  if (is_file(word)) return file_sink(word.substr(sizeof kFile - 1));
  if (word == "journald") return journal_sink();
  if (word == "syslog") {
    if (!is_there("/dev/log"))
      return no_place("cannot log to syslog", "/dev/log is not there", "--live-to file:PATH");
    return sink_ptr(
        std::make_shared<spdlog::sinks::syslog_sink_mt>(kName, LOG_PID, LOG_USER, false));
  }
  auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(console.err, true);
  sink->set_pattern("umaskaudit: %v");
  return sink_ptr(std::move(sink));
}

}  // namespace

std::string check_live_place(const std::string& word) {
  if (is_file(word) && word.size() > sizeof kFile - 1) return "";
  if (is_collector(word)) {
    const std::string url = collector_url(word);
    if (word == "otlp") return "";
    const std::string wrong = ship::check_endpoint_url(url);
    return wrong.empty() ? "" : "invalid value '" + word + "' (" + wrong + ")";
  }
  for (const char* known : {"stderr", "syslog", "journald"})
    if (word == known) return "";
  return "invalid value '" + word +
         "' (expected: stderr, syslog, journald, file:PATH, otlp, otlp:URL)";
}

Status LiveLog::add(const std::string& word, Console& console) {
  Result<spdlog::sink_ptr> sink = make_sink(word, console);
  if (!sink) return sink.error();
  auto logger = std::make_shared<spdlog::logger>(kName, std::move(*sink));
  // By default spdlog prints its troubles where CMD's own output goes.
  logger->set_error_handler([trouble = trouble_](const std::string& message) {
    if (trouble->empty()) *trouble = message;
  });
  places_.push_back({std::move(logger), Paint(word == "stderr" && console.err_colour)});
  return Done{};
}

Result<LiveLog> LiveLog::open(const std::vector<std::string>& places, Console& console) {
  LiveLog log;
  for (auto word = places.begin(); word != places.end(); ++word) {
    if (std::find(places.begin(), word, *word) != word) continue;
    if (Status added = log.add(*word, console); !added) return added.error();
  }
  return log;
}

void LiveLog::write(spdlog::level::level_enum level, std::uint64_t real_ns,
                    const std::function<std::string(Paint)>& line) {
  const std::chrono::nanoseconds since(real_ns);
  const spdlog::log_clock::time_point when(
      std::chrono::duration_cast<spdlog::log_clock::duration>(since));
  for (const Place& place : places_)
    place.logger->log(when, spdlog::source_loc{}, level, line(place.paint));
}

void LiveLog::flush() {
  for (const Place& place : places_) place.logger->flush();
}

}  // namespace umaskaudit::live
