"""The HTML report in headless Chromium: what it shows is what stat says, by mouse and by keys.

Ground truth: os.lstat of what was recorded, the page's own hashes by hashlib, the browser's logs.
"""
import base64
import csv
import hashlib
import io
import os
import re
import stat
import subprocess

from lib import harness
from lib.harness import octal, victim
from lib.page import LOW_CONTRAST, PageCase

GENERATOR = harness.PROGRAMS.parent / "bench" / "generate_trace"
FRAMES = 60
MOST_ROWS = 100  # rows in the document, whatever the number of objects

# A point of the canvas where there is something to click.
FIND_EVENT = """
const canvas = document.querySelector('#timeline canvas');
canvas.scrollIntoView({block: 'center', behavior: 'instant'});
const box = canvas.getBoundingClientRect();
for (let y = box.bottom - 12; y > box.top; y -= 4)
  for (let x = box.left; x < box.right; x += 2) {
    canvas.dispatchEvent(new PointerEvent('pointermove', {clientX: x, clientY: y, pointerId: 9}));
    if (canvas.classList.contains('pointing')) return [x, y];
  }
return null;"""


class Html(PageCase):
    def test_loads_quietly(self):
        _, run = self.record(victim("threads_umask"), self.work, "300")
        self.show(run)
        self.wait_for_frame()
        self.assertEqual(self.text("#object-count"), "300 objects")
        self.assertIn("threads_umask", self.browser.run("return document.title"))
        # Each part has something to show.
        for part in ("#findings .card", "#timeline canvas", "#unseen .card", ".tiles", ".modes li"):
            self.assertTrue(self.browser.run("return document.querySelector(arguments[0])", part),
                            part)
        self.assert_quiet()

    def test_policy_allows_this_script_only(self):
        run = self.shell("touch a")
        page = self.page(run).read_text(encoding="utf-8")
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
        self.assertNotIn("unsafe", policy)
        for kind, opening, closing in (("script", "<script>", "</script>"),
                                       ("style", "<style>", "</style>")):
            self.assertEqual(page.count(opening), 1)
            text = page.split(opening)[1].split(closing)[0]
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            self.assertIn(f"{kind}-src 'sha256-{digest}'", " ".join(policy.split()))
        # The policy is in force: an injected script does not run.
        self.show(run)
        self.browser.run("const script = document.createElement('script');"
                         "script.textContent = 'window.foreign = true';"
                         "document.body.append(script);")
        self.assertIsNone(self.browser.run("return window.foreign ?? null"))

    def some_objects(self):
        run = self.shell("umask 027; mkdir -p dir/inner; for i in 1 2 3 4 5 6 7 8 9; do"
                         " echo > dir/file$i; done; umask 0; echo > open; mkfifo pipe;"
                         " (umask 077; echo > closed)")
        self.show(run)
        return {str(path): path.lstat() for path in self.work.rglob("*")}

    def test_search_sort_filter(self):
        made = self.some_objects()
        self.assertEqual(set(self.paths()), set(made))
        self.browser.type("#search", "FILE dir")
        found = {path for path in made if "file" in path and "dir" in path}
        self.assertEqual(len(found), 9)
        self.assertEqual(set(self.paths()), found)
        self.assertEqual(self.text("#object-count"), f"9 of {len(made)} objects")
        self.browser.type("#search", "nothing has this name")
        self.assertEqual(self.paths(), [])
        self.assertFalse(self.browser.run("return document.querySelector('#no-objects').hidden"))
        self.browser.click("#reset")
        self.assertEqual(set(self.paths()), set(made))

        self.browser.click("[data-key=path] button")
        self.assertEqual(self.paths(), sorted(made))
        self.browser.click("[data-key=path] button")
        self.assertEqual(self.paths(), sorted(made, reverse=True))
        self.assertEqual(self.browser.run(
            "return document.querySelector('[data-key=path]').getAttribute('aria-sort')"),
            "descending")
        self.browser.click("[data-key=mode] button")
        others = [stat.S_IMODE(made[path].st_mode) & 0o7 for path in self.paths()]
        self.assertEqual(others, sorted(others, reverse=True))

        self.browser.type("#filter-kind", "dir")
        self.assertEqual(set(self.paths()), {path for path in made if stat.S_ISDIR(
            made[path].st_mode)})
        self.browser.click("#reset")
        self.browser.click(".modes li:first-child button")
        mode = self.text(".modes li:first-child .oct")
        self.assertEqual(set(self.paths()), {path for path in made if octal(
            stat.S_IMODE(made[path].st_mode)) == mode})
        self.assert_quiet()

    def test_slash_goes_to_the_search(self):
        self.some_objects()
        self.browser.run("document.querySelector('#timeline .timeline-box').focus()")
        self.browser.press("/")
        self.assertEqual(self.browser.run("return document.activeElement.id"), "search")
        self.browser.press("/", "f", "i", "l", "e", "1")
        self.assertEqual(self.text("#object-count").split()[0], "1")  # there it is a letter
        self.assertEqual(self.browser.run("return document.querySelector('#search').value"),
                         "/file1")

    def test_the_shown_rows_as_csv(self):
        run = self.shell("umask 022; echo > '=1+1'; echo > 'a,\"b'; mkdir other; echo > other/x")
        self.show(run)
        self.browser.run("window.blobs = []; window.names = [];"
                         "URL.createObjectURL = (blob) => blobs.push(blob) && '#none';"
                         "HTMLAnchorElement.prototype.click = function () {"
                         " names.push(this.download); };")
        made = {str(path): octal(stat.S_IMODE(path.lstat().st_mode))
                for path in self.work.rglob("*")}
        self.browser.click("#csv")
        self.browser.type("#search", "other")
        self.browser.click("#csv")
        texts = self.browser.wait_for("Promise.all(blobs.map((blob) => blob.text())).then(done);")
        self.assertEqual(self.browser.run("return names"), ["objects.csv"] * 2)
        tables = [list(csv.DictReader(io.StringIO(text, newline=""))) for text in texts]
        self.assertEqual({row["path"]: row["mode"] for row in tables[0]}, made)
        self.assertEqual({row["path"] for row in tables[1]},
                         {path for path in made if "other" in path})
        self.browser.type("#search", "nothing has this name")
        self.assertTrue(self.browser.run("return document.querySelector('#csv').disabled"))

    def test_a_filter_dims_the_timeline(self):
        self.some_objects()
        colours = """
const canvas = document.querySelector('#timeline canvas'), pen = canvas.getContext('2d');
const probe = document.createElement('canvas').getContext('2d');
const span = document.createElement('span');
document.body.append(span);
span.className = 'legend object';
probe.fillStyle = getComputedStyle(span).backgroundColor;
span.remove();
probe.fillRect(0, 0, 1, 1);
const accent = [...probe.getImageData(0, 0, 1, 1).data];
requestAnimationFrame(() => requestAnimationFrame(() => {
  const {data} = pen.getImageData(0, 60, canvas.width, canvas.height - 60);
  let count = 0;
  for (let i = 0; i < data.length; i += 4)
    if (accent.every((value, k) => data[i + k] === value)) ++count;
  done(count);
}));"""
        every = self.browser.wait_for(colours)
        self.assertGreater(every, 0)
        hidden = "return document.querySelector('#timeline-dimmed').hidden"
        self.assertTrue(self.browser.run(hidden))
        self.browser.type("#search", "file1")
        some = self.browser.wait_for(colours)
        self.assertTrue(0 < some < every, (some, every))
        self.assertIn("hidden by the filter", self.text("#timeline-dimmed"))
        self.browser.type("#search", "nothing has this name")
        self.assertEqual(self.browser.wait_for(colours), 0)
        self.browser.click("#reset")
        self.assertEqual(self.browser.wait_for(colours), every)
        self.assertTrue(self.browser.run(hidden))

    def test_derivation_is_what_stat_says(self):
        made = self.some_objects()
        for place, path in enumerate(self.paths()):
            self.browser.run("document.querySelector(`#row-${arguments[0]}`).click()", place)
            self.assertEqual(self.text("#story-title"), path)
            rows = dict(self.browser.run(
                "return [...document.querySelectorAll('.derivation tbody tr')].map((row) =>"
                " [row.querySelector('th').textContent, row.querySelector('.num').textContent])"))
            mode = stat.S_IMODE(made[path].st_mode)
            self.assertEqual(rows["mode on disk"], octal(mode))
            asked, mask = int(rows["asked for"], 8), int(rows["mask in force"], 8)
            self.assertEqual(asked & ~mask, mode)
            self.assertEqual(self.text("#equation"),
                             f"{octal(asked)} & ~{octal(mask)} = {octal(mode)}")
            self.assertEqual(self.text(".derivation .result .unseen"), stat.filemode(mode)[1:])
            self.browser.press("Escape")
        self.assert_quiet()

    def test_hit_leads_from_finding_to_object_and_back(self):
        for _ in range(5):  # threads race as they like
            harness.remove_tree(self.work)
            self.work.mkdir()
            _, run = self.record(victim("threads_umask"), self.work, "1000")
            modes = {str(path): path.lstat().st_mode for path in self.work.iterdir()}
            if any(mode & 0o066 for mode in modes.values()):
                break
        else:
            self.skipTest("nobody was hit")
        self.show(run)
        self.assertEqual({self.text(f".side.{side} h4") for side in ("culprit", "victim")},
                         {"Culprit", "Victim"})
        self.browser.click(".side.victim > .link")
        self.assertEqual(self.text(".derivation .result .num"),
                         octal(stat.S_IMODE(modes[self.text("#story-title")])))
        self.browser.run("[...document.querySelectorAll('.part .link')].find("
                         "(link) => link.textContent === 'see the finding').click()")
        self.assertTrue(self.browser.run(
            "return document.activeElement.classList.contains('finding')"))
        self.assert_quiet()

    def test_timeline_zooms_pans_and_tells(self):
        self.some_objects()
        whole = self.text("#timeline-range")
        self.assertIn("the whole run", whole)
        point = self.browser.run(FIND_EVENT)
        self.assertIsNotNone(point, "there is nothing to point at")
        self.browser.mouse(("move", *point), ("down",), ("up",))
        self.assertTrue(self.browser.run("return document.querySelector('#story').open"))
        self.assertTrue(self.text("#story-title"))
        self.browser.press("Escape")

        self.browser.click("[aria-label='Zoom in']")
        closer = self.text("#timeline-range")
        self.assertNotEqual(closer, whole)
        x, y = 640, point[1]
        seen = {closer}
        for by in (-200, 200):  # at an end of the run there is but one way
            self.browser.mouse(("move", x, y), ("down",), ("move", x + by, y), ("up",))
            seen.add(self.text("#timeline-range"))
        self.assertGreater(len(seen), 1)
        panned = self.text("#timeline-range")
        self.assertFalse(self.browser.run("return document.querySelector('#story').open"))
        self.browser.wheel(x, y, delta_y=-300, control=True)
        self.assertNotEqual(self.text("#timeline-range"), panned)
        # Without Ctrl the wheel is the page's.
        zoomed = self.text("#timeline-range")
        self.browser.wheel(x, y, delta_y=-40)
        self.assertEqual(self.text("#timeline-range"), zoomed)
        self.browser.click("[aria-label='Fit the whole run']")
        self.assertEqual(self.text("#timeline-range"), whole)
        self.assert_quiet()

    def test_keyboard_alone(self):
        made = self.some_objects()
        self.browser.run("document.querySelector('#grid').focus()")
        self.browser.press("Down", "Down", "Enter")
        third = self.paths()[2]
        self.assertEqual(self.text("#story-title"), third)
        self.browser.press("Escape")
        self.assertEqual(self.browser.run("return document.activeElement.id"), "grid")
        self.browser.press("End", "Enter")
        self.assertEqual(self.text("#story-title"), self.paths()[len(made) - 1])
        self.browser.press("Escape")

        self.browser.run("document.querySelector('.timeline-box').focus()")
        self.browser.press("Right")
        first = self.text("#live")
        self.browser.press("Right")
        self.assertNotEqual(self.text("#live"), first)
        self.browser.press("Left")
        self.assertEqual(self.text("#live"), first)
        whole = self.text("#timeline-range")
        self.browser.press("+")
        self.assertNotEqual(self.text("#timeline-range"), whole)
        self.browser.press("0", "Enter")
        self.assertTrue(self.browser.run("return document.querySelector('#story').open"))
        self.browser.press("Escape")

        # From the top, Tab goes to the skip link, and on to everything else.
        self.show(self.top / "run1")
        self.browser.press("Tab")
        self.assertEqual(self.browser.run("return document.activeElement.className"), "skip")
        reached = set()
        for _ in range(80):
            self.browser.press("Tab")
            reached.add(self.browser.run(
                "const on = document.activeElement; return on.id || on.name || on.className"))
        for name in ("theme", "search", "grid", "timeline-box", "filter-mode"):
            self.assertIn(name, reached)
        self.assert_quiet()

    def test_hostile_names(self):
        names = [b"</script><script>document.title='taken'</script>", b"<!--<script>",
                 b"<img src=x onerror=alert(1)>", b"quote\"'`&lt;", b"\x1b[31mred\x07\n\ttab",
                 "\u202etxt.exe\u2066".encode(), "\u2028line\u2029".encode(), b"bad\xff\xc0\x80",
                 "\u05e9\u05dc\u05d5\u05dd".encode(), b"back\\slash"]
        shown = ["</script><script>document.title='taken'<", "<!--<script>",
                 "<img src=x onerror=alert(1)>", "quote\"'`&lt;", "\\x1b[31mred\\x07\\n\\ttab",
                 "\\u{202e}txt.exe\\u{2066}", "\\u{2028}line\\u{2029}", "bad\\xff\\xc0\\x80",
                 "\u05e9\u05dc\u05d5\u05dd", "back\\\\slash"]
        os.mkdir(os.fsencode(self.work) + b"/" + names[0].split(b"/")[0])
        script = "import os, sys\nfor name in sys.argv[1:]:\n open(os.fsencode(name), 'w')"
        directory, _, rest = names[0].partition(b"/")
        os.makedirs(os.path.join(os.fsencode(self.work), directory, os.path.dirname(rest)))
        for name in names:
            open(os.path.join(os.fsencode(self.work), name), "wb").close()
            os.unlink(os.path.join(os.fsencode(self.work), name))
        _, run = self.record("/usr/bin/python3", "-c", script, *map(os.fsdecode, names))
        self.show(run)
        self.assertIn("python3", self.browser.run("return document.title"))
        paths = self.paths()
        for text in shown:
            self.assertTrue(any(text in path for path in paths), f"{text!r} in {paths!r}")
            self.browser.type("#search", text.replace("\n", ""))
            self.assertGreaterEqual(len(self.paths()), 1, text)
            self.browser.click("#reset")
        for place in range(len(paths)):
            self.browser.run("document.querySelector(`#row-${arguments[0]}`).click()", place)
            self.assertEqual(self.text("#story-title"), paths[place])
            self.browser.press("Escape")
        self.assertEqual(self.browser.run(
            "return document.querySelectorAll('script, img, main style').length"), 2)
        # A right-to-left name stays to the right of its directory.
        self.assertTrue(self.browser.run(
            "return [...document.querySelectorAll('#grid .row .path')].every((cell) =>"
            " cell.children[0].getBoundingClientRect().left"
            " <= cell.children[1].getBoundingClientRect().left)"))
        self.assert_quiet()

    def test_hundred_thousand_objects_stay_fluid(self):
        run = self.top / "large"
        subprocess.run([GENERATOR, run, "130000"], check=True, stdout=subprocess.DEVNULL)
        self.show(run)
        self.assertEqual(self.text("#object-count"), "100,000 objects")
        self.assertRegex(self.text("#objects .left-out"), r"^[\d,]+ of 1[\d,]+ objects are not on ")
        self.assertIn("objects are not on this page", self.text(".left-out-list"))
        rows = "document.querySelectorAll('#grid .row').length"
        self.assertLess(self.browser.run(f"return {rows}"), MOST_ROWS)
        # Each frame shows other rows, never more than are in sight, and the last row is reached.
        seen = self.browser.wait_for("""
const grid = document.querySelector('#grid'), frames = [];
const step = (grid.scrollHeight - grid.clientHeight) / arguments[0];
const next = () => {
  frames.push([document.querySelector('#grid .row .time').textContent,
               document.querySelectorAll('#grid .row').length]);
  if (frames.length > arguments[0]) return done(frames);
  grid.scrollTop += step;
  requestAnimationFrame(() => requestAnimationFrame(next));
};
requestAnimationFrame(next);""", FRAMES)
        self.assertGreater(len({time for time, _ in seen}), FRAMES * 0.9)
        self.assertLess(max(count for _, count in seen), MOST_ROWS)
        self.browser.run("document.querySelector('#grid').focus()")
        self.browser.press("End")
        self.wait_for_frame()
        self.assertTrue(self.browser.run("return document.querySelector('#row-99999') !== null"))
        # The timeline changes too: each frame is another picture.
        pictures = self.browser.wait_for("""
const canvas = document.querySelector('#timeline canvas'), pictures = new Set();
const button = document.querySelector("[aria-label='Zoom in']");
let left = 10;
const next = () => {
  pictures.add(canvas.toDataURL());
  if (left-- === 0) return done(pictures.size);
  button.click();
  requestAnimationFrame(() => requestAnimationFrame(next));
};
next();""")
        self.assertGreater(pictures, 8)
        self.browser.click("[data-key=path] button")
        paths = self.paths()
        self.assertEqual(paths, sorted(paths))
        self.browser.type("#search", "object-1234")
        self.assertTrue(all("object-1234" in path for path in self.paths()))
        self.assertLess(self.browser.run(f"return {rows}"), MOST_ROWS)
        self.assert_quiet()

    def test_fits_narrow_screens_and_both_schemes(self):
        _, run = self.record(victim("bug_libarchive"), self.work, "50")
        for width in (400, 1280):
            self.browser.resize(width)
            for scheme in ("light", "dark"):
                self.browser.set_scheme(scheme)
                self.show(run)
                self.wait_for_frame()
                self.assertLessEqual(self.browser.run(
                    "return document.documentElement.scrollWidth"), width, scheme)
                self.assertEqual(self.browser.run(LOW_CONTRAST), [], f"{width} {scheme}")
                self.browser.run("document.querySelector('#grid .row').click()")
                self.assertEqual(self.browser.run(LOW_CONTRAST), [], f"story, {width} {scheme}")
                self.assertLessEqual(self.browser.run(
                    "return document.querySelector('.story-body').scrollWidth"), width)
        # The switch has the last word.
        ground = "return getComputedStyle(document.body).backgroundColor"
        self.browser.press("Escape")
        dark = self.browser.run(ground)
        self.browser.click("#theme [value=light]")
        self.assertNotEqual(self.browser.run(ground), dark)
        self.browser.click("#theme [value=dark]")
        self.assertEqual(self.browser.run(ground), dark)

    def test_everything_has_a_name(self):
        self.some_objects()
        nodes = self.browser.devtools("Accessibility.getFullAXTree")["nodes"]
        named = ("button", "link", "searchbox", "combobox", "radio", "checkbox", "grid", "dialog",
                 "application", "navigation", "region", "columnheader")
        roles = {}
        for node in nodes:
            role = node.get("role", {}).get("value")
            if node.get("ignored") or role not in named:
                continue
            roles[role] = roles.get(role, 0) + 1
            self.assertTrue(node.get("name", {}).get("value"), f"a {role} without a name: {node}")
        for role in ("button", "link", "searchbox", "combobox", "radio", "grid", "columnheader"):
            self.assertIn(role, roles)

    def test_filtered_and_empty_runs(self):
        self.some_objects()
        self.show(self.top / "run1", "--path", "*file3")
        self.assertEqual(len(self.paths()), 1)
        self.assertIn("Made with a filter", self.text("#summary"))
        self.show(self.shell("true"))
        self.assertEqual(self.text("#object-count"), "0 objects")
        self.assertIn("No object was created", self.text("#no-objects"))
        self.assert_quiet()


if __name__ == "__main__":
    harness.main()
