"""The main question: which thread changed the umask, and why did this file come out like that?"""

import re
from collections import Counter
from pathlib import Path

from lib import harness
from lib.harness import Case, truths_of, victim

SOURCE = Path(__file__).parent.parent / "programs" / "hazards" / "threads_umask.cc"


def line_of(text):
    """The number of the one source line that holds `text`."""
    numbers = [number for number, line in enumerate(SOURCE.read_text().splitlines(), 1)
               if text in line]
    assert len(numbers) == 1, text
    return numbers[0]


class RacyProgram(Case):
    def test_every_file_and_every_change_of_a_long_race(self):
        # Without other work between the windows the report would be gigabytes.
        self.explain(20000, 20000)

    def test_every_file_and_every_change_of_a_free_race(self):
        self.explain(500)

    def explain(self, files, *work):
        result, run = self.record(victim("threads_umask"), self.work, files, *work)
        report = self.report(run)
        truths = truths_of(result)
        setter = truths.pop()
        self.assertEqual(len(truths), files)

        self.check_truths(report, truths)
        for event in report.of("create"):
            self.check_candidates(event)

        changes = report.of("umask", tid=setter["tid"])
        self.assertEqual(len(changes), setter["umask_calls"])
        self.assertEqual({event["thread"] for event in changes}, {"setter"})
        self.check_lines(changes)
        self.check_chain(report)

        modes = Counter(truth["final"] for truth in truths)
        self.assertEqual(set(modes) - {"0600", "0666"}, set())

    def check_candidates(self, event):
        """One of the masks that may have been in force gives the mode that fstat found."""
        masks = event.get("ambiguous_masks", [event["mask"]])
        self.assertIn(int(event["final"], 8),
                      [int(event["requested"], 8) & ~int(mask, 8) for mask in masks], event)
        self.assertIn(event["mask"], masks)

    def check_lines(self, changes):
        opening = line_of("// the window opens")
        closing = line_of("// and closes")
        for event in changes:
            frame = event["stack"][0]
            self.assertRegex(frame["symbol"], r"toggle_until_done")
            self.assertTrue(re.search(r"threads_umask\.cc$", frame["file"]), frame)
            expected = opening if event["argument"] == "0000" else closing
            # umask(0) may also be what the other line restores when the window was found open.
            self.assertIn(frame["line"], {expected, closing}, event)

    def check_chain(self, report):
        """The kernel's old value is the new one of the change before: nothing was missed."""
        last = {}
        # Those that were folded stand for many, but each for the same.
        for event in report.events:
            if event["type"] != "umask":
                continue
            if event["fs"] in last:
                self.assertEqual(event["old"], last[event["fs"]], event)
            self.assertFalse(event["drift"], event)
            last[event["fs"]] = event["new"]


class RacingCreators(Case):
    def test_exactly_one_creation_a_name_by_the_right_thread(self):
        result, run = self.record(victim("racing_creators"), self.work, 500)
        report = self.report(run)
        self.check_truths(report, truths_of(result))
        self.assertEqual(len(report.of("create", call="open")), 8 * 500)
        self.assertEqual(len(report.of("create", call="open", created=True)), 500)
        self.assertEqual(report.of("create", created="unknown"), [])


if __name__ == "__main__":
    harness.main()
