// The shim's process and thread state without the shim: init.cc would start recording this test.
// Linked into the tests that take single objects of the shim.

#include "preload/state.h"

#include "preload/log/blind_spot.h"
#include "preload/script/script.h"
#include "preload/sys/fork_guard.h"

namespace umaskaudit::shim {

constinit Process process;
constinit thread_local ThreadState thread_state;

namespace {
std::uint32_t intact = 1;
}
volatile std::uint32_t* fork_guard = &intact;
void adopt_unseen_fork() {}
void report_blind_spot(const Author&, trace::Blind, Call, std::uint32_t, std::uint32_t, const char*,
                       std::uint32_t) {}

// No test of single objects runs a script.
void meet_module(const Author&, const NewModule&) {}
Shown runtime_of_frame(std::uint32_t, std::uintptr_t) { return {}; }
bool find_linked_code(const Author&, std::uint32_t, std::uintptr_t) { return false; }
std::uint32_t add_script(const Author&, std::uint32_t native, const ScriptQuestion&) {
  return native;
}

}  // namespace umaskaudit::shim
