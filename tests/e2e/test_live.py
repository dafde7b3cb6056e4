"""A run as it happens: what a follower prints is what the report says afterwards."""

import collections
import json
import os
import signal
import subprocess
import time

import harness
from harness import Case, Report, victim

DEADLINE = 60  # seconds; reached only by a hang


def wait_until(true, what):
    """Waits on a condition, not on time."""
    end = time.monotonic() + DEADLINE
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(0.01)


class LiveCase(Case):
    def start(self, *words, **options):
        """A process in a session of its own, ended at the latest with the test."""
        options.setdefault("cwd", self.work)
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen([str(word) for word in words], start_new_session=True, **options)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

    def start_run(self, *command, options=()):
        """A recorded program, as soon as its run can be followed: (process, run)."""
        run = self.new_run()
        process = self.start(harness.TOOL, "run", "-o", run, *options, "--", *command,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until((run / "run.json").exists, "the run begins")
        return process, run

    def follow(self, run, *options):
        self.live = self.top / "live.jsonl"
        return self.start(harness.TOOL, "report", run, "--format", "jsonl", "--follow", *options,
                          stdout=self.live.open("wb"))

    def lines(self):
        """The complete lines so far."""
        text = self.live.read_bytes()
        return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]


class Follow(LiveCase):
    def facts(self, events):
        """Events as a multiset, without what depends on the order in which they were read."""
        umasks = {event["id"]: (event["tid"], event["old"], event["new"])
                  for event in events if event["type"] == "umask"}
        counts = collections.Counter()
        for event in events:
            if event["type"] == "finding":  # of the whole run: never followed
                continue
            event = {key: value for key, value in event.items()
                     if key not in ("seq", "time_ns", "id", "certain")}
            if isinstance(event.get("mask_set_by"), int):
                event["mask_set_by"] = umasks[event["mask_set_by"]]
            counts[json.dumps(event, sort_keys=True)] += 1
        return counts

    def check(self, *command, least):
        """Follows the program from its beginning; the report says the same, no more and no less."""
        process, run = self.start_run(*command)
        follower = self.follow(run)
        self.assertEqual(follower.wait(DEADLINE), 0)
        self.assertIsNotNone(process.wait(DEADLINE))
        live = self.lines()
        report = Report(self.tool("report", run, "--format", "jsonl").splitlines()).events
        order = [event["seq"] for event in live if event["seq"]]
        self.assertEqual(order, sorted(set(order)))
        followed, told = self.facts(live), self.facts(report)
        self.assertEqual(followed - told, collections.Counter(), "only followed")
        self.assertEqual(told - followed, collections.Counter(), "lost by the follower")
        self.assertGreaterEqual(sum(followed.values()), least)
        return live

    def test_a_race_of_threads(self):
        self.check(victim("threads_umask"), self.work, 300, least=600)

    def test_programs_that_start_programs(self):
        script = ("umask 027; for i in 1 2 3 4 5 6 7 8 9 10; do mkdir d$i; (umask 0; touch t$i); "
                  "umask 022; cp /etc/passwd p$i; done")
        self.check("sh", "-c", script, least=90)

    def test_forks_under_load(self):
        self.check(victim("fork_storm"), self.work, least=1000)

    def test_a_program_killed_in_the_middle(self):
        process, run = self.start_run(victim("threads_umask"), self.work, 1000000, 20000)
        follower = self.follow(run)
        wait_until(lambda: self.live.stat().st_size > 1000000, "hundreds of events are followed")
        (program,) = {event["pid"] for event in self.lines() if event["type"] == "process"}
        os.kill(program, signal.SIGKILL)
        self.assertEqual(process.wait(DEADLINE), 128 + 9)
        self.assertEqual(follower.wait(DEADLINE), 0)
        report = Report(self.tool("report", run, "--format", "jsonl").splitlines()).events
        self.assertEqual(self.facts(self.lines()), self.facts(report))

    def test_events_come_while_the_program_runs_and_sigint_ends_it(self):
        fifo = self.work / "fifo"
        os.mkfifo(fifo)
        process, run = self.start_run("sh", "-c", "umask 077; mkdir made; read line < fifo")
        follower = self.follow(run)
        wait_until(lambda: [event for event in self.lines() if event.get("call") == "mkdir"],
                   "the creation is told")
        self.assertIsNone(process.poll())
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(DEADLINE), 0)
        fifo.write_text("\n")
        process.wait(DEADLINE)

    def test_filters_apply(self):
        _, run = self.record("sh", "-c", "umask 077; mkdir a b")
        follower = self.follow(run, "--path", "*/a")
        self.assertEqual(follower.wait(DEADLINE), 0)
        self.assertEqual([os.path.basename(event["path"]) for event in self.lines()
                          if event["type"] == "create"], ["a"])
        self.assertEqual([event for event in self.lines() if event["type"] == "umask"], [])

    def test_only_jsonl_can_be_followed(self):
        result = self.execute(harness.TOOL, "report", "x", "--follow")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"--format jsonl", result.stderr)


if __name__ == "__main__":
    harness.main()
