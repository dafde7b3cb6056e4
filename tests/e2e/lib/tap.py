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


def main():
    arguments = [word for word in sys.argv[1:] if word != "--tap"]
    loader = unittest.TestLoader()
    module = sys.modules["__main__"]
    tests = (loader.loadTestsFromNames(arguments, module) if arguments
             else loader.loadTestsFromModule(module))
    if "--tap" in sys.argv:
        result = TapResult()
        tests.run(result)
        print(f"1..{result.number}")  # last: a failed part of a case has a line of its own
        sys.exit(0)
    sys.exit(0 if unittest.TextTestRunner(verbosity=2).run(tests).wasSuccessful() else 1)
