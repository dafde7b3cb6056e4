// The reporter's parts, each alone, by Google Benchmark: the calculus, opening a run, walking over
// its events, finding. Must never be part of scripts/test.
// By hand: parts_reporter RUN [--benchmark_filter=...]; generate_trace makes a RUN.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>

#include "reporter/mode/calculus.h"
#include "reporter/reader/run.h"
#include "reporter/rules/find.h"

namespace umaskaudit {
namespace {

std::string run_directory;

reader::Run open_run() {
  Result<reader::Run> run = reader::Run::open(run_directory);
  if (!run) {
    std::fprintf(stderr, "parts_reporter: %s\n", run.error().what.c_str());
    std::exit(1);
  }
  return std::move(*run);
}

void count_events(benchmark::State& state, std::uint64_t events) {
  state.counters["events"] = benchmark::Counter(static_cast<double>(events),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

void calculus(benchmark::State& state) {
  CreationFacts facts;
  facts.kind = trace::Kind::file;
  facts.call = "open";
  facts.requested = 0666;
  facts.masks = {0022};
  facts.final_mode = 0644;
  for (auto _ : state) benchmark::DoNotOptimize(derive(facts));
}
BENCHMARK(calculus);

void calculus_with_default_acl(benchmark::State& state) {
  CreationFacts facts;
  facts.kind = trace::Kind::dir;
  facts.call = "mkdir";
  facts.requested = 0777;
  facts.masks = {0077, 0022};
  facts.final_mode = 02770;
  facts.parent = ParentFacts{02770, 0, DefaultAcl{7, 7, 0, 7}, 0};
  for (auto _ : state) benchmark::DoNotOptimize(derive(facts));
}
BENCHMARK(calculus_with_default_acl);

void open_and_index(benchmark::State& state) {
  std::uint64_t records = 0;
  for (auto _ : state) records = open_run().completeness().records;
  count_events(state, records);
}
BENCHMARK(open_and_index)->Unit(benchmark::kMillisecond);

void walk_events(benchmark::State& state) {
  const reader::Run run = open_run();
  std::uint64_t events = 0;
  for (auto _ : state) {
    events = 0;
    run.for_each([&](const Event&) { return ++events != 0; });
  }
  count_events(state, events);
}
BENCHMARK(walk_events)->Unit(benchmark::kMillisecond);

void find_findings(benchmark::State& state) {
  const reader::Run run = open_run();
  for (auto _ : state) benchmark::DoNotOptimize(rules::find(run, rules::FindOptions{}));
  count_events(state, run.completeness().records);
}
BENCHMARK(find_findings)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace umaskaudit

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 2) {
    std::fputs("usage: parts_reporter RUN [--benchmark_filter=REGEX]\n", stderr);
    return 2;
  }
  umaskaudit::run_directory = argv[1];
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
