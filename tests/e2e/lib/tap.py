"""Runs the unittest cases of a file; with --tap it speaks TAP, so that meson counts each case.

Must never turn a failure into a pass: with --tap the exit code is 0 and the lines tell, as meson
wants it; without, the exit code tells. Called through harness.main by every test file.
"""

import sys
import unittest


class TapResult(unittest.TestResult):
    """One line a case; what went wrong follows as comments."""

    def __init__(self):
        super().__init__()
        self.number = 0

    def line(self, word, test, directive="", detail=""):
        self.number += 1
        name = test.id().removeprefix("__main__.")
        print(f"{word} {self.number} {name}{directive}")
        for text in detail.rstrip().splitlines():
            print(f"# {text}")
        sys.stdout.flush()

    def addSuccess(self, test):
        self.line("ok", test)

    def addSkip(self, test, reason):
        self.line("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line("not ok", test, detail=self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.line("not ok", test, detail=self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        # A failed part is a case of its own; the good ones are in their whole's line.
        if err is not None:
            self.addFailure(subtest, err)


def flat(tests):
    for test in tests:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def main():
    """Words: names of cases or classes, else all; --tap; --part=I/N, each N-th from the I-th."""
    words = sys.argv[1:]
    names = [word for word in words if not word.startswith("--")]
    loader = unittest.TestLoader()
    module = sys.modules["__main__"]
    tests = (loader.loadTestsFromNames(names, module) if names
             else loader.loadTestsFromModule(module))
    for word in words:
        if word.startswith("--part="):
            part, _, parts = word.removeprefix("--part=").partition("/")
            tests = unittest.TestSuite(list(flat(tests))[int(part) - 1::int(parts)])
    if "--tap" in words:
        result = TapResult()
        tests.run(result)
        print(f"1..{result.number}")  # last: a failed part of a case has a line of its own
        sys.exit(0)
    sys.exit(0 if unittest.TextTestRunner(verbosity=2).run(tests).wasSuccessful() else 1)
