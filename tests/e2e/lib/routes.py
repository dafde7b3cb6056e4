"""The victim `routes`, recorded somewhere: its lines of ground truth are the run's creations.

Must never pass over a creation: the lists are compared whole and in order. Called by the tests of
routes and of filesystems.
"""

import os

from lib import harness
from lib.harness import Case, truths_of, victim

FIELDS = ("call", "kind", "path", "requested", "mask", "final", "created", "errno", "thread", "tid",
          "ino")
MASKS = {"0022", "0077", "0000", "0137", "0702"}
NOBODY = 65534


class RoutesCase(Case):
    def check_routes(self, place, user=None):
        """Records all routes below `place`, as `user` or as we are; returns the report."""
        options = {}
        refusal = harness.no_shared_memory_for_all()
        if refusal and (user is not None or os.geteuid() != 0):
            self.skipTest(refusal)
        if user is not None:
            if os.geteuid() != 0:
                self.skipTest("needs root to become somebody else")
            options = {"user": user, "group": user, "extra_groups": []}
            os.chown(place, user, user)
            self.top.chmod(0o777)
        result, run = self.record(victim("routes"), place, **options)
        truths = truths_of(result)
        self.assertGreater(len(truths), 400)
        self.assertEqual({truth["mask"] for truth in truths}, MASKS)
        report = self.report(run)
        events = report.of("create")
        for truth, event in zip(truths, events):
            self.check_route(truth, event)
        self.assertEqual([event["path"] for event in events[len(truths):]], [])
        self.assertEqual(len(events), len(truths))
        return report

    def check_route(self, truth, event):
        # A library may use either of two names; what failed has no object.
        if event["call"] in truth["call"].split("|"):
            truth["call"] = event["call"]
        fields = [field for field in FIELDS if field in truth]
        self.assertEqual({field: event.get(field) for field in fields},
                         {field: truth[field] for field in fields}, truth["route"])
