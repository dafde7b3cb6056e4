// Implementation of samples.h.
#include "tests/unit/symbolize/samples.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace umaskaudit::symbolize {
namespace {

namespace fs = std::filesystem;

Sample parse_sample(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '\t');) fields.push_back(field);
  Sample sample;
  if (fields.size() < 4) {
    ADD_FAILURE() << "bad sample: " << line;
    return sample;
  }
  sample.module = fields[0];
  sample.build_id = fields[1];
  sample.offset = std::stoull(fields[2], nullptr, 16);
  for (std::size_t i = 3; i < fields.size(); ++i) {
    const std::size_t colon = fields[i].find(':');
    sample.places.push_back({static_cast<unsigned>(std::stoul(fields[i].substr(0, colon))),
                             fields[i].substr(colon + 1)});
  }
  return sample;
}

// "zoo::Keeper::feed(int)" has the part "feed", and not the part "fee".
bool has_part(const std::string& symbol, const std::string& part) {
  for (std::size_t at = symbol.find(part); at != std::string::npos;
       at = symbol.find(part, at + 1)) {
    const std::size_t end = at + part.size();
    const bool starts = at == 0 || symbol[at - 1] == ':' || symbol[at - 1] == ' ';
    const bool ends = end == symbol.size() || symbol[end] == '(' || symbol[end] == '<';
    if (starts && ends) return true;
  }
  return false;
}

}  // namespace

std::string victim(const std::string& file) { return std::string(VICTIM_DIR) + "/" + file; }

std::vector<Sample> run_victim(const std::string& program,
                               const std::vector<std::string>& libraries) {
  std::vector<std::string> arguments{victim(program)};
  for (const std::string& library : libraries) arguments.push_back(victim(library));
  std::vector<Sample> samples;
  std::istringstream out(run_tool(arguments));
  for (std::string line; std::getline(out, line);) samples.push_back(parse_sample(line));
  return samples;
}

std::vector<Sample> samples_of(const std::string& file) {
  const bool library = file.ends_with(".so");
  std::vector<Sample> samples = library ? run_victim("victim_pie", {file}) : run_victim(file, {});
  std::erase_if(samples,
                [&](const Sample& sample) { return fs::path(sample.module).filename() != file; });
  EXPECT_FALSE(samples.empty()) << file;
  return samples;
}

SymbolOptions with_debug_dir(const std::string& directory) {
  SymbolOptions options;
  options.debug_dirs = {directory};
  return options;
}

SymbolOptions with_sysroot(const std::string& directory) {
  SymbolOptions options;
  options.sysroot = directory;
  return options;
}

void expect_frames(const Sample& sample, const std::vector<Frame>& frames) {
  SCOPED_TRACE(sample.module + " at " + std::to_string(sample.offset) + ", innermost " +
               sample.places.at(0).function);
  ASSERT_GE(frames.size(), sample.places.size());
  for (std::size_t i = 0; i < sample.places.size(); ++i) {
    EXPECT_PRED2(has_part, frames[i].symbol, sample.places[i].function);
    EXPECT_EQ(frames[i].line, sample.places[i].line) << frames[i].symbol;
    EXPECT_EQ(frames[i].inlined, i + 1 < sample.places.size()) << frames[i].symbol;
    // The build names its sources relative to its own directory.
    const fs::path file = frames[i].file;
    EXPECT_TRUE(file.is_absolute() && file == file.lexically_normal()) << file;
    EXPECT_TRUE(frames[i].file.find("/tests/unit/symbolize/victim.c") != std::string::npos) << file;
    EXPECT_EQ(frames[i].language, frames[i].file.ends_with(".cc") ? "C++" : "C");
    EXPECT_EQ(frames[i].offset, sample.offset);
  }
  EXPECT_EQ(frames.size(), sample.places.size());
}

TempDir::TempDir() {
  std::string name = (fs::temp_directory_path() / "symbolize.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "mkdtemp " << name;
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TempDir::path(const std::string& name) const {
  return name.empty() ? path_ : path_ + "/" + name;
}

bool has_tool(const std::string& name) {
  const char* variable = std::getenv("PATH");
  std::istringstream path(variable != nullptr ? variable : "/usr/bin");
  for (std::string directory; std::getline(path, directory, ':');) {
    if (access(fs::path(directory).append(name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string run_tool(const std::vector<std::string>& arguments) {
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    ADD_FAILURE() << "pipe2";
    return "";
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  pid_t child = -1;
  const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    out.append(buffer, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = -1;
  if (error == 0) waitpid(child, &status, 0);
  EXPECT_EQ(error, 0) << arguments[0];
  EXPECT_EQ(status, 0) << arguments[0];
  return out;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, const std::string& bytes) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
  out.flush();
  EXPECT_TRUE(out.good()) << path;
}

}  // namespace umaskaudit::symbolize
