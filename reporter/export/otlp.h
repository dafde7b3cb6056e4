// A run as log records of OpenTelemetry: OTLP's JSON, an ExportLogsServiceRequest a line.
// Must never put a value under a name of the semantic conventions that they define otherwise: ours
// are below "umaskaudit". Called by `export --format otlp` and by the live watch.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "reporter/export/event_facts.h"
#include "reporter/export/record_id.h"
#include "reporter/export/source.h"
#include "reporter/render/formats/jsonl.h"

namespace umaskaudit::exports {

// Who the records are from.
struct OtlpResource {
  render::RunLine run;
  std::string service;  // service.name; empty: the program's name
  // What the user says of it; stands instead of an attribute of ours with the same key.
  std::vector<std::pair<std::string, std::string>> attributes;
};

// The records of one run, each as a JSON object. Grows with processes and distinct stacks.
class OtlpRecords {
 public:
  OtlpRecords(analysis::StackCache& stacks, const render::RunLine& run);

  // `real_ns`: CLOCK_REALTIME of the event. Events must come in the order of a reading.
  std::string of(const Event& event, std::uint64_t real_ns);
  // Programs that the findings name must have been seen, as events or by themselves.
  std::string of(const rules::Finding& finding, std::uint64_t real_ns);
  void see(const ProcessEvent& process) { programs_.see(process); }

 private:
  RecordId id_of(const Event& event);
  void who(class OtlpAttributes& attributes, std::uint32_t pid, std::uint32_t tid,
           std::string_view thread);
  void where(class OtlpAttributes& attributes, StackRef stack);

  analysis::StackCache& stacks_;
  LatestImages programs_;
  RecordId machine_;  // of the boot of the machine
  RecordId run_;
  std::uint64_t latest_ns_ = 0;
  std::vector<RecordId> of_latest_;  // ids of that moment
};

// Of one request: few enough that a collector takes it, and that a reader of lines holds one.
inline constexpr std::size_t kOtlpMostRecords = 512;
inline constexpr std::size_t kOtlpMostBytes = 512 << 10;  // but for a record that is larger alone

// Gathers records to requests.
class OtlpBatches {
 public:
  // Receives a request and how many records are in it. False: stop.
  using Sink = std::function<bool(std::string request, std::size_t records)>;
  OtlpBatches(const OtlpResource& resource, Sink sink);

  // False: the sink wants no more.
  bool add(const std::string& record);
  // What was gathered, if anything.
  bool flush();
  bool empty() const { return records_ == 0; }

 private:
  std::string head_;  // of each request, up to the records
  Sink sink_;
  std::string text_;
  std::size_t records_ = 0;
  bool open_ = true;
};

// CLOCK_REALTIME of a finding: that of its culprit, or of the end.
std::uint64_t real_ns(const reader::Run& run, const rules::Finding& finding);

// All events, mask changes folded, and then the findings.
void export_otlp(const ExportSource& source, const OtlpResource& resource,
                 const OtlpBatches::Sink& sink);

}  // namespace umaskaudit::exports
