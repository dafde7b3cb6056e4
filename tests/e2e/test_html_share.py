"""What the HTML report lets copy: commands that a shell reads as they are meant, Markdown that a
parser reads so, whatever the objects are called.

Ground truth: the bytes of the names on disk, bash, the modes of lstat, and cmark-gfm.
"""
import html
import os
import re
import stat
import subprocess

from lib import harness
from lib.harness import TOOL, octal
from lib.page import PageCase

NAMES = [b"plain", b"with space", b"it's \"quoted\"", b"$(touch taken) `touch taken` ${HOME}",
         b"; touch taken #", b"-rf", b"--help", b"tab\tnew\nline", b"\x1b[31mred\x07",
         b"bad\xff\xc0\x80", "\u202etxt.exe\u2066".encode(), "\u05e9\u05dc\u05d5\u05dd".encode(),
         b"back\\slash\\x41", b"`code` ``more``", b"` ",
         b"*bold* _it_ [link](http:a) <b>x<b> @user #1 | ~~s~~",
         b"<script>document.title=1<", b"a&lt;b&#60;", b"glob*[a-z]?", b"!history", b"~", b"%41",
         b"\\",
         b"tail\\'", b"'", b"x" * 200]

MAKE = "import os, sys\nfor name in sys.argv[1:]:\n os.close(os.open(name, os.O_CREAT, 0o644))"

# The words that a shell makes of a command, each ended by a NUL.
WORDS = "umaskaudit() { printf '%s\\0' \"$@\"; }\n"


