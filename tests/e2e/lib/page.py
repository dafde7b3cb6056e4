"""What the tests of the HTML report share: a page of a run in the browser, and what is on it.

Must never ask the page for what it should show: that comes from lstat and from the test itself.
"""

import stat
import unittest
from pathlib import Path

from lib import harness
from lib.harness import Case
from lib.webdriver import PROGRAMS, Browser

# axe-core is no package of Debian's: scripts/test --with-programs fetches it from npm.
ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / "build" / "npm" / "node_modules" / "axe-core" / "axe.min.js"

VISIBLE_PATHS = """
return [...document.querySelectorAll('#grid .row')].sort((a, b) => a.place - b.place)
  .map((row) => row.querySelector('.path .directory').textContent
              + row.querySelector('.path .name').textContent);"""

# Contrast of each visible text with the nearest ground that is painted (WCAG 2.1, 1.4.3).
LOW_CONTRAST = """
const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = (colour) => {
  const [r, g, b] = parts(colour).slice(0, 3).map((value) => {
    const part = value / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const colour = getComputedStyle(one).backgroundColor;
    if ((parts(colour)[3] ?? 1) === 1) return colour;
  }
  return 'rgb(255, 255, 255)';
};
const low = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.checkVisibility() || element.closest('.unseen')) continue;
  const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) low.push(`${element.className} ${element.textContent.slice(0, 30)} ${ratio}`);
}
return low;"""


def needs_axe():
    return unittest.skipIf(not AXE.exists(),
                           "axe-core is not installed (scripts/test --with-programs)")


@harness.needs(*PROGRAMS)
class PageCase(Case):
    """A test with a browser; its page is that of a run of its own."""

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        super().setUp()
        self.browser.resize(1280)
        self.browser.set_scheme("light")

    def page(self, run, *options):
        file = self.top / "report.html"
        self.tool("report", run, "--format", "html", "-o", file, *options)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        return file

    def open(self, file):
        self.browser.log("browser")  # what was before is somebody else's
        self.browser.requests()
        self.browser.open(file)

    def show(self, run, *options):
        self.open(self.page(run, *options))

    def text(self, selector):
        return self.browser.run("return document.querySelector(arguments[0])?.textContent ?? null",
                                selector)

    def paths(self):
        return self.browser.run(VISIBLE_PATHS)

    def shell(self, script):
        return self.record("/bin/sh", "-c", script)[1]

    def wait_until(self, condition, *given):
        """Until an expression over `given` is true in the page; a hang is the driver's time-out."""
        self.browser.wait_for(f"""
const given = [...arguments].slice(0, -1);
const look = () => (({condition}) ? done(true) : setTimeout(look, 5));
look();""", *given)

    def address(self):
        """The part behind "#"; what the page has not written yet is written first."""
        self.browser.run("dispatchEvent(new Event('pagehide'))")
        return self.browser.run("return location.hash")

    def open_at(self, file, address):
        """A page that has never been there before: not the same document at another place."""
        self.browser.command("POST", "/url", {"url": "about:blank"})
        self.open(f"{file}{address}")

    def story(self):
        """The title of the open drawer; None: none is open."""
        return self.browser.run("return document.querySelector('#story').open"
                                " ? document.querySelector('#story-title').textContent : null")

    def python(self, script, *arguments):
        """Records a Python program; returns (what it printed, the run)."""
        result, run = self.record("/usr/bin/python3", "-c", script, *arguments)
        return result.stdout.decode(), run

    def wait_for_frame(self):
        self.browser.wait_for("requestAnimationFrame(() => requestAnimationFrame(() => done(1)))")

    def assert_quiet(self):
        """Nothing on the console, and nothing asked for but the page itself."""
        self.assertEqual(self.browser.log("browser"), [])
        asked = [url for url in self.browser.requests() if not url.startswith("chrome:")]
        self.assertEqual([url for url in asked if not url.startswith(("file:", "data:"))], [])
        self.assertEqual(len([url for url in asked if url.startswith("file:")]), 1, asked)
