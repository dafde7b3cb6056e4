"""A program in an interpreter runs as without the shim while its script's frames are read: errno,
the heap, its own system calls, and what it has of stack.

Must never take the interpreter's word alone: a library between the program and the shim counts.
"""

import os
import struct
import textwrap

from lib import harness, python_scripts
from lib.harness import SHIM, needs, victim
from lib.python_scripts import INTERPRETERS
from lib.script_stacks import ScriptCase, StackCase, needs_version

ROUNDS = 20

# Each makes ROUNDS directories and files, and as many directories that are there already; in the
# directory that it is given, with two functions on its stack.
PYTHON = """\
import os, sys
def make(number):
    os.umask(0o22)
    os.mkdir("%s/d%d" % (sys.argv[1], number))
    os.close(os.open("%s/f%d" % (sys.argv[1], number), os.O_CREAT | os.O_WRONLY, 0o666))
    try:
        os.mkdir(sys.argv[1])
    except FileExistsError as error:
        print(error.errno)
def turn(number):
    make(number)
for number in range(20):
    turn(number)
"""
NODE = """\
const fs = require('fs');
const where = process.argv[2];
function make(number) {
  process.umask(0o22);
  fs.mkdirSync(`${where}/d${number}`);
  fs.writeFileSync(`${where}/f${number}`, '');
  try {
    fs.mkdirSync(where);
  } catch (error) {
    console.log(error.errno);
  }
}
function turn(number) {
  make(number);
}
for (let number = 0; number < 20; number++) turn(number);
"""
PERL = """\
sub make {
  my $number = shift;
  umask 022;
  $! = 77; mkdir "$ARGV[0]/d$number" or die; print 0 + $!, "\\n";
  $! = 77; open(my $file, '>', "$ARGV[0]/f$number") or die; print 0 + $!, "\\n";
  mkdir $ARGV[0] and die; print 0 + $!, "\\n";
}
sub turn { make(shift); }
turn($_) for 0 .. 19;
"""
PHP = """\
<?php
function make($number) {
  umask(022);
  mkdir("{$GLOBALS['argv'][1]}/d$number");
  fclose(fopen("{$GLOBALS['argv'][1]}/f$number", 'w'));
  @mkdir($GLOBALS['argv'][1]);
  echo error_get_last()['message'], "\\n";
}
function turn($number) { make($number); }
for ($number = 0; $number < 20; $number++) turn($number);
"""
RUBY = """\
def make(number)
  File.umask(022)
  Dir.mkdir("#{ARGV[0]}/d#{number}")
  File.open("#{ARGV[0]}/f#{number}", 'w') { }
  begin
    Dir.mkdir(ARGV[0])
  rescue SystemCallError => error
    puts error.errno
  end
end
def turn(number) = make(number)
20.times { |number| turn(number) }
"""
# A shell makes directories by a program: its own failure is a file in none.
SHELL = """\
make() {
  umask 022
  true > "$1/f$2"
  true > "$1/none/f$2"
}
turn() { make "$1" "$2"; }
for number in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
  turn "$1" "$number"
done 2>/dev/null
"""
JAVA = """\
import java.nio.file.*;
public class Made {
  static void make(String where, int number) throws Exception {
    Files.createDirectory(Path.of(where, "d" + number));
    Files.createFile(Path.of(where, "f" + number));
    try {
      Files.createDirectory(Path.of(where));
    } catch (FileAlreadyExistsException error) {
      System.out.println(error);
    }
  }
  static void turn(String where, int number) throws Exception { make(where, number); }
  public static void main(String[] words) throws Exception {
    for (int number = 0; number < 20; number++) turn(words[0], number);
  }
}
"""


class Weighed(StackCase):
    """Calls behind a library that counts."""

    def weigh(self, language, name, text, *command, kinds="df", functions=2):
        self.language = language
        program = self.top / name
        program.write_text(text)
        counts, run = self.top / "counts", self.new_run()
        command = [*command, program, self.work]
        bare = self.execute(*command)
        harness.remove_tree(self.work)
        self.work.mkdir()
        result = self.execute(*command, env={
            "LD_PRELOAD": f"{victim('libweighed_calls.so')} {SHIM}", "WEIGHED_CALLS": str(counts),
            "UMASKAUDIT_OPTIONS": f"log=off:trace={run}"})
        told = (result.returncode, result.stdout, result.stderr)
        self.assertEqual(told, (bare.returncode, bare.stdout, bare.stderr))
        calls, failed, allocations, wrong = struct.unpack("4Q", counts.read_bytes())
        self.assertGreaterEqual(calls, ROUNDS * (len(kinds) + 1))
        self.assertGreaterEqual(failed, ROUNDS)
        self.assertEqual((allocations, wrong), (0, 0), "allocations, errors that are wrong")
        # So that it was their frames' capture.
        made = self.recorded(self.report(run))
        for kind in kinds:
            for number in range(ROUNDS):
                frames = made[str(self.work / f"{kind}{number}")]
                self.assertGreaterEqual(len(frames), functions, (kind, number))

    def test_python(self):
        for python in INTERPRETERS:
            with self.subTest(python=python):
                harness.remove_tree(self.work)
                self.work.mkdir()
                (self.top / "counts").unlink(missing_ok=True)
                self.weigh("Python", "made.py", PYTHON, python)

    @needs("node")
    def test_node(self):
        self.weigh("JavaScript", "made.js", NODE, "node")

    @needs("java")
    def test_java(self):
        self.weigh("Java", "Made.java", JAVA, "java", "-XX:+PerfDisableSharedMem")

    @needs_version("v5.36.0", "perl", "-e", "print $^V")
    def test_perl(self):
        self.weigh("Perl", "made.pl", PERL, "perl")

    @needs_version("8.2.", "php", "-r", "echo PHP_VERSION;")
    def test_php(self):
        self.weigh("PHP", "made.php", PHP, "php")

    @needs_version("3.1.", "ruby", "-e", "print RUBY_VERSION")
    def test_ruby(self):
        self.weigh("Ruby", "made.rb", RUBY, "ruby", "--disable-gems")

    @needs("bash")
    def test_bash(self):
        self.weigh("shell", "made.sh", SHELL, "bash", kinds="f")

    @needs("zsh")
    def test_zsh(self):
        self.weigh("shell", "made.sh", SHELL, "zsh", "-f", kinds="f")

    @needs("dash")
    def test_dash(self):
        self.weigh("shell", "made.sh", SHELL, "dash", kinds="f", functions=1)


