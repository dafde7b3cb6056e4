#include "reporter/live/live_ship.h"

#include <utility>

#include "reporter/text/time_text.h"

namespace umaskaudit::live {
namespace {

constexpr char kWord[] = "otlp";
constexpr std::size_t kMostWaiting = 16 << 20;  // bytes for each collector
constexpr std::chrono::seconds kGather{1};

// What became of the records, where that is not what was wished for.
std::string trouble_of(const ship::Shipped& shipped, const std::string& url) {
  if (shipped.lost() == 0)
    return shipped.warning.empty() ? "" : "the collector at " + url + " says: " + shipped.warning;
  std::string text = grouped(shipped.lost()) + " of " + grouped(shipped.given) +
                     " records did not reach " + url + ": ";
  if (shipped.rejected != 0) text += grouped(shipped.rejected) + " were rejected, ";
  if (shipped.dropped != 0) text += grouped(shipped.dropped) + " were dropped, ";
  return text + "first because of '" + shipped.trouble + "'";
}

}  // namespace

bool is_collector(const std::string& word) {
  return word == kWord || word.rfind(kWord + std::string(":"), 0) == 0;
}

std::string collector_url(const std::string& word) {
  return word.size() < sizeof kWord ? "" : word.substr(sizeof kWord);
}

Result<std::unique_ptr<LiveShip>> LiveShip::open(const std::vector<ship::Endpoint>& endpoints,
                                                 const std::string& agent,
                                                 exports::OtlpResource resource) {
  auto ship = std::make_unique<LiveShip>();
  ship->resource_ = std::move(resource);
  for (const ship::Endpoint& endpoint : endpoints) {
    Result<std::unique_ptr<ship::Sender>> sender =
        ship::Sender::open(endpoint, agent, {kMostWaiting, {}});
    if (!sender) return sender.error();
    ship->ways_.push_back({std::move(*sender), endpoint.timeout});
  }
  return ship;
}

void LiveShip::start() {
  for (const Way& way : ways_) way.sender->start();
}

const render::RunLine& LiveShip::is_of(const render::RunLine& run) {
  if (!batches_) resource_.run = run;
  return resource_.run;
}

void LiveShip::add(const std::string& record) {
  if (!batches_)
    batches_.emplace(resource_, [this](const std::string& request, std::size_t records) {
      for (const Way& way : ways_) way.sender->offer(request, records);
      return true;
    });
  if (batches_->empty()) oldest_ = Clock::now();
  batches_->add(record);
}

void LiveShip::tick() {
  if (batches_ && Clock::now() - oldest_ >= kGather) batches_->flush();
}

std::vector<std::string> LiveShip::finish() {
  if (batches_) batches_->flush();
  std::vector<std::string> lines;
  for (const Way& way : ways_) way.sender->end_in(way.limit);
  for (const Way& way : ways_) {
    const std::string text = trouble_of(way.sender->finish(), way.sender->url());
    if (!text.empty()) lines.push_back(text);
  }
  return lines;
}

}  // namespace umaskaudit::live
