// Turns the columns of a row into a Request.
#pragma once

#include "preload/hooks/shapes.h"
#include "preload/trace/object_facts.h"

namespace umaskaudit::shim {

// The kind column: a trace::Kind by name, or `node`, which the mode decides (mknod(2)).
namespace column {
using enum trace::Kind;
struct Node {};
inline constexpr Node node;  // NOLINT(readability-identifier-naming): a column of the table
}  // namespace column
constexpr trace::Kind kind_for(trace::Kind kind, mode_t) { return kind; }
inline trace::Kind kind_for(column::Node, mode_t mode) { return trace::kind_of_type(mode); }

}  // namespace umaskaudit::shim

// Macro parameters are in capitals: the lower-case names in a row are the wrapper's parameters.
#define UMASKAUDIT_REQUEST(NAME, KIND, DIRFD, PATH, FLAGS, MODE, STACK)                            \
  ::umaskaudit::shim::Request {                                                                    \
    ::umaskaudit::shim::Call::NAME,                                                                \
        ::umaskaudit::shim::kind_for(::umaskaudit::shim::column::KIND, static_cast<mode_t>(MODE)), \
        DIRFD, PATH, FLAGS, static_cast<unsigned>(MODE), STACK                                     \
  }