class Calls(ScriptCase):
    """The system calls of the program, as strace(1) sees them, less those of the shim; what it
    holds, prints and makes. Not of node: its own threads make calls in another order each time."""

    def test_python(self):
        for python in INTERPRETERS[:1] + INTERPRETERS[-1:]:
            with self.subTest(python=python):
                self.check_unchanged([python], {"main": python_scripts.once(self.seed)})


# Makes the next directory by a function in a file and on a line of its own, on little stack.
ON_LITTLE_STACK = textwrap.dedent("""\
    import ctypes, os, sys
    library = ctypes.CDLL(sys.argv[1])
    work = sys.argv[2]
    coroutine, most, least, step = map(int, sys.argv[3:7])
    def make(number):
        text = "def made():" + "\\n" * number + " os.umask(0o22); os.mkdir('%s/%d')\\nmade()\\n"
        code = compile(text % (work, number), "%s/of%d" % (work, number), "exec")
        return ctypes.CFUNCTYPE(None)(lambda: exec(code, {"os": os}))
    used = [library.call_with_little_stack(make(left), left, coroutine)
            for left in range(most, least, -step)]
    print(max(used))
    """)
# Of a stack of which nothing is known: SMALL_STACK in tests/unit/preload/test_file.py.
SMALL_STACK = 1664
PLENTY = 100_000
# From here on there is room for everything.
ROOM = 16384


class LittleStack(StackCase):
    language = "Python"

    def call(self, python, coroutine, most, least, step, **environment):
        """The most stack that one of the calls took."""
        harness.remove_tree(self.work)
        self.work.mkdir()
        program = self.top / "program.py"
        program.write_text(ON_LITTLE_STACK)
        # The lazy binding of a first call saves all vector registers on the stack.
        result = self.execute(python, program, victim("liblittle_stack.so"), self.work,
                              int(coroutine), most, least, step,
                              env={"LD_BIND_NOW": "1", **environment})
        self.assertEqual((result.returncode, result.stderr), (0, b""), python)
        return int(result.stdout)

    def recorded_call(self, *arguments):
        run = self.new_run()
        used = self.call(*arguments, LD_PRELOAD=SHIM, UMASKAUDIT_OPTIONS=f"log=off:trace={run}")
        return used, run

    def test_of_threads(self):
        """From next to nothing beyond what the program takes itself to plenty: it lives, and what
        is recorded of the script is right."""
        for python in INTERPRETERS:
            with self.subTest(python=python):
                own = self.call(python, False, PLENTY, PLENTY - 2000, 500)
                most, least = own + ROOM + 2000, own + 640
                _, run = self.recorded_call(python, False, most, least, 125)
                made = self.recorded(self.report(run))
                self.assertEqual(len(os.listdir(self.work)), len(range(most, least, -125)))
                told = {}
                for name in os.listdir(self.work):
                    frames = made.get(str(self.work / name), [])
                    if frames:
                        told[int(name)] = frames[0]
                self.assertEqual(told, {left: [f"{self.work}/of{left}", left + 1, "made"]
                                        for left in told})
                self.assertLessEqual(set(range(most, own + 8192 + 4096, -125)), set(told))

    def test_of_coroutines(self):
        """Of a stack of unknown size little is taken."""
        for python in INTERPRETERS:
            with self.subTest(python=python):
                plenty = (True, PLENTY, PLENTY - 2000, 500)
                own = self.call(python, *plenty)
                ours, run = self.recorded_call(python, *plenty)
                self.assertLess(ours - own, SMALL_STACK)
                made = self.recorded(self.report(run))
                for left in range(*plenty[1:3], -500):
                    self.assertEqual(made[f"{self.work}/{left}"][0][1:], [left + 1, "made"])


if __name__ == "__main__":
    harness.main()
