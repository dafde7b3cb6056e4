// C++ functions that call the probe: namespaces, classes, templates, lambdas, internal linkage.
// Must keep each call on one line: the line is what the test checks.
// Built into the victims of meson.build.
#include "tests/unit/symbolize/probe.h"

namespace zoo {

INLINED int leaf(Probe* probe) { return HERE(probe); }

template <typename T>
INLINED T through(Probe* probe, T value) {
  return CALL(probe, leaf(probe)) + value;
}

class Keeper {
 public:
  explicit Keeper(Probe* probe) : probe_(probe) {}
  REAL_CALL int feed(int times);

 private:
  Probe* probe_;
};

int Keeper::feed(int times) { return CALL(probe_, through<int>(probe_, times)) + 1; }

namespace {

struct Hidden {
  __attribute__((always_inline)) int inlined(Probe* probe) { return HERE(probe); }
};

REAL_CALL int hidden_function(Probe* probe) { return CALL(probe, Hidden{}.inlined(probe)) + 1; }

REAL_CALL int with_lambda(Probe* probe) {
  // NOLINTNEXTLINE(bugprone-lambda-function-name): the lambda's own name is meant.
  auto lambda = [probe]() __attribute__((noinline)) { return HERE(probe) + 3; };
  return lambda() + 1;
}

}  // namespace
}  // namespace zoo

extern "C" int run_cxx_victim(Probe* probe) {
  int sum = zoo::Keeper(probe).feed(2);
  sum += zoo::hidden_function(probe);
  sum += zoo::with_lambda(probe);
  return sum + HERE(probe);
}
