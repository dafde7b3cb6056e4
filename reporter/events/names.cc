// The names of the trace's enumerators in the JSON schema and the text reports.
// An unknown value, of a damaged byte, is named "unknown".
#include "reporter/events/events.h"
#include "reporter/events/script_stack.h"

namespace umaskaudit {
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
  switch (reason) {
#define BLIND_SPOT(identifier, number, name, ...) \
  case trace::Blind::identifier:                  \
    return name;
#include "preload/trace/blind_spots.def"
#undef BLIND_SPOT
  }
  return "other";
}

const char* blind_advice(trace::Blind reason) {
  switch (reason) {
#define BLIND_SPOT(identifier, number, name, log, advice) \
  case trace::Blind::identifier:                          \
    return advice;
#include "preload/trace/blind_spots.def"
#undef BLIND_SPOT
  }
  return "something here could not be followed";
}

ScriptPlacement placement_of(trace::Language language) {
  switch (language) {
#define LANGUAGE(identifier, number, name, placement) \
  case trace::Language::identifier:                   \
    return ScriptPlacement::placement;
#include "preload/trace/languages.def"
#undef LANGUAGE
  }
  return ScriptPlacement::first;
}

const char* language_name(trace::Language language) {
  switch (language) {
#define LANGUAGE(identifier, number, name, ...) \
  case trace::Language::identifier:             \
    return name;
#include "preload/trace/languages.def"
#undef LANGUAGE
  }
  return "";
}

const char* change_name(const RenameEvent& event) {
  switch (event.action) {
    case RenameEvent::Action::renamed:
      return event.exchange ? "exchange" : "rename";
    case RenameEvent::Action::linked:
      return "link";
    case RenameEvent::Action::unlinked:
      return "unlink";
    case RenameEvent::Action::symlinked:
      return "symlink";
  }
  return "rename";
}

const char* change_name(const ChmodEvent& event) {
  return event.acl == 1 ? "acl" : event.acl == 2 ? "default-acl" : "chmod";
}

}  // namespace umaskaudit
