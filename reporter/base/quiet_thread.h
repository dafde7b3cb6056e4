// Threads that no signal interrupts.
// Must never leave another mask behind in the thread that starts one.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace umaskaudit {

// The thread inherits a mask of all signals: they are the starting thread's, which hands them on.
template <typename Function>
std::thread start_quiet_thread(Function function) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(function));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace umaskaudit
