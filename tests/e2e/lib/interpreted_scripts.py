"""Programs in Perl, PHP and Ruby that are made from a seed, and that write down their own stack, as
the language tells it, for each file they make: by caller, debug_backtrace() and caller_locations.

Must never have the note and what is noted in two lines. Called by test_interpreted_stacks.py.
"""

import random

# Each has the arguments SIDE and WHERE. note() returns the path. A line of the side file is the
# path and the frames, with the characters of shell_scripts.py between them.
PERL_HEAD = r"""use strict; use warnings; no warnings 'redefine';
my ($SIDE, $WHERE) = @ARGV;
my $COUNT = 0;
sub note {
  my ($i, @frames) = (0);
  while (my @at = caller($i++)) {
    my @outer = caller($i);
    push @frames, join("\x1f", $at[1], $at[2], @outer ? $outer[3] : '') . "\x1e";
  }
  my $path = "$WHERE/f-$$-" . ++$COUNT;
  open(my $side, '>>', $SIDE) or die;
  syswrite($side, "f\x1d$path\x1d" . join('', @frames) . "\n");
  return $path;
}
"""
PERL_MAKES = ("mkdir main::note() or die", "open(my $f, '>', main::note()) or die",
              "mkdir(main::note(), 0700) or die")
PERL_WAYS = (
    "{what};",
    "{what};",
    "eval {{ {what} }}; die $@ if $@;",
    "eval {{\n  {what};\n  1 }} or die $@;",
    "for my $i (1, 2) {{\n  {what};\n}}",
    "my @sorted_{n} = sort {{ {what}; $a <=> $b }} 2, 1;",
    "sub {{ {what} }}->();",
    "my @mapped_{n} = map {{\n  {what} }} 1;",
    "eval q({what}; 1) or die $@;",
    "if (1) {{\n\n  {what} }}",
    "'abc' =~ /b(?{{ {what} }})/;",
    "do {{ {what} }};",
    "{{ my $gone = bless [sub {{ {what} }}], 'Gone';\n  undef $gone; }}",
    "Tied->call(sub {{ {what} }});",
)
PERL_TAIL = r"""
package Gone; sub DESTROY { $_[0][0]->() }
package Tied; sub call { tie my $value, 'Tied', $_[1]; my $read = $value; }
sub TIESCALAR { bless [$_[1]], $_[0] } sub FETCH { $_[0][0]->(); 1 }
"""

PHP_HEAD = r"""<?php
$SIDE = $argv[1]; $WHERE = $argv[2]; $COUNT = 0;
function note() {
  global $SIDE, $WHERE, $COUNT;
  $frames = '';
  $trace = debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS);
  foreach ($trace as $i => $at) {
    if (!isset($at['file'])) continue;
    $in = $trace[$i + 1] ?? ['function' => ''];
    $name = $in['function'];
    if (isset($in['class'])) $name = $in['class'] . '::' . $name;
    elseif (in_array($name, ['include', 'require', 'eval'])) $name = '';
    $frames .= "$at[file]\x1f$at[line]\x1f$name\x1e";
  }
  $path = "$WHERE/f-" . getmypid() . '-' . ++$COUNT;
  file_put_contents($SIDE, "f\x1d$path\x1d$frames\n", FILE_APPEND);
  return $path;
}
"""
PHP_MAKES = ("mkdir(note());", "touch(note());", "fclose(fopen(note(), 'x'));",
             "file_put_contents(note(), 'text');")
PHP_WAYS = (
    "{what}",
    "{what}",
    "if (true) {{\n  {what}\n}}",
    "foreach ([1, 2] as $i) {{\n  {what}\n}}",
    "(function() {{ {what} }})();",
    "array_map(function($x) {{\n  {what}\n}}, [1, 2]);",
    "usort($GLOBALS['pair'], function($a, $b) {{ {what} return $a <=> $b; }});",
    "eval('{quoted}');",
    "try {{\n\n  {what}\n}} finally {{ {what} }}",
    "foreach ((function() {{ {what} yield 1; {what} }})() as $value) {{ }}",
    "(new Holder(function() {{ {what} }}))->call();",
    "Holder::through(function() {{\n  {what}\n}});",
    "preg_replace_callback('/x/', function($m) {{ {what} return 'y'; }}, 'x');",
    "{{ $gone = new Gone(function() {{ {what} }});\n  unset($gone); }}",
    "$text = (string) new Holder(function() {{ {what} }});",
)
PHP_TAIL = r"""
class Holder {
  function __construct(private $then) {}
  function call() { ($this->then)(); }
  function __toString() { $this->call(); return ''; }
  static function through($then) { call_user_func($then); }
}
class Gone { function __construct(private $then) {}
  function __destruct() { ($this->then)(); } }
"""

RUBY_HEAD = r"""SIDE, WHERE = ARGV
$count = 0
LOCK = Mutex.new
def note
  frames = caller_locations(1).map do |at|
    next if at.label =~ /\A(#{OF_EXTENSIONS})\z/ && !at.path.to_s.start_with?("<")
    "#{at.path}\x1f#{at.lineno}\x1f#{at.label}\x1e"
  end.compact.join
  path = "#{WHERE}/f-#{$$}-#{LOCK.synchronize { $count += 1 }}"
  File.open(SIDE, "a") { |side| side.syswrite("f\x1d#{path}\x1d#{frames}\n") }
  path
end
OF_EXTENSIONS = %w[each map sort_by times call yield new initialize require load eval instance_eval
                   class_eval define_method send public_send synchronize catch fork inject gsub
                   each_with_index instance_exec next then loop tap sort <=> open mkdir
                   require_relative].map { |name| Regexp.escape(name) }.join("|")
"""
RUBY_MAKES = ("Dir.mkdir(note)", "File.open(note, 'w') {{ }}", "File.write(note, 'x')",
              "File.mkfifo(note)", "IO.copy_stream(File::NULL, note)")
