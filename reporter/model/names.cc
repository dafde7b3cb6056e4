// The words for the enumerations of the trace, as the JSON schema and the text reports spell them.
// Must never meet a value it has no word for: a damaged byte is named "unknown".
// Called by renderers, rules and the command line.
#include <algorithm>
#include <iterator>

#include "preload/trace/blind.h"
#include "reporter/model/events.h"

namespace umaskaudit {
namespace {

struct BlindWords {
  trace::Blind reason;
  const char* name;
  const char* advice;
};

// Those that are not in the enumeration.
constexpr BlindWords kLaterBlind[] = {
    {trace::kGoRuntime, "go-runtime",
     "a Go program makes its system calls by itself: what its C parts do is seen, what Go "
     "does is not; compare with strace -f"},
    {trace::kExecLibc, "exec-libc",
     "a program that brings a C library of its own, too old or another one, cannot load the "
     "library: it ran without, and nothing it created was seen"},
    {trace::kExecLibrary, "exec-library",
     "the library was not there, or could not be read, where the program started (another "
     "root, another user): it ran without; make its path readable there"},
    {trace::kExecRunDirectory, "exec-run-directory",
     "the program could not write into the run directory (another user, another root), so "
     "it ran without the library; record it as that user"},
    {trace::kExecSilent, "exec-silent",
     "a program was started and never announced itself: it ended before it could, or what "
     "started it dropped LD_PRELOAD; nothing that it did is recorded"},
};

const BlindWords* later_words(trace::Blind reason) {
  const auto* found = std::find_if(std::begin(kLaterBlind), std::end(kLaterBlind),
                                   [&](const BlindWords& row) { return row.reason == reason; });
  return found == std::end(kLaterBlind) ? nullptr : found;
}

}  // namespace

const char* kind_name(trace::Kind kind) {
  switch (kind) {
    case trace::Kind::unknown:
      return "unknown";
    case trace::Kind::file:
      return "file";
    case trace::Kind::dir:
      return "dir";
    case trace::Kind::fifo:
      return "fifo";
    case trace::Kind::socket:
      return "socket";
    case trace::Kind::mqueue:
      return "mqueue";
    case trace::Kind::shm:
      return "shm";
    case trace::Kind::sem:
      return "sem";
    case trace::Kind::chardev:
      return "chardev";
    case trace::Kind::blockdev:
      return "blockdev";
    case trace::Kind::tmpfile:
      return "tmpfile";
  }
  return "unknown";
}

const char* origin_name(trace::Origin origin) {
  switch (origin) {
    case trace::Origin::unknown:
      return "unknown";
    case trace::Origin::exec:
      return "exec";
    case trace::Origin::fork:
      return "fork";
    case trace::Origin::vfork:
      return "vfork";
    case trace::Origin::clone:
      return "clone";
    case trace::Origin::unshare:
      return "unshare";
    case trace::Origin::clone_fs:
      return "clone-fs";
  }
  return "unknown";
}

const char* mask_source_name(trace::MaskSource source) {
  switch (source) {
    case trace::MaskSource::unknown:
      return "unknown";
    case trace::MaskSource::proc:
      return "proc";
    case trace::MaskSource::child:
      return "child";
    case trace::MaskSource::probe:
      return "probe";
    case trace::MaskSource::inherited:
      return "inherited";
    case trace::MaskSource::returned:
      return "returned";
  }
  return "unknown";
}

const char* blind_name(trace::Blind reason) {
  if (const BlindWords* words = later_words(reason)) return words->name;
  switch (reason) {
    case trace::Blind::other:
      return "other";
    case trace::Blind::exec_static:
      return "exec-static";
    case trace::Blind::exec_privileged:
      return "exec-privileged";
    case trace::Blind::exec_environment:
      return "exec-environment";
    case trace::Blind::deepbind:
      return "deepbind";
    case trace::Blind::dlmopen:
      return "dlmopen";
    case trace::Blind::io_uring:
      return "io-uring";
    case trace::Blind::seccomp:
      return "seccomp";
    case trace::Blind::raw_clone:
      return "raw-clone";
    case trace::Blind::no_mask:
      return "no-mask";
    case trace::Blind::exec_abi:
      return "exec-abi";
    case trace::Blind::untracked_chroot:
      return "untracked-chroot";
  }
  return "other";
}

const char* blind_advice(trace::Blind reason) {
  if (const BlindWords* words = later_words(reason)) return words->advice;
  switch (reason) {
    case trace::Blind::other:
      return "something here could not be followed; compare with strace -f where it matters";
    case trace::Blind::exec_static:
      return "a static program loads no libraries, so nothing it created was seen; "
             "audit a dynamically linked build of it";
    case trace::Blind::exec_privileged:
      return "a set-user-ID or otherwise privileged program drops LD_PRELOAD; "
             "run it directly as the user it becomes";
    case trace::Blind::exec_environment:
      return "the program was started with an environment that drops the library; "
             "record with follow=yes";
    case trace::Blind::deepbind:
      return "a library opened with RTLD_DEEPBIND calls libc past the audit; "
             "its creations and mask changes are missing";
    case trace::Blind::dlmopen:
      return "a library in a link namespace of its own has its own libc; "
             "its creations and mask changes are missing";
    case trace::Blind::io_uring:
      return "requests handed to io_uring run in the kernel unseen; "
             "disable io_uring in the program for the audit";
    case trace::Blind::seccomp:
      return "a seccomp filter bars calls the audit needs; what came after it may be incomplete";
    case trace::Blind::raw_clone:
      return "a process or thread was made by clone, and the kernel did not say whose mask it has "
             "(kcmp, barred by seccomp or another user's); its masks may be wrong";
    case trace::Blind::no_mask:
      return "the mask at the start could not be read; mount /proc to make it known";
    case trace::Blind::exec_abi:
      return "a program for another machine or word size cannot load the library, so nothing it "
             "created was seen; audit a build for this one";
    case trace::Blind::untracked_chroot:
      return "the root directory changed; absolute paths after it are relative to the new root";
  }
  return "something here could not be followed";
}

}  // namespace umaskaudit
