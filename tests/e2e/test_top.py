"""`top`: its screen as tmux shows it, the terminal afterwards, and the picture without one."""

import os
import re
import shlex
import signal
import subprocess
import time

from lib import harness
from lib.harness import Case, needs, victim

DEADLINE = harness.TIMEOUT
SCRIPT = "umask 027; mkdir made; umask 0; : > wide; read line < fifo; mkdir late; exit 7"


class Pane:
    """A shell in a terminal of tmux's, with a server of its own."""

    def __init__(self, case, size=(120, 40), **env):
        self.case = case
        case.panes = getattr(case, "panes", 0) + 1
        self.socket = str(case.top / f"tmux{case.panes}")
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("UMASKAUDIT_", "TEST_", "TMUX", "NO_COLOR"))}
        environment.update(env)
        case.addCleanup(self.tmux, "kill-server", check=False)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", size[0], "-y", size[1], "-c",
                  case.work, "bash --norc --noprofile -i", env=environment)
        self.wait(lambda: self.text().strip(), "the shell prompts")

    def tmux(self, *words, check=True, **options):
        result = subprocess.run(["tmux", "-S", self.socket, *map(str, words)], timeout=DEADLINE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        if check and result.returncode != 0:
            raise AssertionError(f"tmux {words}: {result.stderr}")
        return result.stdout.decode()

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, *words):
        self.tmux("send-keys", "-l", " ".join(shlex.quote(str(word)) for word in words))
        self.keys("Enter")

    def text(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def lines(self):
        return self.text().rstrip("\n").split("\n")

    def on_screen(self):
        return self.tmux("display", "-p", "#{alternate_on}").strip() == "1"

    def wait(self, true, what):
        end = time.monotonic() + DEADLINE
        while not true():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain until {what}:\n{self.text()}")
            time.sleep(0.02)

    def wait_for(self, *texts):
        self.wait(lambda: all(text in self.text() for text in texts), f"{texts} show")

    def state(self):
        """What a program must leave as it found it."""
        file = self.case.top / "stty"
        file.unlink(missing_ok=True)
        self.tmux("send-keys", "-l", f"stty -a > {file}.new; mv {file}.new {file}")
        self.keys("Enter")
        self.wait(file.exists, "stty has written")
        return file.read_text(), self.tmux("display", "-p",
                                           "#{alternate_on} #{cursor_flag} #{wrap_flag} "
                                           "#{mouse_any_flag}")

    def code(self):
        """The exit code of the last command."""
        self.tmux("send-keys", "-l", "echo code=$?.")
        self.keys("Enter")
        self.wait(lambda: any(line.startswith("code=") for line in self.lines()), "the code shows")
        return [line for line in self.lines() if line.startswith("code=")][-1]


@needs("tmux", "bash")
class Screen(Case):
    def setUp(self):
        super().setUp()
        self.fifo = self.work / "fifo"
        os.mkfifo(self.fifo)

    def start_run(self):
        """A program that made some things and waits at the fifo: (process, run)."""
        run = self.new_run()
        process = subprocess.Popen(
            [harness.TOOL, "run", "-o", run, "--no-summary", "--", "sh", "-c", SCRIPT],
            cwd=self.work, stdin=subprocess.DEVNULL, start_new_session=True)

        def end():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

        self.addCleanup(end)
        return process, run

    def proceed(self):
        """Lets the program go on; it opens the fifo sooner or later."""
        self.fifo.write_text("\n")

    def show(self, pane, *words):
        pane.type(harness.TOOL, "top", *words)
        pane.wait_for("FS CONTEXT", "q quit")

    def top_pid(self, pane):
        """The one child of the pane's shell: proc(5)."""
        shell = pane.tmux("display", "-p", "#{pane_pid}").strip()
        with open(f"/proc/{shell}/task/{shell}/children", encoding="ascii") as children:
            return int(children.read())

    def test_what_happens_shows_while_it_happens(self):
        pane = Pane(self, size=(200, 40))
        process, run = self.start_run()
        pane.wait((run / "run.json").exists, "the run begins")
        self.show(pane, run)
        pane.wait_for("recording", "/made 0777 & ~0027 = 0750", "/wide 0666 & ~0000 = 0666",
                      "0027->0000", "FINDINGS so far", "warning: umask-zero")
        self.assertNotIn("late", pane.text())
        pane.wait(lambda: any(re.search(r"mkdir \d+ +\d+ ended ", line)
                              for line in pane.lines()), "the process of mkdir is marked")
        self.assertFalse([line for line in pane.lines()
                          if re.search(r" sh \d+ +\d+ ended", line)])
        (context,) = [line for line in pane.lines() if line.split()[1:2] == ["0000"]]
        self.assertIn("sh ", context)
        self.proceed()
        pane.wait_for("ended", "/late 0777 & ~0000 = 0777", "FINDINGS of the run")
        self.assertEqual(process.wait(DEADLINE), 7)

    def test_keys_and_the_terminal_afterwards(self):
        _, run = self.record("sh", "-c", "umask 077; mkdir made")
        pane = Pane(self)
        before = pane.state()
        self.show(pane, run)
        self.assertTrue(pane.on_screen())
        for order, title in (("changes", "CHANGES"), ("created", "CREATED"), ("latest", "LATEST"),
                             ("name", "THREAD"), ("pid", "PID"), ("changes", "CHANGES")):
            pane.wait_for("by " + order, title + "\u2193")
            pane.keys("s")
        pane.keys("r")
        pane.wait_for("by created (r)", "CREATED\u2191")
        pane.keys("q")
        pane.wait(lambda: not pane.on_screen(), "the screen is left")
        self.assertEqual(pane.code(), "code=0.")
        self.assertEqual(pane.state(), before)

    def test_the_sort_key_sorts(self):
        _, run = self.record("sh", "-c", "umask 077; umask 022; umask 077; touch a b; touch c")
        pane = Pane(self, size=(150, 40))

        def is_first(name):
            lines = pane.lines()
            return [line.split()[1:2] for title, line in zip(lines, lines[1:])
                    if title.startswith("* THREAD")] == [[name]]

        self.show(pane, run)
        pane.wait(lambda: is_first("sh"), "the shell, which changed the mask, is first")
        pane.keys("s")
        pane.wait(lambda: is_first("touch"), "the creator is first")
        pane.keys("r")
        pane.wait(lambda: is_first("sh"), "the shell, which created nothing, is first")

    def test_signals_give_the_terminal_back(self):
        _, run = self.record("sh", "-c", "umask 077; mkdir made")
        pane = Pane(self)
        before = pane.state()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT,
                       signal.SIGSEGV, signal.SIGABRT):
            pane.type("ulimit", "-c", "0")
            pane.type("clear")
            self.show(pane, run)
            os.kill(self.top_pid(pane), number)
            pane.wait(lambda: not pane.on_screen(), f"{number} ends it")
            self.assertEqual(pane.state(), before, number)

    def test_stop_and_go_on(self):
        _, run = self.record("sh", "-c", "umask 077; mkdir made")
        pane = Pane(self)
        before = pane.state()
        self.show(pane, run)
        pane.keys("C-z")
        pane.wait(lambda: not pane.on_screen(), "the shell has the terminal")
        self.assertEqual(pane.state()[1], before[1])
        pane.type("fg")
        pane.wait(pane.on_screen, "the screen is back")
        pane.wait_for("FS CONTEXT", "q quit")
        pane.keys("q")
        pane.wait(lambda: not pane.on_screen(), "the screen is left")
        self.assertEqual(pane.state(), before)

    def test_a_new_size(self):
        """Down to a few columns: it fits, and no number is cut."""
        _, run = self.record("sh", "-c", "umask 077; mkdir made; umask 0; mkdir wide")
        number = r"0x[0-9a-f]+|[0-9]+"
        whole = set(re.findall(number, self.tool("top", run)))
        pane = Pane(self)
        self.show(pane, run)
        pane.wait_for("FINDINGS of the run")
        for columns, lines in ((80, 24), (60, 15), (30, 8), (20, 5), (12, 3), (160, 50)):
            pane.tmux("resize-window", "-x", columns, "-y", lines)
            pane.wait(lambda: len(pane.lines()) == lines and pane.lines()[-1].startswith("q quit")
                      and re.match(r"(umaskaudit top )?ended ", pane.lines()[0])
                      and ("FINDINGS" in pane.text()) == (lines >= 15),
                      f"it fits {columns}x{lines}")
            for line in pane.lines()[:-1]:
                self.assertEqual(set(re.findall(number, line)) - whole, set(), line)

    def test_counts_come_before_paths(self):
        _, run = self.record("sh", "-c", "umask 077; mkdir made; umask 0; mkdir wide")
        changes = len(self.report(run).of("umask"))
        for columns in (80, 200):
            pane = Pane(self, size=(columns, 24))
            self.show(pane, run)
            pane.wait_for("FINDINGS of the run")
            head = pane.lines()[0]
            self.assertRegex(head, fr"\b{changes} (mask )?changes\b.*"
                                   r"\b2 (objects )?created\b.*\b0 lost\b")
            self.assertEqual(str(run) in head, columns == 200, head)

    def test_no_colour(self):
        """The chosen row is known without one, too."""
        _, run = self.record("sh", "-c", "umask 0; mkdir wide")
        for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            pane = Pane(self, **env)
            self.show(pane, run)
            pane.wait_for("FINDINGS of the run", "\n> ")
            screen = [line for line in pane.text("-e").split("\n") if line]
            self.assertEqual(any("\x1b[" in line for line in screen), coloured, screen)

    def test_help_is_a_page(self):
        _, run = self.record("mkdir", "made")
        for key in ("?", "h"):
            pane = Pane(self, size=(80, 12))
            self.show_small(pane, run)
            pane.keys(key)
            pane.wait_for("Keys", "PgUp PgDn", "lines 1-10 of")
            self.assertNotIn("lost            ", pane.text())
            pane.keys("End")
            pane.wait_for("lost            ")
            pane.keys("q")
            pane.wait_for("q quit")
            self.assertTrue(pane.on_screen())

    def chosen(self, pane):
        return [line[2:] for line in pane.lines() if line.startswith("> ")]

    def test_scrolling_shows_every_object_with_its_mode(self):
        """What stat(2) says of them all is on the screen, sooner or later."""
        script = "umask 027; for i in $(seq 60); do : > object-$i-; done; umask 0; mkdir object-0-"
        _, run = self.record("sh", "-c", script)
        modes = {name: os.lstat(self.work / name).st_mode & 0o7777
                 for name in os.listdir(self.work) if name.startswith("object")}
        self.assertEqual(len(modes), 61)
        pane = Pane(self, size=(120, 12))
        self.show_small(pane, run)
        pane.keys("3")
        pane.wait_for("* ", "LATEST CREATIONS 1-9 of 61")
        seen = {}

        def look():
            for name, mode in re.findall(r"/(object-\d+-) .* = ([0-7]{4})", pane.text()):
                seen[name] = int(mode, 8)

        for last in (18, 27, 36, 45, 54, 61):
            look()
            pane.keys("PgDn")
            pane.wait_for(f"-{last} of 61")
        look()
        self.assertEqual(seen, modes)
        for key, first in (("Home", 1), ("End", 53), ("g", 1), ("G", 53)):
            pane.keys(key)
            pane.wait_for(f"CREATIONS {first}-")

    def show_small(self, pane, *words):
        pane.type(harness.TOOL, "top", *words)
        pane.wait_for("q quit", "* THREAD")

    def test_rows_are_chosen_by_arrows_and_letters(self):
        _, run = self.record("sh", "-c", "umask 077; mkdir a; touch b; mknod c p")
        pane = Pane(self)
        self.show(pane, run, "--sort", "pid")
        pane.wait(lambda: self.chosen(pane)[0].startswith("sh "), "the first is chosen")
        for key, name in (("Down", "mkdir"), ("j", "touch"), ("Down", "mknod"), ("Down", "mknod"),
                          ("Up", "touch"), ("k", "mkdir"), ("End", "mknod"), ("Home", "sh")):
            pane.keys(key)
            pane.wait(lambda: self.chosen(pane)[0].startswith(name + " "), f"{key}: {name}")

    def mouse(self, pane, button, line):
        """Press and release as xterm sends them (console_codes(4)); lines from 0."""
        for code in (button, 3)[:1 if button >= 64 else 2]:  # a wheel is not released
            pane.keys("-H", "1b", "5b", "4d", f"{32 + code:x}", "25", f"{33 + line:x}")

    def test_the_mouse_chooses_opens_and_scrolls(self):
        _, run = self.record("sh", "-c", "umask 077; mkdir a; touch b; mknod c p")
        pane = Pane(self)
        self.show(pane, run, "--sort", "pid")
        self.assertEqual(pane.tmux("display", "-p", "#{mouse_any_flag}").strip(), "1")
        self.wait_chosen(pane, "sh")
        touch = next(i for i, line in enumerate(pane.lines()) if line.startswith("  touch "))
        self.mouse(pane, 0, touch)
        self.wait_chosen(pane, "touch")
        self.mouse(pane, 64, touch)  # the wheel, three rows a notch
        self.wait_chosen(pane, "sh")
        self.mouse(pane, 65, touch)
        self.wait_chosen(pane, "mknod")
        creation = next(i for i, line in enumerate(pane.lines()) if "mkdir created" in line)
        self.mouse(pane, 0, creation)
        pane.wait(lambda: re.match("> .* mkdir created ", pane.lines()[creation]), "chosen")
        self.mouse(pane, 0, 0)  # the head of the screen does nothing
        self.mouse(pane, 0, creation)
        pane.wait_for("Thread mkdir ", "q back")
        pane.keys("q")
        pane.wait_for("FS CONTEXT")
        pane.keys("q")
        pane.wait(lambda: not pane.on_screen(), "the screen is left")
        self.assertEqual(pane.tmux("display", "-p", "#{mouse_any_flag}").strip(), "0")

    def wait_chosen(self, pane, name):
        pane.wait(lambda: self.chosen(pane)[0].startswith(name + " "), f"{name} is chosen")

    def test_the_filter_counts_what_it_hides(self):
        script = "umask 027; for i in $(seq 20); do : > plain$i; done; mkdir one; touch special"
        _, run = self.record("sh", "-c", script)
        pane = Pane(self, size=(120, 50))
        self.show(pane, run)
        pane.wait_for("/plain1 ", "/one ", "/special ")
        # By path, by process (the program's file), by thread (its name); letters are letters.
        for words, shown, hidden in (("CIAL", {"special"}, "2 threads, .*21 creations"),
                                     ("/mkdir", {"one"}, "2 threads, .*21 creations"),
                                     ("touch ", {"special"}, "2 threads, .*21 creations")):
            pane.keys("/")
            pane.wait_for("/_")
            pane.keys("-l", words)
            pane.wait(lambda: re.search(hidden, pane.lines()[-2]), f"{words} hides {hidden}")
            self.assertEqual(set(re.findall(r"/(special|one|plain\d+) 0", pane.text())), shown)
            pane.keys("Enter")
            pane.wait_for("esc shows all")
            pane.keys("Escape")
            pane.wait_for("/plain1 ", "/one ", "/special ")
            self.assertNotIn("hidden", pane.text())

    def test_a_pause_stops_the_picture_and_nothing_else(self):
        pane = Pane(self, size=(200, 40))
        process, run = self.start_run()
        pane.wait((run / "run.json").exists, "the run begins")
        self.show(pane, run)
        pane.wait_for("/wide 0666 & ~0000 = 0666")
        pane.keys("Space")
        pane.wait_for("PAUSED, 0 events since")
        self.proceed()
        self.assertEqual(process.wait(DEADLINE), 7)
        self.assertTrue((self.work / "late").is_dir())
        pane.wait(lambda: re.search(r"PAUSED, [1-9]\d* events? since", pane.text()),
                  "what happens meanwhile is read")
        self.assertNotIn("/late ", pane.text())
        pane.keys("Space")
        pane.wait_for("ended", "/late 0777 & ~0000 = 0777")

    def test_all_about_a_thread(self):
        _, run = self.record("sh", "-c", "umask 027; umask 0; umask 027; umask 0; : > wide")
        report = self.report(run)
        (process,) = report.of("process")
        changes = report.of("umask")
        again = sum((change["old"], change["new"]) == ("0027", "0000") for change in changes)
        self.assertGreater(again, 1)
        pane = Pane(self)
        self.show(pane, run)
        pane.wait_for("FINDINGS of the run")
        pane.keys("Enter")
        pane.wait_for(f"Thread sh {process['pid']} of process {process['pid']}",
                      "program " + os.path.realpath("/bin/sh"),
                      f"{len(changes)} mask changes, 1 object created", "umask 0000, set by sh",
                      "0027->0000", "#0 ", "/wide 0666 & ~0000 = 0666", "Findings of the run")
        self.assertRegex(pane.text(), fr" {again}  0027->0000 ")
        pane.keys("Escape")
        pane.wait_for("FS CONTEXT")
        pane.keys("4", "Enter")
        pane.wait_for("SUMMARY: umaskaudit: ")

    def test_names_cannot_touch_the_screen(self):
        """Control bytes, wide letters, bytes that are no letters."""
        wide = "\u65e5\u672c" * 30
        names = [b"\x1b]0;owned\x07\x1b[2J", wide.encode(), b"\xff\xfe", b"a\nb\rc"]
        _, run = self.record("mkdir", *map(os.fsdecode, names))
        self.assertLessEqual(set(names), set(os.listdir(os.fsencode(self.work))))
        pane = Pane(self, size=(132, 40))
        title = pane.tmux("display", "-p", "#{pane_title}")
        self.show(pane, run)
        pane.wait_for(r"\x1b]0;owned\x07\x1b[2J 0777", r"\xff\xfe 0777", r"a\nb\rc 0777",
                      "\u672c 0777")
        self.assertEqual(pane.tmux("display", "-p", "#{pane_title}"), title)
        (line,) = [line for line in pane.lines() if "\u672c 0777" in line]
        self.assertTrue(line.endswith("0755"), line)
        self.assertLessEqual(sum(2 if letter > "\u3000" else 1 for letter in line), 132)
        self.assertIn("...", line)

    def test_a_terminal_that_nobody_knows_gets_the_picture(self):
        _, run = self.record("sh", "-c", "umask 0; mkdir wide")
        for words, env in ((("--once",), {}), ((), {"TERM": "no-such-terminal"}),
                           ((), {"TERM": "dumb"})):
            pane = Pane(self, size=(100, 40))
            pane.type("env", *(f"{name}={value}" for name, value in env.items()), harness.TOOL,
                      "top", *words, run)
            pane.wait_for("FINDINGS of the run", "/wide 0777 & ~0000 = 0777")
            self.assertFalse(pane.on_screen())
            self.assertEqual(pane.code(), "code=0.")

    def test_a_program_of_its_own(self):
        pane = Pane(self, size=(200, 40))
        self.show(pane, "-o", self.top / "own", "--", "sh", "-c", "echo noise; " + SCRIPT)
        pane.wait_for("recording", "/wide 0666 & ~0000 = 0666")
        self.proceed()
        pane.wait_for("ended", "/late")
        self.assertNotIn("noise", "\n".join(pane.lines()[1:]))
        pane.keys("q")
        pane.wait(lambda: not pane.on_screen(), "the screen is left")
        self.assertEqual(pane.code(), "code=7.")
        self.assertTrue(self.report(self.top / "own").of("create"))

    def test_quitting_ends_the_program(self):
        pane = Pane(self)
        self.show(pane, "-o", self.top / "own", "--", "sh", "-c", "mkdir made; exec sleep 1000")
        pane.wait_for("/made")
        pane.keys("q")
        pane.wait(lambda: not pane.on_screen(), "the screen is left")
        self.assertEqual(pane.code(), f"code={128 + signal.SIGTERM}.")


