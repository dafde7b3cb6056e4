"""The views of the HTML report: lanes and arrows, filters, the tree of directories, paper, and what
was only counted.

Ground truth: os.lstat and the walk of what was recorded, thread numbers from the kernel, the
victim's own counts, axe-core.
"""
import base64
import json
import os
import re
import stat
import subprocess

from lib import harness
from lib.harness import SHIM, octal, victim
from lib.page import AXE, LOW_CONTRAST, PageCase, needs_axe

# One thread opens a window, the others create in it: each of their objects is hit.
HITS = """
import os, sys, threading
ids, count = {}, int(sys.argv[1])
opened, left = threading.Event(), threading.Barrier(3)
def reader():
    ids["reader"] = threading.get_native_id()
    mask = os.umask(0)
    opened.set()
    left.wait()
    os.umask(mask)
def writer(name):
    ids[name] = threading.get_native_id()
    opened.wait()
    for i in range(count):
        os.close(os.open(f"{name}-{i}", os.O_CREAT | os.O_WRONLY, 0o666))
    left.wait()
os.umask(0o022)
threads = [threading.Thread(target=reader)]
threads += [threading.Thread(target=writer, args=(name,)) for name in ("a", "b")]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
import json
print(json.dumps(ids))
"""

# Modes of all kinds, in directories.
MODES = """umask 022
mkdir -p top/deep/er/est top/wide top/'em pty' gone
for i in 1 2 3 4 5; do echo > top/deep/er/est/f$i; done
echo > top/plain; echo > top/'em pty'/gone; rm top/'em pty'/gone
(umask 0; echo > top/wide/open; echo > gone/open; echo > top/server.key)
(umask 0; mkdir top/one; chmod 0700 top/one)
(umask 077; echo > top/wide/closed; mkfifo top/pipe)
rm gone/open"""
GONE = ("gone/open", "top/em pty/gone")

# The widest access first, as `report --sort mode` has it.
OPENNESS = lambda mode: (mode & 0o7) << 9 | (mode & 0o70) << 3 | mode & 0o700  # noqa: E731

CHOOSE = """const one = document.querySelector(arguments[0]);
one.value = arguments[1];
one.dispatchEvent(new Event('change'));"""

RUN_AXE = """
axe.run(document, {resultTypes: ['violations']}).then(
  (found) => done(found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 200)}`)),
  (error) => done([String(error)]));"""


# One call hits two functions.
ONE_CAUSE = """
import os, threading
opened, made = threading.Event(), threading.Event()
def setter():
    mask = os.umask(0)
    opened.set()
    made.wait()
    os.umask(mask)
def early():
    os.close(os.open("early", os.O_CREAT | os.O_WRONLY, 0o666))
def late():
    os.close(os.open("late", os.O_CREAT | os.O_WRONLY, 0o666))
os.umask(0o022)
thread = threading.Thread(target=setter)
thread.start()
opened.wait()
early()
late()
made.set()
thread.join()
"""


class FleetPage(PageCase):
    """The page of `fleet`: no script of its own, readable on any screen, clean for axe-core."""

    def fleet_page(self):
        long = "d" * 200
        run = self.shell(f"umask 0; mkdir {long} open; echo > id_rsa; chmod 4755 id_rsa; umask 22")
        self.tool("export", run, "--format", "tables", "-o", self.top / "lake")
        page = self.top / "fleet.html"
        self.tool("fleet", self.top / "lake", "--format", "html", "-o", page)
        return page

    @needs_axe()
    def test_axe_finds_nothing(self):
        page = self.fleet_page()
        self.assertNotIn("<script", page.read_text(encoding="utf-8"))
        script = AXE.read_text(encoding="utf-8")
        for width in (1280, 400):
            for scheme in ("light", "dark"):
                self.browser.resize(width)
                self.browser.set_scheme(scheme)
                self.open(page)
                self.assertEqual(self.browser.run(
                    "return document.documentElement.scrollWidth"
                    " - document.documentElement.clientWidth"), 0, f"{width}: wider")
                self.assertEqual(self.browser.wait_for(script + RUN_AXE), [], f"{width}, {scheme}")
        self.assertEqual(self.browser.requests(), [str(page.as_uri())])


