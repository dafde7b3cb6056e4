// The C++ half of the wrappers that are written in assembly; see wrap_tail_calls.cc.
#pragma once

extern "C" {
// Take the wrapper's arguments and return the address to jump to with the same arguments. Hidden.
void* umaskaudit_route_syscall(long number, unsigned long a);
void* umaskaudit_route_vfork(void);
void* umaskaudit_route_clone(int (*start)(void*), void* stack, int flags);
void* umaskaudit_route_dlopen(const char* file, int mode);
void* umaskaudit_route_dlmopen(long name_space, const char* file, int mode);

// syscall(2) for the numbers of the table; errno and -1 as from the real one.
long umaskaudit_wrapped_syscall(long number, long a, long b, long c, long d, long e, long f);
}
