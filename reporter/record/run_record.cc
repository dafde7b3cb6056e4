// Writes and reads run.json.
// Must never trust what it reads: the directory may come from another machine or user.
#include "reporter/record/run_record.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "reporter/base/output_file.h"
#include "reporter/base/owned_descriptor.h"
#include "reporter/base/regular_file.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::record {
namespace {

constexpr std::size_t kMostBytes = 4 << 20;  // ARG_MAX is 2 MiB, escaped it may double

std::string to_json(const RunRecord& record) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.number("version", 1);
  json.bytes("command", record.command);
  if (!record.argv.empty()) {
    json.begin_array("argv");
    for (const std::string& word : record.argv) json.element(std::string_view(word));
    json.end_array();
  }
  json.bytes("cwd", record.directory);
  if (record.umask) json.mode("umask", *record.umask);
  if (!record.host.empty()) json.bytes("host", record.host);
  if (!record.machine.empty()) json.bytes("machine", record.machine);
  if (!record.kernel.empty()) json.bytes("kernel", record.kernel);
  if (!record.parent.empty()) json.bytes("parent", record.parent);
  json.integer("parent_pid", record.parent_pid);
  if (!record.ci.system.empty()) {
    json.begin_object("ci");
    json.bytes("system", record.ci.system);
    json.bytes("job", record.ci.job);
    json.bytes("url", record.ci.url);
    json.bytes("revision", record.ci.revision);
    json.end_object();
  }
  json.number("start_ns", record.start_real_ns);
  json.integer("recorder", record.recorder);
  if (record.end_real_ns != 0) json.number("end_ns", record.end_real_ns);
  json.integer("pid", record.pid);
  if (record.exit_code) json.integer("exit_code", *record.exit_code);
  if (record.signal != 0) json.integer("signal", record.signal);
  if (!record.obstacle.empty()) json.text("cannot_audit", record.obstacle);
  json.end_object();
  return text += '\n';
}

}  // namespace

Status write_run_record(const std::string& directory, const RunRecord& record) {
  Result<OutputFile> file = OutputFile::create(directory + "/" + kRunRecordName);
  if (!file) return file.error();
  file->stream() << to_json(record);
  return file->commit();
}

std::optional<RunRecord> read_run_record(const std::string& directory) {
  using nlohmann::json;
  const Descriptor file(open((directory + "/" + kRunRecordName).c_str(),
                             O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  const json object = json::parse(read_regular_file(file.get(), kMostBytes).value_or(""), nullptr,
                                  /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  const auto text_in = [](const json& holder, const char* key) {
    const auto found = holder.find(key);
    return found != holder.end() && found->is_string() ? found->get<std::string>() : "";
  };
  const auto text = [&](const char* key) { return text_in(object, key); };
  const auto number = [&](const char* key) -> std::optional<std::int64_t> {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
  };
  RunRecord record;
  record.command = text("command");
  record.directory = text("cwd");
  record.obstacle = text("cannot_audit");
  record.recorder = number("recorder").value_or(0);
  record.host = text("host");
  record.machine = text("machine");
  record.kernel = text("kernel");
  record.parent = text("parent");
  record.parent_pid = number("parent_pid").value_or(0);
  record.pid = number("pid").value_or(0);
  record.start_real_ns = static_cast<std::uint64_t>(number("start_ns").value_or(0));
  record.end_real_ns = static_cast<std::uint64_t>(number("end_ns").value_or(0));
  if (const auto code = number("exit_code")) record.exit_code = static_cast<int>(*code);
  record.signal = static_cast<int>(number("signal").value_or(0));
  if (const auto ci = object.find("ci"); ci != object.end() && ci->is_object())
    record.ci = {text_in(*ci, "system"), text_in(*ci, "job"), text_in(*ci, "url"),
                 text_in(*ci, "revision")};
  if (const std::string mask = text("umask"); !mask.empty())
    record.umask = static_cast<Mode>(std::strtoul(mask.c_str(), nullptr, 8));
  if (const auto argv = object.find("argv"); argv != object.end() && argv->is_array())
    for (const json& word : *argv)
      if (word.is_string()) record.argv.push_back(word.get<std::string>());
  return record;
}

}  // namespace umaskaudit::record
