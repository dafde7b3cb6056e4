"""The address of the HTML report: what it names is shown, and Back and Forward do what they say.

Ground truth: the browser's own history and location, and what was on the page before.
"""
import re

from lib import harness
from lib.page import PageCase

RACE = """
import os, sys, threading
opened, made = threading.Event(), threading.Event()
def reader():
    mask = os.umask(0)
    opened.set()
    made.wait()
    os.umask(mask)
def writer():
    opened.wait()
    for name in sys.argv[1:]:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o666))
    made.set()
os.umask(0o022)
threads = [threading.Thread(target=reader), threading.Thread(target=writer)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
os.umask(0o077)
os.close(os.open("plain", os.O_CREAT | os.O_WRONLY, 0o640))
"""

# From an object to the change that set its mask.
OPEN_SETTER = """[...document.querySelectorAll('#story .link')].find(
  (link) => link.textContent.startsWith('umask(')).click()"""

# The visible state: the drawer, the card in focus, the table, the filters, the timeline's part.
SEEN = """
const text = (selector) => document.querySelector(selector)?.textContent ?? null;
const story = document.querySelector('#story');
const values = (selector) => [...document.querySelectorAll(selector)].map(
  (one) => (one.type === 'checkbox' ? one.checked : one.value));
return {
  story: story.open ? story.querySelector('#story-title').textContent : null,
  body: story.open ? story.querySelector('.facts').textContent : null,
  rows: [...document.querySelectorAll('#grid .row')].sort((a, b) => a.place - b.place)
    .map((row) => row.querySelector('.path').textContent),
  count: text('#object-count'), hidden: text('#objects-hidden'), cards: text('#finding-count'),
  titles: [...document.querySelectorAll('#cards .finding .fingerprint')].map((p) => p.textContent),
  chosen: values('#objects select'), search: document.querySelector('#search').value,
  severities: values('#severities input'), rule: values('#finding-rule'),
  tree: text('#tree [aria-selected=true]'), range: text('#timeline-range'),
  focus: story.open ? null : document.activeElement.closest('.finding')?.id ?? null,
};"""