class HtmlViews(PageCase):
    def test_a_lane_ends_with_its_processes(self):
        """What a subshell set does not go on behind its last event; the mask of CMD does."""
        run = self.shell("umask 22; (umask 0; echo > open);"
                         "i=0; while [ $i -lt 300 ]; do : > f$i; i=$((i + 1)); done")
        events = self.report(run).events
        child, = [event for event in events if event.get("path", "").endswith("/open")
                  and event["type"] == "create"]
        begin = min(event["time_ns"] for event in events if "time_ns" in event)
        last = max(event["time_ns"] for event in events if event.get("pid") == child["pid"])
        page = self.page(run)
        data = json.loads(page.read_text(encoding="utf-8").split(
            '<script type="application/json" id="data">')[1].split("</script>")[0])
        self.assertEqual(data["ends"], [child["fs"], last - begin])
        self.open(page)
        self.assertIn("their ends were not seen", self.text("#timeline-ends"))
        # Nothing of the open mask's red behind that moment; left of the line is a margin.
        rightmost, width, ratio = self.browser.wait_for("""
requestAnimationFrame(() => requestAnimationFrame(() => {
  const canvas = document.querySelector('#timeline canvas'), pen = canvas.getContext('2d');
  const {width, height} = canvas, data = pen.getImageData(0, 0, width, height).data;
  let last = 0;
  for (let y = 40; y < height; ++y)
    for (let x = 0; x < width; ++x) {
      const i = 4 * (y * width + x);
      if (data[i] > 150 && data[i + 1] < 90 && data[i + 2] < 90) last = Math.max(last, x);
    }
  done([last, width, devicePixelRatio]);
}));""")
        self.assertGreater(rightmost, 0)
        part = (last - begin) / data["run"]["span"]
        self.assertLess(rightmost, 60 * ratio + part * width)
        self.assert_quiet()

    def press_in_timeline(self, *names):
        self.browser.run("document.querySelector('.timeline-box').focus()")
        self.browser.press(*names)

    def test_a_cause_is_one_in_the_verdict(self):
        (self.work / "app.py").write_text(ONE_CAUSE)
        run = self.record("/usr/bin/python3", "app.py")[1]
        self.assertEqual([octal((self.work / name).stat().st_mode & 0o777)
                          for name in ("early", "late")], ["0666"] * 2)
        self.show(run, "--rule", "window-overlap")
        self.assertEqual(self.text(".verdict"), "1 error")
        # The filters say the same, and that it has two cards.
        self.assertEqual(self.text("#severities label"), "1 error")
        self.assertEqual(self.text("#finding-count"), "1 finding, 2 cards")
        self.assertEqual(self.browser.run("return [...document.querySelectorAll("
                                          "'#finding-rule option')].map((one) => one.textContent)"),
                         ["all", "window-overlap (1)"])
        self.browser.click("#severities input")
        self.assertEqual(self.text("#finding-count"), "0 of 1 finding; 1 hidden by severity")
        self.browser.click("#severities input")
        cards = "return [...document.querySelectorAll('.cause')].map((note) => note.textContent)"
        self.assertEqual(self.browser.run(cards),
                         ["The same call hit 1 other function, which has a card of its own.",
                          "The same call as in an earlier finding: it is mended in one place."])
        self.browser.click("#finding-1 .cause button, #finding-1 .cause a")
        self.assertEqual(self.browser.run("return document.activeElement.id"), "finding-0")
        self.assert_quiet()

    def test_a_lane_a_thread_and_arrows(self):
        printed, run = self.python(HITS, "2")
        ids = json.loads(printed)
        hit = {str(path) for path in self.work.iterdir() if path.lstat().st_mode & 0o022}
        self.assertEqual(len(hit), 4)
        self.show(run)
        self.wait_for_frame()
        self.assertIn("4 creations met a mask", self.text("#timeline-arrows"))
        # By keys from lane to lane: the thread of each is told.
        seen = set()
        for _ in range(6):
            self.press_in_timeline("Down")
            seen.update(re.findall(r"python3 (\d+)", self.text("#live")))
        self.assertLessEqual({str(tid) for tid in ids.values()}, seen)
        # From hit to hit, and round again.
        told = []
        for _ in range(5):
            self.browser.click("#next-hit")
            told.append(self.text("#live"))
        paths = [next(path for path in hit if path in text) for text in told]
        self.assertEqual((set(paths), paths[4]), (hit, paths[0]))
        # The story of a lane's thread: whom its masks hit.
        self.press_in_timeline("Home", "t")
        self.assertIn("python3", self.story())
        self.browser.press("Escape")
        self.browser.run("location.hash = `#t=${arguments[0]}.${arguments[1]}`",
                         self.pid_of(ids), ids["reader"])
        self.wait_until("document.querySelector('#story').open")
        self.assertIn("4 objects of others hit", self.text("#story .facts"))
        self.assert_quiet()

    def pid_of(self, ids):
        """The process, as the page has it beside each thread of it."""
        text = self.browser.run("return [...document.querySelectorAll('.side-who')].map("
                                "(one) => one.textContent).join(' ')")
        return re.search(rf"{ids['reader']} of process (\d+)", text).group(1)

    def test_the_arrow_is_drawn_from_lane_to_lane(self):
        """Where an arrow runs, the picture is another without it."""
        _, run = self.python(HITS, "1")
        self.show(run)
        self.browser.click("#next-hit")
        # The line leaves the culprit's lane for that of the victim: red on each row between them.
        rows = self.browser.wait_for("""
requestAnimationFrame(() => requestAnimationFrame(() => {
  const canvas = document.querySelector('#timeline canvas'), pen = canvas.getContext('2d');
  const {width, height} = canvas, data = pen.getImageData(0, 0, width, height).data;
  const red = [];
  for (let y = 40; y < height; ++y) {
    let count = 0;
    for (let x = 60; x < width; ++x) {
      const i = 4 * (y * width + x);
      if (data[i] > 150 && data[i + 1] < 90 && data[i + 2] < 90) ++count;
    }
    red.push(count > 0);
  }
  let longest = 0, now = 0;
  for (const one of red) { now = one ? now + 1 : 0; longest = Math.max(longest, now); }
  done(longest);
}));""")
        self.assertGreaterEqual(rows, 30)  # a mark alone has 11

    def test_thousands_of_hits_are_few_arrows(self):
        _, run = self.python(HITS, "5000")
        hit = sum(1 for path in self.work.iterdir() if path.lstat().st_mode & 0o022)
        self.assertEqual(hit, 10000)
        self.show(run)
        self.wait_for_frame()
        text = self.text("#timeline-arrows").replace(",", "")
        shown, left = map(int, re.search(r"(\d+) arrows? in sight (\d+) more", text).groups())
        self.assertEqual(shown + left, hit)
        self.assertLessEqual(shown, 250)
        for _ in range(12):
            self.browser.click("[aria-label='Zoom in']")
        self.wait_for_frame()
        nearer = self.text("#timeline-arrows").replace(",", "")
        self.assertNotEqual(nearer, text)
        self.assert_quiet()

    def modes(self):
        run = self.shell(MODES)
        self.file = self.page(run)
        self.open(self.file)
        self.made = {str(path): path.lstat() for path in self.work.rglob("*")}
        return run

    def test_filters_say_what_they_hide(self):
        self.modes()
        everything = len(self.made) + len(GONE)
        cards = "return document.querySelectorAll('#cards .finding').length"
        all_cards = self.browser.run(cards)
        self.assertGreater(all_cards, 1)
        self.assertEqual(self.text("#finding-count"), f"{all_cards} findings")
        rules = self.browser.run("return [...document.querySelectorAll('#finding-rule option')]"
                                 ".slice(1).map((one) => one.value)")
        shown = 0
        for rule in rules:
            self.browser.run(CHOOSE, "#finding-rule", rule)
            count = self.browser.run(cards)
            shown += count
            self.assertEqual(self.browser.run(
                "return [...new Set([...document.querySelectorAll('#cards .rule-id')].map("
                "(one) => one.textContent))]"), [rule])
            hidden = all_cards - count
            self.assertEqual(self.text("#finding-count"), f"{count} of {all_cards} findings; "
                             f"{hidden} hidden by rule" if hidden else f"{all_cards} findings")
        self.assertEqual(shown, all_cards)
        self.browser.click("#reset-findings")
        self.assertEqual(self.browser.run(cards), all_cards)

        wide = f"{self.work}/top/wide/"
        inside = {path for path in self.made if path.startswith(wide)}
        self.browser.run(CHOOSE, "#objects .choose-directory", wide)
        self.assertEqual(set(self.paths()), inside)
        self.assertEqual(self.text("#objects-hidden"),
                         f"{everything - len(inside)} hidden by directory")
        # Of the findings those remain that hit something there.
        self.assertIn("hidden by directory", self.text("#finding-count"))
        for paths in self.browser.run("return [...document.querySelectorAll('#cards .finding')]"
                                      ".map((one) => [...one.querySelectorAll('.path-cell')]"
                                      ".map((cell) => cell.textContent))"):
            self.assertTrue(any(path.startswith(wide) for path in paths), paths)
        self.browser.click("#reset")
        self.assertEqual(self.text("#object-count"), f"{everything} objects")
        self.assertEqual(self.text("#finding-count"), f"{all_cards} findings")
        self.assert_quiet()

    def expected_tree(self):
        """Of each directory: how many objects are below it, and the widest mode of those."""
        tree = {}
        for path, status in self.made.items():
            for above in self.above(path):
                count, modes = tree.setdefault(above, [0, []])
                tree[above][0] = count + 1
                modes.append(stat.S_IMODE(status.st_mode))
        for gone in GONE:
            for above in self.above(f"{self.work}/{gone}"):
                tree.setdefault(above, [0, []])[0] += 1
        return {path: (count, octal(max(modes, key=OPENNESS)) if modes else "–")
                for path, (count, modes) in tree.items()}

    def above(self, path):
        above = os.path.dirname(path)
        while above.startswith(str(self.work)):
            yield f"{above}/"
            above = os.path.dirname(above)

    def test_the_tree_has_the_worst_mode_of_each_directory(self):
        self.modes()
        expected = self.expected_tree()
        self.browser.run("document.querySelector('#tree [tabindex=\"0\"]').focus()")
        for _ in range(30):  # opens all that there is, by keys
            self.browser.press("Right", "Down")
        items = self.browser.run("""
return [...document.querySelectorAll('#tree [role=treeitem]')].map((item) => [item.node.path,
  item.querySelector('.tree-mode').textContent, item.querySelector('.tree-count').textContent,
  Number(item.getAttribute('aria-level')), item.getAttribute('aria-expanded'),
  item.querySelector('.tree-name').textContent]);""")
        self.assertGreaterEqual(len(items), 6)
        shown = {}
        for path, mode, count, *_ in items:
            mode = re.search(r"[0-7]{4}|–", mode).group()
            shown[path] = (int(re.match(r"\d+", count).group()), mode)
        for path, told in shown.items():
            self.assertEqual(told, expected[path], path)
        # Those that are not there hold nothing but the one below them.
        for path in set(expected) - set(shown):
            self.assertTrue(any(other.startswith(path) and expected[other][0] == expected[path][0]
                                for other in shown), path)
        for gone in GONE:
            self.assertEqual(shown[f"{self.work}/{os.path.dirname(gone)}/"], (1, "–"))
        self.assert_quiet()

    def test_the_tree_by_keys(self):
        self.modes()
        self.browser.run("document.querySelector('#tree [tabindex=\"0\"]').focus()")
        focused = ("return [...document.querySelectorAll('#tree [role=treeitem]')].indexOf("
                   "document.activeElement)")
        count = "return document.querySelectorAll('#tree [role=treeitem]').length"
        self.browser.press("Home", "Left")
        self.assertEqual(self.browser.run(count), 1)
        self.browser.press("Right")
        first_level = self.browser.run(count)
        self.assertGreater(first_level, 1)
        self.browser.press("Right")
        self.assertEqual(self.browser.run(focused), 1)
        self.browser.press("End")
        self.assertEqual(self.browser.run(focused), first_level - 1)
        path = self.browser.run("return document.activeElement.node.path")
        self.browser.press("Enter")
        self.assertEqual({one for one in self.paths() if os.path.exists(one)},
                         {one for one in self.made if one.startswith(path)})
        self.assertIn(path, self.text("#tree-status"))
        self.assertEqual(self.browser.run(
            "return document.activeElement.getAttribute('aria-selected')"), "true")
        self.browser.press("Enter")
        self.assertNotIn("hidden", self.text("#objects-hidden"))
        self.browser.press("Left", "Left")
        self.assertEqual(self.browser.run(focused), 0)
        # One item is in the order of Tab, whatever is closed.
        self.browser.press("Left")
        self.assertEqual(self.browser.run(
            "return document.querySelectorAll('#tree [tabindex=\"0\"]').length"), 1)

    def test_wide_trees_grow_by_parts(self):
        names = [f"d{i}/x" for i in range(450)]
        _, run = self.python("import os\nfor i in range(450):\n os.mkdir(f'd{i}')\n"
                             " os.close(os.open(f'd{i}/x', os.O_CREAT, 0o644))")
        self.show(run)
        self.browser.run("document.querySelector('#tree .twisty').click()")
        count = "return document.querySelectorAll('#tree [role=treeitem]').length"
        self.assertEqual(self.browser.run(count), 202)
        self.browser.press("End", "Enter")
        self.assertEqual(self.browser.run(count), 402)
        self.browser.press("End", "Enter")
        self.assertEqual(self.browser.run(count), 1 + len(names))

    @needs_axe()
    def test_axe_finds_nothing(self):
        _, run = self.python(HITS, "3")
        page = self.page(run)
        views = {"": "", "an object": "document.querySelector('#grid .row').click()",
                 "a change": "document.querySelector('.side.culprit > .link').click()",
                 "a thread": "document.querySelector('.culprits .link').click()",
                 "a directory": "document.querySelector('#tree .tree-name').click()",
                 "no finding": "document.querySelectorAll('#severities input').forEach("
                               "(one) => one.click())",
                 "a hit": "document.querySelector('#next-hit').click()",
                 "a note": "location.hash = '#nowhere'"}
        script = AXE.read_text(encoding="utf-8")
        for width in (1280, 400):
            for scheme in ("light", "dark"):
                self.browser.resize(width)
                self.browser.set_scheme(scheme)
                for name, action in views.items():
                    self.open_at(page, "")
                    self.browser.run(action)
                    self.wait_for_frame()
                    self.assertEqual(self.browser.wait_for(script + RUN_AXE), [],
                                     f"{name}, {width}, {scheme}")

    def test_nothing_is_wider_than_the_screen(self):
        long = "d" * 200
        self.shell(f"umask 0; mkdir -p {long}/{long}; echo > {long}/{long}/{long}; umask 022")
        page = self.page(self.top / "run1")
        for width in (400, 1280):
            self.browser.resize(width)
            for scheme in ("light", "dark"):
                self.browser.set_scheme(scheme)
                for address, selector in (("", "html"), ("#nowhere", "html"),
                                          ("#directories", "#directories .card"),
                                          (f"#dir={self.work}/{long}/", "#directories .card"),
                                          ("#q=ddd", "#objects .card")):
                    self.open_at(page, address)
                    self.wait_for_frame()
                    self.assertLessEqual(self.browser.run(
                        "return document.documentElement.scrollWidth"), width, address)
                    self.assertLessEqual(*self.browser.run(
                        "const one = document.querySelector(arguments[0]);"
                        "return [one.scrollWidth, one.clientWidth]", selector), address)
                    self.assertEqual(self.browser.run(LOW_CONTRAST), [], f"{address} {scheme}")

    def test_on_paper(self):
        self.modes()
        self.browser.set_scheme("dark")
        self.open_at(self.file, "")
        self.browser.run("document.querySelector('#row-0').click()")
        title = self.story()
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        self.browser.devtools("Emulation.setEmulatedMedia", media="print", features=dark)
        self.browser.run("dispatchEvent(new Event('beforeprint'))")
        rows = self.browser.run("return [...document.querySelectorAll('.printed tbody .path-cell')]"
                                ".map((cell) => cell.textContent)")
        self.assertEqual({path for path in rows if os.path.exists(path)}, set(self.made))
        self.assertEqual(len(rows), len(self.made) + len(GONE))
        self.assertIn(title, self.text("#main > .printed"))
        hidden = ("return [...document.querySelectorAll('#grid, .share, .top, #story')].filter("
                  "(one) => one.checkVisibility()).length")
        self.assertEqual(self.browser.run(hidden), 0)
        self.assertEqual(self.browser.run("return getComputedStyle(document.documentElement)"
                                          ".colorScheme"), "light")
        corner = ("return document.querySelector('#timeline canvas').getContext('2d')"
                  ".getImageData(3, 3, 1, 1).data[0]")
        self.assertGreater(self.browser.run(corner), 200)  # light, as the paper
        self.browser.run("dispatchEvent(new Event('afterprint'))")
        self.browser.devtools("Emulation.setEmulatedMedia", media="", features=dark)
        self.assertEqual(self.browser.run("return document.querySelectorAll('.printed').length"), 0)
        self.assertLess(self.browser.run(corner), 100)
        # The same by the browser's own printing.
        pdf = base64.b64decode(self.browser.devtools("Page.printToPDF")["data"])
        self.assertTrue(pdf.startswith(b"%PDF"))
        self.assertEqual(self.browser.run("return document.querySelectorAll('.printed').length"), 0)

    def test_findings_of_several_places(self):
        """One function reads the umask for three that call it: one finding, which says so."""
        self.python("import os, threading\ndef mask():\n old = os.umask(0)\n os.umask(old)\n"
                    "def one(): mask()\ndef two(): mask()\ndef three(): mask()\n"
                    "end = threading.Event()\nother = threading.Thread(target=end.wait)\n"
                    "other.start()\none()\ntwo()\nthree()\nend.set()\nother.join()\n")
        self.show(self.top / "run1")
        card = self.browser.run("return [...document.querySelectorAll('#cards .finding')].map("
                                "(one) => one.textContent).find((text) => text.includes("
                                "'getter-idiom'))")
        self.assertIn("3 places in the code", card)

    def test_short_processes_are_one_row(self):
        """mkdir -p sets the mask in each of its processes, at the same place."""
        self.show(self.shell("for name in 1 2 3 4; do mkdir -p $name/below; done"))
        self.assertEqual(len(list(self.work.glob("*/below"))), 4)
        names = self.browser.run("return [...document.querySelectorAll('.culprits tbody tr')].map("
                                 "(row) => row.cells[1].textContent)")
        self.assertEqual(set(names), {"mkdir, 4 processes"})

    def test_what_was_only_counted(self):
        """Of a service's run with keep=latest the page has the end; the rest is in a table."""
        run = self.new_run()
        environment = {**os.environ, "LD_PRELOAD": SHIM,
                       "UMASKAUDIT_OPTIONS": f"log=off:keep=latest:max_size=2M:trace={run}"}
        result = subprocess.run([victim("service"), self.work, "15000", "4", "100"],
                                env=environment, stdout=subprocess.PIPE, check=True)
        last = json.loads(result.stdout.splitlines()[-1])
        self.show(run)
        rows = self.browser.run("return [...document.querySelectorAll('#dropped tbody tr')].map("
                                "(row) => [...row.cells].map((cell) => cell.textContent))")
        self.assertGreater(len(rows), 0)
        counts = {"made": 0, "changes": 0}
        for count, call, what, *_, where in rows:
            kind = "changes" if what == "mask change" else "made" if what == "file" else None
            if kind:
                counts[kind] += int(count.replace(",", ""))
                self.assertTrue(call)
                self.assertNotEqual(where, "")
        created = int(self.text(".tile dd").replace(",", ""))
        self.assertEqual(created + counts["made"], last["made"])
        changes = int(self.text(".tile:nth-child(2) dd").replace(",", ""))
        self.assertEqual(changes + counts["changes"], last["umask_calls"])
        self.assertIn(f"{counts['made']:,} more only counted", self.text(".tiles"))
        self.browser.resize(400)
        self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), 400)
        self.assertEqual(self.browser.run(LOW_CONTRAST), [])
        self.assert_quiet()


if __name__ == "__main__":
    harness.main()
