// A library that makes a system call by itself; see hazards/inline_calls.cc.
#include "../inline_calls.h"

extern "C" long inlined_mkdirat(const char* path) { return inlined::mkdirat(path); }
