/* C functions that call the probe from plain and from inlined code.
   Must keep each call on one line: the line is what the test checks.
   Built into the victims of meson.build. */
#include "tests/unit/symbolize/probe.h"

INLINED int c_leaf(Probe* probe) { return HERE(probe); }

INLINED int c_middle(Probe* probe) { return CALL(probe, c_leaf(probe)) + 1; }

static REAL_CALL int c_static(Probe* probe) { return CALL(probe, c_middle(probe)) + 2; }

static REAL_CALL int c_branches(Probe* probe, int value) {
  if (value > 0) {
    int twice = value * 2;
    return CALL(probe, c_leaf(probe)) + twice;
  }
  return HERE(probe) - 1;
}

int run_c_victim(Probe* probe) {
  int sum = c_static(probe);
  sum += c_branches(probe, 1);
  sum += c_branches(probe, -1);
  return sum + HERE(probe);
}
