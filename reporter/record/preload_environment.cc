// Finds the library and extends the two variables; see preload_environment.h.
// Must never search the working directory or PATH: a preloaded library runs with the user's rights.
#include "reporter/record/preload_environment.h"

#include <limits.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace umaskaudit::record {
namespace {

constexpr char kLibraryName[] = "libumaskaudit.so";
// The limit of preload/options.h: the library refuses longer values.
constexpr std::size_t kLongestValue = 1023;

std::string executable_directory() {
  std::string path(PATH_MAX, '\0');
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path.substr(0, path.rfind('/'));
}

std::string real_path(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  std::string out = resolved != nullptr ? resolved : "";
  std::free(resolved);
  return out;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

void append(std::string& list, std::string_view item) {
  if (!list.empty() && !item.empty()) list += ':';
  list += item;
}

}  // namespace

Result<std::string> find_library() {
  const std::string given = variable(kLibraryVariable);
  if (!given.empty()) {
    const std::string path = real_path(given);
    if (!path.empty()) return path;
    return Error{std::string("cannot find '") + given + "'",
                 std::string(kLibraryVariable) + " names it",
                 "unset " + std::string(kLibraryVariable), ExitCode::internal};
  }
  const std::string here = executable_directory();
  for (const char* folder : {"/../preload/", "/" UMASKAUDIT_LIBDIR_FROM_BINDIR "/"}) {
    const std::string path = real_path(here + folder + kLibraryName);
    if (!path.empty()) return path;
  }
  return Error{std::string("cannot find ") + kLibraryName,
               "it is neither in the build folder nor in the library folder of this installation",
               std::string(kLibraryVariable) + "=/path/to/" + kLibraryName, ExitCode::internal};
}

Result<std::vector<std::string>> preload_environment(const std::string& library,
                                                     const ShimOptions& options) {
  if (options.directory.find(':') != std::string::npos)
    return Error{"cannot record into '" + options.directory + "'",
                 "the option list allows no colon", "another name with -o", ExitCode::internal};
  if (options.directory.size() > kLongestValue)
    return Error{"cannot record into '" + options.directory + "'", "the name is too long",
                 "a shorter name with -o", ExitCode::internal};

  std::string list = "log=off";
  append(list, variable("UMASKAUDIT_OPTIONS"));
  for (const std::string& value : options.values) append(list, value);
  append(list, "trace=" + options.directory);  // of two equal keys the last one counts
  std::string preload = variable("LD_PRELOAD");
  append(preload, library);

  std::vector<std::string> environment;
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view entry(*one);
    if (entry.rfind("LD_PRELOAD=", 0) == 0 || entry.rfind("UMASKAUDIT_OPTIONS=", 0) == 0) continue;
    environment.emplace_back(entry);
  }
  if (!preload.empty()) environment.push_back("LD_PRELOAD=" + preload);
  environment.push_back("UMASKAUDIT_OPTIONS=" + list);
  return environment;
}

}  // namespace umaskaudit::record
