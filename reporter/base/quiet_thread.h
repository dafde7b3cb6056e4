// Starts threads that receive no signals.
// Must never change the signal mask of the starting thread.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace umaskaudit {

// The thread inherits a mask of all signals, so the starting thread handles them.
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
