#include "reporter/commands/see.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "reporter/commands/command.h"

namespace umaskaudit::commands {
namespace {

std::uint64_t bytes_of(const std::string& size) {
  char* unit = nullptr;
  const std::uint64_t count = std::strtoull(size.c_str(), &unit, 10);
  switch (*unit) {
    case 'K':
      return count << 10;
    case 'M':
      return count << 20;
    case 'G':
      return count << 30;
    default:
      return count;
  }
}

void take_option(const std::string& option, tracer::RecordingOptions& out) {
  const std::size_t equals = option.find('=');
  const std::string key = option.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
  if (key == "depth") out.depth = static_cast<unsigned>(std::strtoul(value.c_str(), nullptr, 10));
  if (key == "max_size") out.max_size = bytes_of(value);
  if (key != "stacks") return;
  out.stacks = value == "none"      ? tracer::Stacks::none
               : value == "changes" ? tracer::Stacks::changes
                                    : tracer::Stacks::all;
}

}  // namespace

void add_see_option(CLI::App& app, SeeOptions& options) {
  app.add_option_function<std::string>(
         "--see",
         [&options](const std::string& value) {
           options.all = value != "preload";
           options.trace = value == "trace";
           options.fast = value == "all,fast";
         },
         "What records: preload (the default), all (what cannot be preloaded is traced, by "
         "ptrace), all,fast (with a filter for it), trace (all programs are)")
      ->type_name("preload|all|all,fast|trace")
      ->check(CLI::IsMember({"preload", "all", "all,fast", "trace"}).description(""));
}

Sight::Sight(const SeeOptions& options, const std::string& directory, const std::string& library,
             const std::vector<std::string>& run_options, inspect::Obstacle command,
             Console& console)
    : command_(command), always_(options.trace) {
  if (!options.all) return;
  options_.recording.directory = directory;
  options_.library = library;
  options_.filter = options.fast || geteuid() == 0;
  for (const std::string& option : run_options) take_option(option, options_.recording);
  Result<tracer::TracerProcess> started = tracer::TracerProcess::start(options_);
  if (!started) {
    warn(console, started.error().what + " (" + started.error().why +
                      "): programs that cannot be preloaded are not seen");
    return;
  }
  tracer_ = std::make_unique<tracer::TracerProcess>(std::move(*started));
  if (options.fast && geteuid() != 0)
    warn(console,
         "--see=all,fast sets no_new_privs in what it traces: set-user-ID programs started there "
         "run without their rights");
}

std::string Sight::library_option() const {
  return tracer_ != nullptr ? "tracer=" + tracer_->name() : "";
}

bool names_leak_sanitizer(const std::string& bytes) {
  for (const char* name : {"__asan_init", "__lsan_init", "/libasan.so", "/liblsan.so"})
    if (bytes.find(name) != std::string::npos) return true;
  return false;
}

// Set-user-ID programs and their like keep their rights only under a tracer of root's.
bool can_trace(inspect::Obstacle obstacle) {
  return obstacle != inspect::Obstacle::privileged || geteuid() == 0;
}

bool Sight::sees(inspect::Obstacle obstacle) const {
  return tracer_ != nullptr && can_trace(obstacle);
}

void Sight::finish() {
  if (tracer_ != nullptr) tracer_->finish();
}

void Sight::before_exec() const {
  // Go's runtime takes the library, which hands over.
  const bool itself =
      tracer_ != nullptr && (always_ || (sees(command_) && !inspect::can_audit(command_)));
  if (itself) tracer_->take_exec();
}

}  // namespace umaskaudit::commands
