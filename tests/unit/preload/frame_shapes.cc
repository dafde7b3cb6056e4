// See frame_shapes.h.

#include "frame_shapes.h"

#include <alloca.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>

namespace umaskaudit::testing_support {

namespace {

Probe the_probe;  // for callbacks without an argument of ours

// Behind every probe: the call must not become a jump, nor the buffer go away.
void keep(void* memory) { asm volatile("" : : "r"(memory) : "memory"); }

[[gnu::noinline]] void small_frame(Probe probe) {
  probe();
  keep(nullptr);
}

[[gnu::noinline]] int recursion(int depth, Probe probe) {
  if (depth == 0) {
    probe();
    keep(nullptr);
    return 1;
  }
  int below = recursion(depth - 1, probe);
  keep(&below);
  return below + depth;
}
void deep_recursion(Probe probe) { recursion(200, probe); }

[[gnu::noinline]] void large_frame(Probe probe) {
  char buffer[100000];
  keep(buffer);
  probe();
  keep(buffer);
}

[[gnu::noinline]] void alloca_of(std::size_t size, Probe probe) {
  auto* buffer = static_cast<char*>(alloca(size));
  memset(buffer, 1, size);
  keep(buffer);
  probe();
  keep(buffer);
}
void alloca_frame(Probe probe) { alloca_of(12345, probe); }

[[gnu::noinline]] void realigned_frame(Probe probe) {
  alignas(64) char buffer[100];
  keep(buffer);
  probe();
  keep(buffer);
}

[[gnu::noinline]] void realigned_alloca_of(std::size_t size, Probe probe) {
  alignas(128) char buffer[64];
  auto* more = static_cast<char*>(alloca(size));
  keep(buffer);
  keep(more);
  probe();
  keep(buffer);
}
void realigned_alloca_frame(Probe probe) { realigned_alloca_of(333, probe); }

// More arguments than registers: the stack pointer moves around the call.
[[gnu::noinline]] long many_arguments(long a, long b, long c, long d, long e, long f, long g,
                                      long h, long i, Probe probe) {
  probe();
  keep(&i);
  return a + b + c + d + e + f + g + h + i;
}
void pushed_arguments(Probe probe) {
  long sum = many_arguments(1, 2, 3, 4, 5, 6, 7, 8, 9, probe);
  keep(&sum);
}

// All callee-saved registers in use.
[[gnu::noinline]] void saved_registers(Probe probe) {
  long a = 1;
  long b = 2;
  long c = 3;
  long d = 4;
  long e = 5;
  asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
  probe();
  asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
}

void std_function(Probe probe) {
  const std::function<void()> inner = [probe] {
    probe();
    keep(nullptr);
  };
  const std::function<void()> outer = [&] {
    inner();
    keep(nullptr);
  };
  outer();
  keep(nullptr);
}

int compare(const void* a, const void* b) {
  if (the_probe != nullptr) {
    const Probe once = the_probe;
    the_probe = nullptr;
    once();
  }
  return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}
void qsort_callback(Probe probe) {
  int numbers[] = {5, 3, 9, 1, 7, 2, 8};
  the_probe = probe;
  qsort(numbers, 7, sizeof numbers[0], compare);
  keep(numbers);
}

struct Base {
  virtual ~Base() = default;
  virtual void run(Probe probe) = 0;
};
struct Derived final : Base {
  void run(Probe probe) override {
    probe();
    keep(this);
  }
};
[[gnu::noinline]] void virtual_call_of(Base& object, Probe probe) {
  object.run(probe);
  keep(&object);
}
void virtual_call(Probe probe) {
  Derived object;
  virtual_call_of(object, probe);
}

// A destructor that runs while an exception passes: below it are frames of the C++ runtime.
struct OnTheWayOut {
  Probe probe;
  ~OnTheWayOut() {
    probe();
    keep(this);
  }
};
[[gnu::noinline]] void throwing(Probe probe) {
  const OnTheWayOut guard{probe};
  throw std::runtime_error("passes");
}
void exception_cleanup(Probe probe) {
  try {
    throwing(probe);
  } catch (const std::runtime_error&) {
    keep(nullptr);
  }
}

// Called back from the middle of libc's stdio.
ssize_t write_callback(void*, const char*, std::size_t size) {
  the_probe();
  keep(nullptr);
  return static_cast<ssize_t>(size);
}
void stdio_callback(Probe probe) {
  the_probe = probe;
  std::FILE* stream = fopencookie(nullptr, "w", {nullptr, write_callback, nullptr, nullptr});
  setvbuf(stream, nullptr, _IONBF, 0);
  fputs("x", stream);
  fclose(stream);
}

}  // namespace

extern const FrameShape SHAPES[] = {
    {"small frame", small_frame},
    {"deep recursion", deep_recursion},
    {"large frame", large_frame},
    {"alloca", alloca_frame},
    {"realigned stack", realigned_frame},
    {"realigned stack and alloca", realigned_alloca_frame},
    {"pushed arguments", pushed_arguments},
    {"saved registers", saved_registers},
    {"std::function", std_function},
    {"qsort", qsort_callback},
    {"virtual call", virtual_call},
    {"exception", exception_cleanup},
    {"stdio", stdio_callback},
};
#ifdef COUNT_SHAPES
const unsigned kShapeCount = sizeof SHAPES / sizeof SHAPES[0];
#endif

}  // namespace umaskaudit::testing_support
