/* How a victim tells where it is: the compiler's own __func__ and __LINE__ are the ground truth.
   Must compile as C and as C++, and must not be optimised across: hit and enter are opaque.
   Used by the victims of this folder; victim_main.cc implements it. */
#ifndef UMASKAUDIT_TESTS_SYMBOLIZE_PROBE_H
#define UMASKAUDIT_TESTS_SYMBOLIZE_PROBE_H

typedef struct Probe {
  /* The innermost place: its return address is the sample. */
  int (*hit)(struct Probe* probe, const char* function, unsigned line);
  /* A place around it, from the outside in, on the line of the next call. */
  void (*enter)(struct Probe* probe, const char* function, unsigned line);
} Probe;

#define HERE(probe) ((probe)->hit((probe), __func__, __LINE__))
#define CALL(probe, call) ((probe)->enter((probe), __func__, __LINE__), (call))
#define INLINED static inline __attribute__((always_inline))
#define REAL_CALL __attribute__((noinline))

#ifdef __cplusplus
extern "C" {
#endif
/* Each victim library: takes all its samples. */
int run_c_victim(Probe* probe);
int run_cxx_victim(Probe* probe);
#ifdef __cplusplus
}
#endif

#endif
