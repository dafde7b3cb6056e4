// Reports blind spots; see blind_spot.h.

#include "preload/blind_spot.h"

#include "preload/livelog.h"
#include "preload/trace/blind.h"

namespace umaskaudit::shim {

namespace {

const char* describe(trace::Blind reason) {
  if (reason == trace::kGoRuntime) return "a Go program makes its system calls by itself";
  if (reason == trace::kExecLibc)
    return "a program with a C library that cannot load ours takes no preload";
  if (reason == trace::kExecLibrary)
    return "the library cannot be read there: the program starts without it";
  if (reason == trace::kExecRunDirectory)
    return "the program could not record: it starts without the library";
  switch (reason) {
    case trace::Blind::exec_static:
      return "a static program takes no preload";
    case trace::Blind::exec_privileged:
      return "a program with its owner's rights drops the preload";
    case trace::Blind::exec_environment:
      return "the environment was cleaned, and follow=no";
    case trace::Blind::deepbind:
      return "loaded with RTLD_DEEPBIND, binds past us";
    case trace::Blind::dlmopen:
      return "loaded into a name space of its own";
    case trace::Blind::io_uring:
      return "io_uring makes calls that no wrapper sees";
    case trace::Blind::seccomp:
      return "a seccomp filter is in force";
    case trace::Blind::raw_clone:
      return "a task made by clone has a mask that cannot be told";
    case trace::Blind::no_mask:
      return "the mask at the start cannot be read";
    case trace::Blind::exec_abi:
      return "a program for another machine or word size takes no preload";
    case trace::Blind::untracked_chroot:
      return "the root moved to where it has no name";
    case trace::Blind::other:
      break;
  }
  return "cannot be audited";
}

}  // namespace

void report_blind_spot(const Author& author, trace::Blind reason, Call call, std::uint32_t context,
                       std::uint32_t stack, const char* text, std::uint32_t length) {
  trace::BlindSpot record{};
  record.reason = static_cast<std::uint16_t>(reason);
  record.call = static_cast<std::uint16_t>(call);
  record.context = context;
  record.stack = stack;
  record.text_length = length;
  write_record(trace::RecordType::blind_spot, author, record, {text, length});
  if (process.log) log_blind_spot(author, describe(reason), text, length);
}

}  // namespace umaskaudit::shim
