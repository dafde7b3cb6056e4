// `snapshot`: a copy of what is recorded by now, while the program goes on.
// Must never touch the run that is copied. Called through the table.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/record/pack_file.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_store.h"
#include "reporter/record/snapshot.h"
#include "reporter/text/escape.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::commands {
namespace {

struct Options {
  std::string run, directory;
  bool force = false;
};

Error cannot_write(const std::string& directory, const std::string& why, const char* hint) {
  return {"cannot write a snapshot into '" + directory + "'", why, hint, ExitCode::internal};
}

// What can be copied: a directory that is a run's.
Status check_run(const std::string& path, const std::string& directory) {
  struct stat run {};
  struct stat target {};
  const auto refuse = [&](const std::string& why, const std::string& hint) {
    return Error{"cannot copy run '" + path + "'", why, hint, ExitCode::unreadable};
  };
  if (stat(path.c_str(), &run) != 0)
    return refuse(std::strerror(errno), "umaskaudit run -o " + path + " -- CMD to record one");
  const bool packed = path.ends_with(record::kPackEnding);
  if (!S_ISDIR(run.st_mode) && packed)
    return refuse("it is a packed run, which no program adds to",
                  "umaskaudit report " + path + ", or cp for a copy");
  if (!S_ISDIR(run.st_mode)) return refuse("it is not a directory", "the run directory it is in");
  if (!record::holds_run(path))
    return refuse("it holds no run", "umaskaudit run -o " + path + " -- CMD to record one");
  if (stat(directory.c_str(), &target) == 0 && run.st_dev == target.st_dev &&
      run.st_ino == target.st_ino)
    return cannot_write(directory, "it is the run itself", "another directory with -o");
  return Done{};
}

int snapshot(Options& options, Console& console) {
  const Result<std::string> run = record::find_run(options.run);
  if (!run) return fail(console, run.error());
  options.run = *run;
  if (const Status good = check_run(options.run, options.directory); !good)
    return fail(console, good.error());
  const Result<record::RunDirectory> directory = record::prepare_run_directory(
      options.directory, options.force ? record::EarlierRun::removed : record::EarlierRun::refused);
  if (!directory) {
    const std::string& why = directory.error().why;
    const bool earlier = why == "it holds a run already";
    return fail(console,
                cannot_write(options.directory, why,
                             earlier ? "--force to replace it, or another directory with -o"
                                     : "another directory with -o"));
  }
  const Result<record::Snapshot> copy = record::copy_run(options.run, directory->path);
  if (!copy) return fail(console, copy.error());
  if (copy->segments == 0) warn(console, "nothing was recorded in '" + options.run + "' so far");
  if (console.verbosity != Verbosity::quiet)
    console.err << "umaskaudit: " + counted(copy->segments, "segment") + " of '" +
                       escape(options.run) + "' copied; try umaskaudit report " +
                       escape(options.directory) + '\n'
                << std::flush;
  return 0;
}

}  // namespace

Action configure_snapshot(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("RUN", options->run, "Run directory; default: the latest run here")->type_name("");
  app.add_option("-o,--output", options->directory, "Copy into DIR")->type_name("DIR")->required();
  app.add_flag("--force", options->force, "Remove the run that the directory of --output holds");
  return [options](Invocation& invocation) { return snapshot(*options, invocation.console); };
}

}  // namespace umaskaudit::commands
