/* The public C API of libumaskaudit.so. Declare the functions weak and test them for null, and a
 * program runs with and without the preload (in position-independent code, the default):
 *
 *   #define UMASKAUDIT_WEAK
 *   #include <umaskaudit.h>
 *   if (umaskaudit_annotate) umaskaudit_annotate("loading plug-ins");
 */
#ifndef UMASKAUDIT_H
#define UMASKAUDIT_H

#include <sys/types.h>

#ifdef UMASKAUDIT_WEAK
#define UMASKAUDIT_API __attribute__((weak))
#else
#define UMASKAUDIT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The calling thread's file mode creation mask, without changing it: what glibc documents for the
 * Hurd (getumask(3)) and never shipped on Linux. Thread-safe and async-signal-safe. */
UMASKAUDIT_API mode_t getumask(void);

/* Puts a mark with this text (at most 1,000 bytes) into the trace, with the caller's stack.
 * Thread-safe and async-signal-safe. */
UMASKAUDIT_API void umaskaudit_annotate(const char* text);

/* Forces what was recorded so far to the disk. Records are safe from the program's own end without
 * it; this guards against the machine's. 0, or -1 with errno from msync(2). May block. */
UMASKAUDIT_API int umaskaudit_flush(void);

/* "0.1.0" */
UMASKAUDIT_API const char* umaskaudit_version(void);

#ifdef __cplusplus
}
#endif

#endif