RUBY_WAYS = (
    "{what}",
    "{what}",
    "[1, 2].each {{ |x| {what} }}",
    "[1].map do |x|\n  {what}\nend",
    "if true\n\n  {what}\nend",
    "begin\n  {what}\nensure\n  {what}\nend",
    "begin\n  raise 'x'\nrescue\n  {what}\nend",
    "->(x) {{ {what} }}.call(1)",
    "2.times do\n  {what}\nend",
    "eval %q({what})",
    "eval %q({what}), binding, 'elsewhere.rb', 70",
    "Thread.new {{ {what} }}.join",
    "Thread.new do\n  {what}\nend.join",
    "Fiber.new {{ {what} }}.resume",
    "Enumerator.new {{ |y| {what}; y << 1 }}.next",
    "Module.new {{ {what} }}",
    "1.then {{ {what} }}",
    "1.tap do\n  {what}\nend",
    "'x'.gsub(/x/) {{ {what}; 'y' }}",
    "[2, 1].sort_by {{ |x| {what}; x }}",
    "catch(:done) {{ {what} }}",
    "Holder.new(proc {{ {what} }}).go",
    "Holder.new(proc {{ {what} }}).missing",
)
RUBY_TAIL = r"""
class Holder
  def initialize(then_do) = @then = then_do
  def go

    @then.call
  end
  def method_missing(name, *rest) = go
  def respond_to_missing?(*) = true
end
"""

NAMES = ("alpha", "beta", "_x", "gamma" * 8)


class Maker:
    """Fills one program: functions that call those behind them."""

    def __init__(self, seed, makes, ways, filler="# a remark"):
        self.rng = random.Random(seed)
        self.makes = makes
        self.ways = ways
        self.filler = filler
        self.number = 0
        self.names = [f"{self.rng.choice(NAMES)}_{i}" for i in range(self.rng.randrange(6, 12))]

    def fillers(self):
        lines = ("", "", self.filler)
        return "".join(self.rng.choice(lines) + "\n" for _ in range(self.rng.randrange(3)))

    def statement(self, what):
        self.number += 1
        quoted = what.replace("\\", "\\\\").replace("'", "\\'")
        way = self.rng.choice(self.ways)
        return self.fillers() + way.format(what=what, quoted=quoted, n=self.number) + "\n"

    def body(self, index, call):
        """What a function does: makes something, and calls one or two others."""
        text = "".join(self.statement(self.rng.choice(self.makes))
                       for _ in range(self.rng.randrange(1, 4)))
        later = range(index + 1, len(self.names))
        for other in self.rng.sample(later, min(len(later), self.rng.randrange(1, 3))):
            text += self.statement(call(other))
        return text

    def calls(self, call):
        return "".join(self.statement(call(self.rng.randrange(2))) for _ in range(4))


def perl(seed, for_ever=False):
    maker = Maker(seed, PERL_MAKES, PERL_WAYS)
    packages = [maker.rng.choice(("main", "One::Two", "Three")) for _ in maker.names]

    def call(index):
        return f"{packages[index]}::{maker.names[index]}(1)"

    text = PERL_HEAD
    for index, name in enumerate(maker.names):
        text += maker.fillers() + f"package {packages[index]};\nsub {name} {{\n"
        text += maker.body(index, call) + "}\n"
    text += PERL_TAIL + "package main;\n"
    calls = maker.calls(call) + call(0) + ";\n"
    return text + (f"while (1) {{\n{calls}}}\n" if for_ever else calls)


def php(seed, for_ever=False):
    maker = Maker(seed, PHP_MAKES, PHP_WAYS)
    classes = [maker.rng.choice(("", "", "One", "Two")) for _ in maker.names]

    def call(index):
        prefix = f"{classes[index]}{index}::" if classes[index] else ""
        return f"{prefix}{maker.names[index]}();"

    text = PHP_HEAD + PHP_TAIL + "$pair = [2, 1];\n"
    for index, name in enumerate(maker.names):
        text += maker.fillers()
        if classes[index]:
            text += f"class {classes[index]}{index} {{ static function {name}() {{\n"
            text += maker.body(index, call) + "} }\n"
        else:
            text += f"function {name}() {{\n" + maker.body(index, call) + "}\n"
    calls = maker.calls(call) + call(0) + "\n"
    return text + (f"while (true) {{\n{calls}}}\n" if for_ever else calls)


def ruby(seed, for_ever=False):
    maker = Maker(seed, [make.replace("{{", "{").replace("}}", "}") for make in RUBY_MAKES],
                  RUBY_WAYS)
    inside = [maker.rng.choice(("", "", "One", "Two")) for _ in maker.names]

    def call(index):
        return f"{inside[index]}.{maker.names[index]}" if inside[index] else maker.names[index]

    text = RUBY_HEAD + RUBY_TAIL
    for index, name in enumerate(maker.names):
        text += maker.fillers()
        if inside[index]:
            text += f"class {inside[index]}; def self.{name}\n" + maker.body(index, call)
            text += "end\nend\n"
        else:
            text += f"def {name}\n" + maker.body(index, call) + "end\n"
    calls = maker.calls(call) + call(0) + "\n"
    return text + (f"while true\n{calls}end\n" if for_ever else calls)