class HtmlAddress(PageCase):
    def race(self):
        """A run with a victim in each of two directories, and a plain object."""
        for name in ("a", "b"):
            (self.work / name).mkdir()
        names = [str(self.work / name) for name in ("a/one", "a/two", "b/three")]
        _, run = self.python(RACE, *names)
        self.file = self.page(run)
        self.open(self.file)
        return names

    def go(self, step, condition, *given):
        self.browser.run(f"history.{step}()")
        self.wait_until(condition, *given)

    def open_row(self, place):
        self.browser.run("document.querySelector(`#row-${arguments[0]}`).click()", place)

    def test_back_closes_the_drawer_and_forward_opens_it(self):
        names = self.race()
        self.assertEqual(self.address(), "")
        self.open_row(0)
        first = self.address()
        self.assertRegex(first, r"^#o=\d+$")
        self.go("back", "!document.querySelector('#story').open")
        self.assertEqual(self.address(), "")
        self.go("forward", "document.querySelector('#story').open")
        self.assertEqual((self.story(), self.address()), (names[0], first))

        # From an object to the change that made it, and back step by step.
        self.browser.run(OPEN_SETTER)
        second = self.address()
        self.assertNotEqual(second, first)
        self.go("back", "location.hash !== given[0]", second)
        self.assertIsNotNone(self.story())

    def test_closing_by_hand_is_going_back(self):
        names = self.race()
        for close in (lambda: self.browser.press("Escape"),
                      lambda: self.browser.click(".story-head .button"),
                      lambda: self.browser.run("document.querySelector('#story').dispatchEvent("
                                               "new MouseEvent('click'))")):
            self.open_row(1)
            length = self.browser.run("return history.length")
            self.assertEqual(self.story(), names[1])
            close()
            self.wait_until("location.hash === ''")
            self.assertIsNone(self.story())
            self.assertEqual(self.browser.run("return history.length"), length)
            self.go("forward", "document.querySelector('#story').open")
            self.assertEqual(self.story(), names[1])
            self.go("back", "!document.querySelector('#story').open")
        # A reload between does not matter.
        self.open_row(1)
        self.browser.command("POST", "/refresh")
        self.assertEqual(self.story(), names[1])
        self.browser.press("Escape")
        self.wait_until("location.hash === ''")
        self.assertIsNone(self.story())
        # Two drawers deep, one Escape leads out of both.
        self.open_row(0)
        self.browser.run(OPEN_SETTER)
        self.browser.press("Escape")
        self.wait_until("location.hash === ''")
        self.assertIsNone(self.story())
        self.assertEqual(self.browser.log("browser"), [])

    def test_another_drawer_at_once(self):
        """The browser goes back later than the next drawer is opened."""
        names = self.race()
        self.open_row(0)
        first = self.address()
        self.browser.run("""const story = document.querySelector('#story');
story.close();
story.dispatchEvent(new Event('close'));  // the browser's own comes later
document.querySelector('#row-2').click();""")
        self.wait_until("/^#o=/.test(location.hash) && location.hash !== given[0]", first)
        self.wait_for_frame()
        self.assertEqual(self.story(), names[2])
        self.open_at(self.file, self.address())
        self.assertEqual(self.story(), names[2])
        # A page that begins with a drawer: closing it leaves the page as it is.
        self.browser.press("Escape")
        self.wait_until("location.hash === ''")
        self.assertIsNone(self.story())
        self.assertIn("objects", self.text("#object-count"))

    def act(self, name, script):
        """Does something, and opens its address as a new page: the same is to be seen."""
        self.open_at(self.file, "")
        nothing = self.browser.run(SEEN)
        self.browser.run(script)
        self.wait_for_frame()
        shown, address = self.browser.run(SEEN), self.address()
        self.assertNotEqual(address, "", name)
        self.assertNotEqual(shown, nothing, name)
        self.open_at(self.file, address)
        self.wait_for_frame()
        self.assertEqual(self.browser.run(SEEN), shown, f"{name}: {address}")
        self.assertEqual(self.browser.run("return location.hash"), address)
        self.browser.command("POST", "/refresh")
        self.wait_for_frame()
        self.assertEqual(self.browser.run(SEEN), shown, f"{name}, after a reload: {address}")
        self.assertTrue(self.browser.run("return document.querySelector('#address-note').hidden"))
        return address

    def test_each_address_shows_the_same_again(self):
        self.race()
        choose = ("const one = document.querySelector('{}'); one.value = [...one.options].at(-1)"
                  ".value; one.dispatchEvent(new Event('change', {{bubbles: true}}));")
        found = {}
        for name, script in {
                "object": "document.querySelector('#row-1').click()",
                "change": "document.querySelector('.side.culprit > .link').click()",
                "thread": "document.querySelector('.culprits .link').click()",
                "thread of a card": "document.querySelector('.side-who .link').click()",
                "finding": "document.querySelector('#row-0').click(); document.querySelector("
                           "'#story .part .plain .link').click()",
                "severity": "document.querySelector('#severities input').click()",
                "rule": choose.format("#finding-rule"),
                "directory": choose.format(".choose-directory"),
                "tree": "[...document.querySelectorAll('#tree .tree-name')].at(-1).click()",
                "search": "const one = document.querySelector('#search'); one.value = 'two';"
                          "one.dispatchEvent(new Event('input'))",
                "mode": "document.querySelector('.modes .mode-bar').click();",
                "mask": choose.format("#filter-mask"),
                "thread filter": choose.format("#filter-thread"),
                "finding filter": choose.format("#filter-finding"),
                "order": "document.querySelector('[data-key=path] button').click();"
                         "document.querySelector('[data-key=path] button').click()",
                "timeline": "document.querySelector('[aria-label=\"Zoom in\"]').click()",
        }.items():
            with self.subTest(name=name):
                found[name] = self.act(name, script)
        self.assertEqual(len(set(found.values())), len(found) - 1, found)  # the two threads
        self.assertRegex(found["finding"], r"^#f=[0-9a-f]{16}$")
        self.assertEqual(found["search"], "#q=two")
        self.assertEqual(self.browser.log("browser"), [])

    def test_sections_have_addresses(self):
        self.race()
        self.browser.type("#search", "two")
        self.address()
        self.browser.click("#nav a[href='#timeline']")
        self.assertEqual(self.address(), "#timeline&q=two")  # what is chosen stays
        self.assertEqual(self.text("#object-count"), "1 of 4 objects")
        for section in ("findings", "timeline", "directories", "objects"):
            self.open_at(self.file, f"#{section}")
            self.wait_for_frame()
            self.assertLess(abs(self.browser.run(
                "return document.querySelector(arguments[0]).getBoundingClientRect().top",
                f"#{section} h2")), 600, section)
            self.assertNotEqual(self.browser.run("return scrollY"), 0)
        self.open_at(self.file, "")
        self.browser.click(".ruler .link")
        self.assertTrue(self.address().startswith("#timeline"), self.address())

    def test_a_note_of_the_program(self):
        _, run = self.python("import ctypes, os; os.close(os.open('x', os.O_CREAT, 0o600));"
                             "ctypes.CDLL(None).umaskaudit_annotate(b'loading <b>config</b>')")
        self.file = self.page(run)
        self.open_at(self.file, "#n=0")
        self.assertEqual(self.story(), "loading <b>config</b>")
        self.browser.press("Escape")
        self.assertIsNone(self.story())

    def test_unknown_addresses_are_said(self):
        self.race()
        for address, named in {
                "#nowhere": "nowhere", "#o=999999": "object 999999", "#c=77777": "77777",
                "#t=1.2": "thread 1.2", "#n=5": "note 5", "#f=0123456789abcdef": "finding",
                "#mode=0123": "0123", "#finding=no-such-rule": "no-such-rule",
                "#rule=no-such-rule": "no-such-rule", "#severity=worst": "worst",
                "#dir=/no/such/": "/no/such/", "#sort=colour": "colour", "#from=9&to=1": "part",
                "#q=%E0%A4%A": "%E0%A4%A", "#x=1": "x", "#o=": "object", "#o=NaN": "object",
                "#o=__proto__": "__proto__", "#=": "''", "#n=-1": "note",
                "#o=<img src=x onerror=alert(1)>": "object",
                "#%3Cimg%20src=x%20onerror=alert(1)%3E": "%3Cimg%20src",
        }.items():
            with self.subTest(address=address):
                self.open_at(self.file, address)
                self.assertFalse(self.browser.run(
                    "return document.querySelector('#address-note').hidden"))
                self.assertIn(named, self.text("#address-note"))
                self.assertIsNone(self.story())
                self.assertEqual(self.text("#object-count"), "4 objects")
                self.assertEqual(self.browser.run(
                    "return document.querySelectorAll('main img').length"), 0)
                self.assert_quiet()
        # One that is right takes the note away; so does what is done by hand.
        self.browser.run("location.hash = '#objects'")
        self.wait_until("document.querySelector('#address-note').hidden")
        self.browser.run("location.hash = '#elsewhere'")
        self.wait_until("!document.querySelector('#address-note').hidden")
        self.open_row(0)
        self.assertTrue(self.browser.run("return document.querySelector('#address-note').hidden"))

    def test_an_object_keeps_its_address_on_a_shorter_page(self):
        names = self.race()
        self.browser.run("document.querySelector('#row-2').click()")
        address = self.address()
        self.file = self.page(self.top / "run1", "--path", "*three")
        self.open_at(self.file, address)
        self.assertEqual(self.story(), names[2])
        self.assertEqual(re.sub(r"\D", "", self.text("#object-count")), "1")


if __name__ == "__main__":
    harness.main()
