// One synthetic run with something of everything: what the golden files show.
// Must never depend on the machine: fixed times, ids and paths that exist nowhere.
// Called by the golden test and the tests of summary and filter.
#pragma once

#include "tests/unit/reader/segment_builder.h"

namespace umaskaudit::testing {

// "server" (pid 100): thread "toggler" 101 opens two windows (0022 -> 0000 -> 0022) while "writer"
// 102 creates objects in and between them; hostile names, an ambiguous mask, an opened file, a
// failed call, drift, a note, a chmod, a rename onto /srv/final, a forked child, a blind spot and
// lost records.
void write_fixture_run(const RunDirectory& directory);

}  // namespace umaskaudit::testing
