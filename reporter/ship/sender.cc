#include "reporter/ship/sender.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "reporter/base/quiet_thread.h"
#include "reporter/ship/delivery.h"
#include "reporter/ship/http_client.h"

namespace umaskaudit::ship {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Request {
  std::string text;
  std::uint64_t records = 0;
};

milliseconds until(Clock::time_point when) {
  return std::chrono::ceil<milliseconds>(when - Clock::now());
}

}  // namespace

struct Sender::State {
  State(const Endpoint& to, const SenderLimits& given) : endpoint(to), limits(given) {}

  const Endpoint endpoint;
  const SenderLimits limits;
  std::unique_ptr<HttpClient> client;
  std::minstd_rand chance{std::random_device{}()};
  std::thread thread;

  std::mutex mutex;
  std::condition_variable changed;
  // Of the mutex: all below.
  std::deque<Request> waiting;  // the first of them is being sent
  std::size_t bytes = 0;
  Shipped shipped;
  bool over = false;    // nothing more will come
  bool failed = false;  // a request was not taken
  std::optional<Clock::time_point> deadline;

  std::string latest;  // what a try of the first of them brought

  void send_all();
  Delivery send(const Request& request);
  std::optional<Clock::time_point> last_time(Clock::time_point begin) const;
  bool wait(std::unique_lock<std::mutex>& lock, Clock::time_point begin, milliseconds pause,
            bool asked_for);
  void settle(const Request& request, const Delivery& delivery);
  void enqueue(Request request);
  void lose(std::uint64_t* count, std::uint64_t records, const std::string& why);
};

void Sender::State::enqueue(Request request) {
  bytes += request.text.size();
  waiting.push_back(std::move(request));
  changed.notify_all();
}

void Sender::State::lose(std::uint64_t* count, std::uint64_t records, const std::string& why) {
  *count += records;
  if (shipped.trouble.empty()) shipped.trouble = why;
}

void Sender::State::send_all() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return over || !waiting.empty(); });
    if (waiting.empty()) return;
    const Request& request = waiting.front();  // only this thread removes it
    const bool in_vain = failed && limits.patience.count() != 0;
    lock.unlock();
    const Delivery delivery = in_vain ? Delivery{DeliveryOutcome::again, 0, ""} : send(request);
    lock.lock();
    settle(request, delivery);
    bytes -= request.text.size();
    waiting.pop_front();
    changed.notify_all();
  }
}

// When a request is given up whose first try was at `begin`.
std::optional<Clock::time_point> Sender::State::last_time(Clock::time_point begin) const {
  if (limits.patience.count() == 0) return deadline;
  const auto end = begin + limits.patience;
  return deadline ? std::min(*deadline, end) : end;
}

// Tries until it is taken or refused, or there is no more time: that is `again`.
Delivery Sender::State::send(const Request& request) {
  const auto begin = Clock::now();
  const auto give_up = [this] {
    const std::lock_guard guard(mutex);
    return deadline && Clock::now() >= *deadline;
  };
  for (unsigned tries = 1;; ++tries) {
    std::unique_lock lock(mutex);
    const std::optional<Clock::time_point> last = last_time(begin);
    const std::string trouble = latest;
    lock.unlock();
    if (last && until(*last).count() <= 0) return {DeliveryOutcome::again, 0, trouble};
    const milliseconds most = last ? until(*last) : endpoint.timeout;
    const HttpAnswer answer = client->post(request.text, std::min(most, endpoint.timeout), give_up);
    Delivery delivery = judge_answer(answer, request.records);
    if (delivery.outcome != DeliveryOutcome::again) return delivery;
    lock.lock();
    latest = delivery.message;
    const milliseconds pause = pause_before_retry(tries, answer.retry_after, chance());
    if (!wait(lock, begin, pause, answer.retry_after.has_value())) return delivery;
  }
}

// False: there is no time for another try. end_in() shortens a pause that the server did not ask
// for.
bool Sender::State::wait(std::unique_lock<std::mutex>& lock, Clock::time_point begin,
                         milliseconds pause, bool asked_for) {
  const auto end = Clock::now() + pause;
  const bool was_over = over;
  while (true) {
    const std::optional<Clock::time_point> last = last_time(begin);
    if (over && !was_over && !asked_for) return true;
    if (last && end >= *last) return false;
    if (Clock::now() >= end) return true;
    changed.wait_until(lock, end);
  }
}

void Sender::State::settle(const Request& request, const Delivery& delivery) {
  switch (delivery.outcome) {
    case DeliveryOutcome::taken:
      latest.clear();
      if (delivery.rejected != 0)
        lose(&shipped.rejected, delivery.rejected, delivery.message);
      else if (shipped.warning.empty())
        shipped.warning = delivery.message;
      return;
    case DeliveryOutcome::refused:
      lose(&shipped.rejected, request.records, delivery.message);
      failed = true;
      return;
    case DeliveryOutcome::again:
      lose(&shipped.dropped, request.records, delivery.message);
      failed = true;
      return;
  }
}

Sender::Sender(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Sender>> Sender::open(const Endpoint& endpoint, const std::string& agent,
                                             const SenderLimits& limits) {
  auto state = std::make_unique<State>(endpoint, limits);
  Result<std::unique_ptr<HttpClient>> client = HttpClient::open(endpoint, agent);
  if (!client) return client.error();
  state->client = std::move(*client);
  return std::unique_ptr<Sender>(new Sender(std::move(state)));
}

Sender::~Sender() {
  end_in(milliseconds(1));
  finish();
}

void Sender::start() {
  state_->thread = start_quiet_thread([state = state_.get()] { state->send_all(); });
}

void Sender::offer(std::string request, std::uint64_t records) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  state.shipped.given += records;
  if (!state.waiting.empty() && state.bytes + request.size() > state.limits.most_bytes)
    state.lose(&state.shipped.dropped, records,
               state.latest.empty() ? "the collector is too slow" : state.latest);
  else
    state.enqueue({std::move(request), records});
}

bool Sender::put(std::string request, std::uint64_t records) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  state.changed.wait(lock, [&] {
    return state.failed || state.waiting.empty() ||
           state.bytes + request.size() <= state.limits.most_bytes;
  });
  if (state.failed) return false;
  state.shipped.given += records;
  state.enqueue({std::move(request), records});
  return true;
}

void Sender::end_in(milliseconds limit) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  state.over = true;
  if (limit.count() != 0) state.deadline = Clock::now() + limit;
  state.changed.notify_all();
}

Shipped Sender::finish() {
  State& state = *state_;
  if (state.thread.joinable()) state.thread.join();
  for (const Request& request : state.waiting) state.shipped.dropped += request.records;
  return std::move(state.shipped);
}

const std::string& Sender::url() const { return state_->endpoint.url; }

}  // namespace umaskaudit::ship
