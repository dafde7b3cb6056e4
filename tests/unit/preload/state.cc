// The shim's process and thread state without the shim: init.cc would start recording this test.
// Linked into the tests that take single objects of the shim.

#include "preload/state.h"

#include "preload/fork_guard.h"

namespace umaskaudit::shim {

constinit Process process;
constinit thread_local ThreadState thread_state;

namespace {
std::uint32_t intact = 1;
}
volatile std::uint32_t* fork_guard = &intact;
void adopt_unseen_fork() {}

}  // namespace umaskaudit::shim