class Snapshot(Case):
    """Without a terminal."""

    def test_the_numbers_are_those_of_the_report(self):
        _, run = self.record(victim("threads_umask"), self.work, 100)
        report = self.report(run)
        text = self.tool("top", run)
        made = sum(map(len, report.creations().values()))
        changes = len(report.of("umask"))
        self.assertIn(f" {changes} mask changes, {made} objects created,", text)
        self.assertIn(" 0 blind spots, 0 lost", text)
        self.assertIn("FINDINGS of the run", text)
        self.assertNotIn("\x1b", text)

    def test_a_narrow_screen_leaves_columns_out_and_cuts_no_number(self):
        _, run = self.record("sh", "-c", "umask 027; mkdir made; umask 077; mkdir " + "long" * 30)
        number = r"0x[0-9a-f]+|[0-9]+"
        whole = re.findall(number, self.tool("top", run))
        for columns in (30, 45, 60, 75):
            lines = self.tool("top", run, env={"COLUMNS": str(columns)}).splitlines()
            self.assertLessEqual(max(map(len, lines)), columns, lines)
            (titles,) = [line for line in lines if "LAST CHANGE" in line]
            self.assertEqual(titles.endswith(" ..."), "LATEST" not in titles, titles)
            self.assertTrue([line for line in lines if "0077" in line.split()], "the context")
            if columns >= 45:
                self.assertIn("0027->0077", "\n".join(lines))
            self.assertEqual(set(re.findall(number, "\n".join(lines))) - set(whole), set(), lines)

    def test_names_are_escaped(self):
        _, run = self.record("mkdir", "\x1b[2Jx\ny")
        text = self.tool("top", run)
        self.assertNotIn("\x1b", text)
        self.assertIn(r"/\x1b[2Jx\ny 0777", text)

    def test_a_program_is_recorded_to_its_end(self):
        result = self.execute(harness.TOOL, "top", "-o", self.top / "own", "--", "sh", "-c",
                              "echo noise; umask 077; mkdir made; exit 7")
        self.assertEqual(result.returncode, 7)
        self.assertTrue(result.stdout.startswith(b"noise\n"), result.stdout)
        self.assertIn(b"/made 0777 & ~0077 = 0700", result.stdout)

    def test_it_takes_a_run_or_a_program(self):
        result = self.execute(harness.TOOL, "top", "x", "--", "true")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"top RUN, or umaskaudit top -- CMD", result.stderr)
        result = self.execute(harness.TOOL, "top")  # the latest run, of which there is none
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"no RUN given", result.stderr)

    def test_a_program_that_cannot_be_run(self):
        """As `run` says it."""
        for program, code in (("no-such-program", 127), ("/etc/passwd", 126)):
            said = []
            for command in ("run", "top"):
                result = self.execute(harness.TOOL, command, "-o", self.top / "own", "--", program)
                self.assertEqual(result.returncode, code)
                self.assertFalse((self.top / "own").exists())
                said.append((result.stdout, result.stderr))
            self.assertEqual(said[0], said[1])
        result = self.execute(harness.TOOL, "top", "-o", self.top / "no" / "own", "--", "true")
        self.assertEqual(result.returncode, 125)


if __name__ == "__main__":
    harness.main()
