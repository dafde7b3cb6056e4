"""Frames of Perl, PHP and Ruby in the events of programs made from a seed: each event's whole stack
against what the language says of it.

Must never skip without saying what is missing.
"""

from lib import harness, interpreted_scripts
from lib.script_stacks import ScriptCase, needs_version


class InterpretedCase(ScriptCase):
    command = []
    name = ""  # of the program

    def program(self, seed):
        """Its text."""
        raise NotImplementedError

    def check(self, seed):
        return self.check_generated(self.command, {self.name: self.program(seed)})


@needs_version("v5.36.0", "perl", "-e", "print $^V")
class Perl(InterpretedCase):
    language = "Perl"
    command = ["perl"]
    name = "main.pl"

    def program(self, seed):
        return interpreted_scripts.perl(seed)

    def test_every_stack_is_whole(self):
        for round_ in range(4):
            self.check(self.seed + round_)

    def test_killed_at_a_random_moment(self):
        for round_ in range(3):
            text = interpreted_scripts.perl(self.seed + round_, for_ever=True)
            self.check_killed(self.command, {self.name: text})

    def test_unchanged(self):
        self.check_unchanged(self.command, {self.name: self.program(self.seed)})

    def test_threads_have_stacks_of_their_own(self):
        text = """use threads;
sub make {
  mkdir shift; }
sub other { make(shift); }
my @threads = map { my $name = "$ARGV[1]/$_"; threads->create(\\&other, $name) } 1 .. 4;
$_->join for @threads;
"""
        program, side, work = self.write({"main.pl": text})
        _, run = self.record("perl", program, side, work)
        made = self.recorded(self.report(run))
        self.assertEqual([made[str(work / str(number))] for number in range(1, 5)],
                         [[[str(program), 3, "main::make"], [str(program), 4, "main::other"],
                           [str(program), 5, "(eval)"], [str(program), 5, ""]]] * 4)


@needs_version("8.2.", "php", "-r", "echo PHP_VERSION;")
class Php(InterpretedCase):
    language = "PHP"
    command = ["php"]
    name = "main.php"

    def program(self, seed):
        return interpreted_scripts.php(seed)

    def test_every_stack_is_whole(self):
        for round_ in range(4):
            self.check(self.seed + round_)

    def test_killed_at_a_random_moment(self):
        for round_ in range(3):
            text = interpreted_scripts.php(self.seed + round_, for_ever=True)
            self.check_killed(self.command, {self.name: text})

    def test_unchanged(self):
        self.check_unchanged(self.command, {self.name: self.program(self.seed)})

    def test_generators_in_between_are_not_told(self):
        """A generator that delegates to another is not on the stack (yield from)."""
        text = """<?php
function inner() { mkdir($GLOBALS['argv'][2] . '/made'); yield 1; }
function outer() { yield from inner(); }
foreach (outer() as $value) { }
"""
        program, side, work = self.write({"main.php": text})
        _, run = self.record("php", program, side, work)
        made = self.recorded(self.report(run))
        self.assertEqual(made[str(work / "made")],
                         [[str(program), 2, "inner"], [str(program), 4, ""]])


@needs_version("3.1.", "ruby", "-e", "print RUBY_VERSION")
class Ruby(InterpretedCase):
    language = "Ruby"
    command = ["ruby", "--disable-gems"]
    name = "main.rb"

    def program(self, seed):
        return interpreted_scripts.ruby(seed)

    def test_every_stack_is_whole(self):
        for round_ in range(4):
            self.check(self.seed + round_)

    def test_killed_at_a_random_moment(self):
        for round_ in range(3):
            text = interpreted_scripts.ruby(self.seed + round_, for_ever=True)
            self.check_killed(self.command, {self.name: text})

    def test_unchanged(self):
        self.check_unchanged(self.command, {self.name: self.program(self.seed)})

    def test_while_the_heap_is_compacted(self):
        """mkdir and open are without the interpreter's lock: another thread moves what frames
        name. The program lives, and what is told is right."""
        text = """def make(path)
  Dir.mkdir(path)
end
threads = 3.times.map do |number|
  Thread.new do
    300.times { |i| make("#{ARGV[1]}/#{number}-#{i}") }
  end
end
GC.compact while threads.any?(&:alive?)
puts "done"
"""
        program, side, work = self.write({"main.rb": text})
        result, run = self.record("ruby", "--disable-gems", program, side, work)
        self.assertEqual(result.stdout, b"done\n")
        made = self.recorded(self.report(run))
        name = str(program)
        whole = [[name, 2, "make"], [name, 6, "block (3 levels) in <main>"],
                 [name, 6, "block (2 levels) in <main>"]]
        told = [frames for path, frames in made.items() if path.startswith(str(work)) and frames]
        self.assertGreater(len(told), 450, "most can be read")
        self.assertEqual([frames for frames in told if frames != whole], [])


if __name__ == "__main__":
    harness.main()