class HtmlShare(PageCase):
    def hostile(self):
        """Objects with such names, in directories some of which have them too."""
        self.directory = os.fsencode(self.work) + b"/[d]*?\\ir `x`\n"
        os.mkdir(self.directory)
        names = [self.directory + b"/" + name for name in NAMES]
        other = os.fsencode(self.work) + b"/other"
        _, run = self.python(MAKE, *map(os.fsdecode, [*names, other]))
        self.show(run)
        self.run_path = run
        return names

    def stub(self, script):
        """Before anything is copied: window.copied takes what a clipboard gets."""
        self.browser.run("window.copied = null;" + script)

    def clipboard(self):
        self.stub("Object.defineProperty(navigator, 'clipboard', {configurable: true, value: {"
                  "writeText: async (text) => { window.copied = text; }}})")

    def copy(self, what, bar="#story .share"):
        self.browser.run(f"""window.copied = null;
[...document.querySelector({bar!r}).querySelectorAll('button')].find(
  (button) => button.textContent === 'Copy ' + arguments[0]).click()""", what)
        self.wait_until("window.copied !== null")
        return self.browser.run("return window.copied")

    def words(self, command):
        result = self.execute("/bin/bash", "-c", WORDS + command)
        self.assertEqual((result.returncode, result.stderr), (0, b""), command)
        return result.stdout.split(b"\0")[:-1]

    def real(self, command):
        """The same, by the tool itself."""
        result = self.execute("/bin/bash", "-c", f"umaskaudit() {{ {TOOL!r} \"$@\"; }}\n{command}")
        self.assertEqual((result.returncode, result.stderr), (0, b""), command)
        return result.stdout.decode()

    def open_row(self, place):
        self.browser.run("document.querySelector('#story').open && document.querySelector("
                         "'#story').close()")
        self.browser.run("const grid = document.querySelector('#grid'); grid.scrollTop = 34 *"
                         " arguments[0]", place)
        self.wait_until("document.querySelector(`#row-${given[0]}`)", place)
        self.browser.run("document.querySelector(`#row-${arguments[0]}`).click()", place)

    def test_commands_name_what_they_mean(self):
        names = self.hostile()
        self.clipboard()
        for place, name in enumerate(names):
            with self.subTest(name=name):
                self.open_row(place)
                command = self.copy("command")
                # The copied text has no control characters, which a terminal would obey.
                self.assertNotRegex(command, r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
                self.assertEqual(self.words(command), [b"blame", os.fsencode(self.run_path), name])
                mode = stat.S_IMODE(os.lstat(name).st_mode)
                self.assertIn(octal(mode), self.real(command))
        command = self.copy("command", "#story .derivation-copy .share")
        self.assertEqual(self.words(command), [b"explain", b"0644", b"0022"])
        self.assertIn(octal(mode), self.real(command))
        self.assertFalse(os.path.exists(os.fsencode(self.work) + b"/taken"))

    def test_commands_of_changes_threads_findings_and_directories(self):
        names = self.hostile()
        os.umask(0o022)
        script = ("import os\nold = os.umask(0)\nos.close(os.open('hit', os.O_CREAT, 0o666))\n"
                  "os.umask(old)\nprint(os.getpid())")
        printed, run = self.python(script)
        self.show(run)
        self.clipboard()
        self.browser.run("document.querySelector('.culprits .link').click()")
        command = self.copy("command")
        told = self.real(command)
        self.assertEqual(self.words(command)[3], printed.strip().encode())
        self.assertEqual(told.count(" umask 0"), 2, told)  # the program's calls
        self.browser.run("[...document.querySelectorAll('#story .made .link')][0].click()")
        told = self.real(self.copy("command"))
        self.assertIn("0022->0000", told)
        self.assertNotIn("0000->0022", told)
        self.browser.run("document.querySelector('#story').close()")
        command = self.copy("command", ".finding .share")
        told = self.execute("/bin/bash", "-c", f"umaskaudit() {{ {TOOL!r} \"$@\"; }}\n{command}")
        self.assertIn(b"world-writable", told.stdout)
        self.assertIn(str(self.work / "hit").encode()[-3:], told.stdout)

        self.show(self.run_path)
        self.clipboard()
        self.browser.run("[...document.querySelectorAll('#tree [role=treeitem]')].find((item) =>"
                         " item.textContent.includes('[d]')).querySelector('.tree-name').click()")
        command = self.copy("command", "#tree-tools .share")
        told = self.real(f"{command} --format jsonl")
        made = set(re.findall(r'"type":"create".*?"path":"((?:[^"\\]|\\.)*)"', told))
        self.assertEqual(len(made), len(names))
        self.assertFalse(any("other" in path for path in made))

    @harness.needs("cmark-gfm")
    def test_markdown_has_names_as_code_alone(self):
        names = self.hostile()
        self.clipboard()
        for place, name in enumerate(names):
            with self.subTest(name=name):
                self.open_row(place)
                shown = self.text("#story-title")
                rendered = subprocess.run(
                    ["cmark-gfm", "--unsafe", "-e", "table", "-e", "strikethrough", "-e",
                     "autolink"], input=self.copy("Markdown").encode(), stdout=subprocess.PIPE,
                    check=True).stdout.decode()
                codes = [html.unescape(code) for code in
                         re.findall(r"<code>(.*?)</code>", rendered, re.DOTALL)]
                self.assertIn(shown, codes, rendered)
                bare = re.sub(r"<code>.*?</code>", "", rendered, flags=re.DOTALL)
                self.assertEqual(set(re.findall(r"<(\w+)", bare)), {"h3", "ul", "li", "strong"},
                                 rendered)
                self.assertNotIn("@user", bare)
                mode = octal(stat.S_IMODE(os.lstat(name).st_mode))
                self.assertIn(mode, codes)
                command = next(code for code in codes if code.startswith("umaskaudit blame"))
                self.assertEqual(self.words(command)[-1], name)

    def test_links_are_addresses(self):
        self.hostile()
        self.clipboard()
        self.open_row(3)
        title, link = self.text("#story-title"), self.copy("link")
        self.assertEqual(self.text("#story .share [role=status]"), "Link copied")
        self.assertNotRegex(link, r"[\s()<>'\"*!]")
        self.browser.command("POST", "/url", {"url": "about:blank"})
        self.browser.command("POST", "/url", {"url": link})
        self.assertEqual(self.story(), title)

    def test_without_a_clipboard(self):
        """A browser that has no Clipboard API, one that forbids it, and one that can nothing."""
        self.hostile()
        none = ("Object.defineProperty(navigator, 'clipboard', {configurable: true,"
                " value: undefined});")
        refused = ("Object.defineProperty(navigator, 'clipboard', {configurable: true, value: {"
                   "writeText: () => Promise.reject(new DOMException('no', 'NotAllowedError'))}});")
        listen = ("document.addEventListener('copy', () => { const on = document.activeElement;"
                  " window.copied = on.value.slice(on.selectionStart, on.selectionEnd); });")
        for way in (none, refused):
            self.show(self.run_path)
            self.stub(way + listen)
            self.open_row(0)
            self.browser.click("#story .share button:nth-of-type(1)")
            self.wait_until("window.copied !== null")
            self.assertEqual(self.browser.run("return window.copied"),
                             self.browser.run("return location.href"))
            self.wait_until("document.querySelector('#story .share [role=status]').textContent"
                            " === 'Link copied'")
            self.assertIsNone(self.text("#story textarea"))
            self.assertEqual(self.browser.run("return document.activeElement.textContent"),
                             "Copy link")
            self.assertIsNotNone(self.story())
            self.assert_quiet()
        self.show(self.run_path)
        self.stub(none + "document.execCommand = () => false;")
        self.open_row(0)
        self.browser.click("#story .share button:nth-of-type(2)")
        self.wait_until("document.querySelector('#story .by-hand')")
        field = self.browser.run("const on = document.activeElement; return [on.className,"
                                 " on.value.slice(on.selectionStart, on.selectionEnd)]")
        self.assertEqual(field[0], "by-hand")
        self.assertEqual(self.words(field[1])[0], b"blame")
        self.assertIn("Ctrl+C", self.text("#story .share [role=status]"))
        self.browser.resize(400)
        self.assertLessEqual(self.browser.run(
            "return document.querySelector('.story-body').scrollWidth"), 400)


if __name__ == "__main__":
    harness.main()
