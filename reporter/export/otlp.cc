// Requests of otlp.h: the resource once in each, then records.
#include "reporter/export/otlp.h"

#include <algorithm>

#include "reporter/export/otlp_attributes.h"

namespace umaskaudit::exports {
namespace {

#define SCHEMA "https://opentelemetry.io/schemas/1.36.0"
constexpr char kTail[] = "]}],\"schemaUrl\":\"" SCHEMA "\"}]}\n";

// uname(2) says "x86_64", the conventions "amd64".
std::string architecture(const std::string& machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine == "i686" || machine == "i386") return "x86";
  return machine;
}

// The attributes that are ours, unless the user has said another value.
class Resource {
 public:
  Resource(JsonWriter& json, const OtlpResource& resource) : out_(json), given_(resource) {}

  void text(std::string_view key, std::string_view value) {
    const auto& given = given_.attributes;
    const bool given_here = std::any_of(
        given.begin(), given.end(), [&](const auto& attribute) { return attribute.first == key; });
    if (!given_here && !value.empty()) out_.bytes(key, value);
  }
  void given() {
    for (const auto& [key, value] : given_.attributes) out_.text(key, value);
  }

 private:
  OtlpAttributes out_;
  const OtlpResource& given_;
};

std::string head_of(const OtlpResource& resource) {
  const render::RunLine& run = resource.run;
  const PathParts program = parts_of_path(run.program);
  const std::string_view name = program.name.empty() ? run.program : program.name;
  const std::size_t blank = run.tool.rfind(' ');
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.begin_array("resourceLogs");
  json.begin_object();
  json.begin_object("resource");
  json.begin_array("attributes");
  Resource out(json, resource);
  if (!resource.service.empty())
    out.text("service.name", resource.service);
  else
    out.text("service.name", name.empty() ? "unknown_service" : name);
  out.text("host.name", run.host);
  out.text("host.arch", architecture(run.machine));
  out.text("os.type", "linux");
  out.text("os.version", run.kernel);
  out.text("umaskaudit.run.program", run.program);
  if (run.started_real_ns != 0)
    out.text("umaskaudit.run.start_unix_nano", std::to_string(run.started_real_ns));
  out.text("umaskaudit.boot.id", render::boot_id_text(run));
  out.given();
  json.end_array();
  json.end_object();
  json.begin_array("scopeLogs");
  json.begin_object();
  json.begin_object("scope");
  json.text("name", "umaskaudit");
  json.text("version", run.tool.substr(blank + 1));
  json.end_object();
  json.text("schemaUrl", SCHEMA);
  json.begin_array("logRecords");
  return text;
}

}  // namespace

OtlpBatches::OtlpBatches(const OtlpResource& resource, Sink sink)
    : head_(head_of(resource)), sink_(std::move(sink)) {}

bool OtlpBatches::add(const std::string& record) {
  const std::size_t bytes = text_.size() + record.size() + sizeof kTail;
  if (records_ != 0 && (records_ == kOtlpMostRecords || bytes > kOtlpMostBytes)) flush();
  text_ += records_ == 0 ? head_ : ",";
  text_ += record;
  ++records_;
  return open_;
}

bool OtlpBatches::flush() {
  if (records_ == 0) return open_;
  text_ += kTail;
  if (open_) open_ = sink_(std::move(text_), records_);
  text_.clear();
  records_ = 0;
  return open_;
}

std::uint64_t real_ns(const reader::Run& run, const rules::Finding& finding) {
  return run.real_ns(finding.culprit ? finding.culprit->time_ns : run.end_ns());
}

void export_otlp(const ExportSource& source, const OtlpResource& resource,
                 const OtlpBatches::Sink& sink) {
  const reader::Run& run = source.run;
  OtlpRecords records(source.stacks, resource.run);
  OtlpBatches batches(resource, sink);
  bool open = true;
  run.for_each_folded([&](const Event& event) {
    open = batches.add(records.of(event, run.real_ns(base_of(event).time_ns)));
    return open;
  });
  if (open && source.unaudited)
    open = batches.add(records.of(*source.unaudited, resource.run.started_real_ns));
  for (const rules::Finding& finding : source.findings)
    open = open && batches.add(records.of(finding, real_ns(run, finding)));
  if (open) batches.flush();
}

}  // namespace umaskaudit::exports
