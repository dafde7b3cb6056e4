"""What a libc's code can create: its functions, the calls between them and the flags they pass.

Read from objdump and readelf, never run. An instruction stream is followed as far as that is
certain: what a register holds at a call is a constant, a parameter of the function, or unknown,
and unknown flags count as flags that create. Calls through pointers are not followed."""

import bisect
import re
import subprocess
from collections import defaultdict

# System calls of x86-64 that make an object with a mode: number -> the parameter that decides,
# counted from 0 (None: the call always creates).
CREATING = {2: 1, 257: 2, 437: None, 85: None, 83: None, 258: None, 133: None, 259: None,
            240: 1, 49: None}
NO_FILES = {("constant", family) for family in (2, 10, 16)}  # AF_INET, AF_INET6, AF_NETLINK
O_CREAT = 0o100
O_TMPFILE = 0o20000000
REGISTERS = {}  # any name of a register -> its 64-bit name
for _name in "ax bx cx dx si di bp sp".split():
    REGISTERS.update({"r" + _name: "r" + _name, "e" + _name: "r" + _name, _name: "r" + _name,
                      _name.rstrip("x") + "l": "r" + _name})
for _number in range(8, 16):
    for _suffix in ("", "d", "w", "b"):
        REGISTERS[f"r{_number}{_suffix}"] = f"r{_number}"
PARAMETERS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
KEPT = {"rbx", "rbp", "r12", "r13", "r14", "r15"}  # by a call (System V ABI)
INSTRUCTION = re.compile(r"^ +([0-9a-f]+):\t(\S+)(?: +(.*))?$")
TARGET = re.compile(r"^([0-9a-f]+) <")
MOVES = ("mov", "movl", "movq", "movabs", "movslq")
PADDING = ("nop", "data16", "cs", "xchg", "int3", "hlt", "ud2", ".byte", "(bad)")
WRITES_NOTHING = ("cmp", "test", "jmp", "nop", "ret", "push", "bt", "ucomis", "comis", "leave")


SECTION = re.compile(
    r" *\[ *\d+\] (\.rodata\S*|\.data\.rel\.ro) +PROGBITS +(\w+) (\w+) (\w+)")
RELOCATION = re.compile(r"^([0-9a-f]+) +[0-9a-f]+ R_X86_64_RELATIVE +([0-9a-f]+)")


def tool(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def symbols(library):
    """Addresses of the exported functions, by name; a name with several versions has several."""
    found = defaultdict(set)
    for line in tool("readelf", "--dyn-syms", "-W", library).splitlines():
        fields = line.split()
        if len(fields) >= 8 and fields[3] in ("FUNC", "IFUNC") and fields[6] != "UND":
            found[fields[7].split("@")[0]].add(int(fields[1], 16))
    return found


def meet(first, second):
    """What holds on both ways to a place; None: that way is not known to be taken."""
    if first is None or second is None:
        return second if first is None else first
    return {name: value for name, value in first.items() if second.get(name) == value}


class Function:
    def __init__(self, start):
        self.start = start
        self.calls = []         # (address of the callee, {register: value})
        self.system_calls = []  # (number, {register: value})
        self.looks_at = None    # the parameter that it tests for O_CREAT: open(2) itself


class Code:
    """The functions of one library, and which of them create."""

    def __init__(self, library):
        self.library = library
        self.read_only = self.sections()
        frames = tool("readelf", "--debug-dump=frames,no-follow-links", library)
        starts = {int(start, 16) for start in re.findall(r" FDE cie=\S+ pc=([0-9a-f]+)", frames)}
        starts |= {address for addresses in symbols(library).values() for address in addresses}
        exported = symbols(library)
        self.makes_sockets, self.binds = exported["socket"], exported["bind"]
        self.starts = sorted(starts)
        self.is_start = starts
        self.pointers = {int(match[1], 16): int(match[2], 16) for match in map(
            RELOCATION.match, tool("readelf", "-r", "-W", library).splitlines()) if match}
        self.functions = {}
        bodies = defaultdict(list)
        for line in tool("objdump", "-d", "--no-show-raw-insn", library).splitlines():
            match = INSTRUCTION.match(line)
            if match:
                address = int(match[1], 16)
                bodies[self.function_at(address)].append((address, match[2], match[3] or ""))
        for start, body in bodies.items():
            self.functions[start] = self.follow(start, body)

    def function_at(self, address):
        at = bisect.bisect_right(self.starts, address)
        return self.starts[at - 1] if at else address

    def sections(self):
        found = []
        for line in tool("readelf", "-S", "-W", self.library).splitlines():
            match = SECTION.match(line)
            if match:
                address, offset, size = (int(match[i], 16) for i in (2, 3, 4))
                with open(self.library, "rb") as file:
                    file.seek(offset)
                    found.append((address, file.read(size)))
        return found

    def pointed_to(self, address):
        """The functions that an address leads to: itself, or those of the table there."""
        if address in self.is_start:
            return [address]
        found = []
        while (callee := self.pointer_at(address)) in self.is_start:
            found.append(callee)
            address += 8
        return found

    def pointer_at(self, address):
        """A pointer in constant data: as a relocation makes it, or as it lies there (DT_RELR)."""
        if address in self.pointers:
            return self.pointers[address]
        for start, data in self.read_only:
            if start <= address <= start + len(data) - 8:
                return int.from_bytes(data[address - start:address - start + 8], "little")
        return None

    def text_at(self, address):
        for start, data in self.read_only:
            if start <= address < start + len(data):
                return data[address - start:].split(b"\0", 1)[0]
        return None

    def follow(self, start, body):
        """What registers hold at each call of a function: passes until no label learns more."""
        at_label = {start: {name: ("parameter", i) for i, name in enumerate(PARAMETERS)}}
        inside = {int(match[1], 16) for _, operation, operands in body
                  if operation.startswith("j") and (match := TARGET.match(operands))} | {start}
        while True:
            function = Function(start)
            before = dict(at_label)
            state = unreached = None
            for address, operation, operands in body:
                if address in inside:
                    state = meet(at_label.get(address), state)
                    if state is not None:
                        at_label[address] = state
                if state is not None:
                    state = self.step(function, operation, operands, state, at_label)
                elif unreached is None and not operation.startswith(PADDING):
                    unreached = address
            if at_label == before:
                if unreached is None:
                    return function
                inside.add(unreached)  # through a pointer only, as a jump table's
                at_label[unreached] = {}

    def step(self, function, operation, operands, state, at_label):
        """The state behind one instruction; None: what follows is reached from elsewhere."""
        target = TARGET.match(operands)
        if operation == "syscall":
            kind, number = state.get("rax") or (None, None)
            function.system_calls.append((number if kind == "constant" else None, dict(state)))
            return {name: value for name, value in state.items()
                    if name not in ("rax", "rcx", "r11")}
        if target and (operation == "call" or operation.startswith("j")):
            address = int(target[1], 16)
            callee = self.function_at(address)
            if operation == "call" or callee != function.start:
                function.calls.append((callee, dict(state)))
            else:
                at_label[address] = meet(at_label.get(address), state)
        if operation in ("jmp", "ret", "hlt", "ud2", "notrack"):
            return None
        if operation == "call":
            return {name: value for name, value in state.items() if name in KEPT}
        if operation in ("test", "and") and operands.startswith("$0x40,%"):
            tested = state.get(REGISTERS.get(operands.split("%")[1]))
            if tested and tested[0] == "parameter" and function.looks_at is None:
                function.looks_at = tested[1]
        register = destination(operation, operands)
        if register is not None:
            value = self.value(operation, operands, state)
            state = {name: known for name, known in state.items() if name != register}
            if value is not None:
                state[register] = value
                if value[0] == "address":
                    function.calls += [(callee, {}) for callee in self.pointed_to(value[1])]
        return state

    def value(self, operation, operands, state):
        parts = operands.split(",")
        if operation in MOVES and len(parts) == 2:
            if parts[0].startswith("$"):
                return ("constant", int(parts[0][1:], 16) & 0xffffffff)
            if parts[0].startswith("%") and parts[0][1:] in REGISTERS:
                return state.get(REGISTERS[parts[0][1:]])
        if operation == "xor" and len(parts) == 2 and parts[0] == parts[1]:
            return ("constant", 0)
        if operation == "or" and len(parts) == 2 and parts[0].startswith("$"):
            return ("or", int(parts[0][1:], 16) & 0xffffffff)
        if operation == "lea" and "(%rip)" in operands:
            match = re.search(r"# ([0-9a-f]+)", operands)
            return ("address", int(match[1], 16)) if match else None
        return None

    def may_create(self, value):
        """True, False, or the number of the parameter that decides."""
        if value is None:
            return True
        kind, what = value
        if kind == "parameter":
            return what
        if kind == "address":  # a mode string of fopen(3)
            text = self.text_at(what)
            return text is None or not text.startswith(b"r")
        return kind == "or" or (what & O_CREAT) != 0 or (what & O_TMPFILE) == O_TMPFILE

    def creators(self, deciders, passed=()):
        """Of each function that may create: True, or the parameter that decides.

        deciders: of functions that pass flags on in a way that cannot be followed (a structure,
        a jump table), the parameter that decides, by address.
        passed: addresses of functions that are known not to create."""
        found = dict(deciders)

        def note(function, decision):
            if function.start in deciders or function.start in passed or decision is False:
                return False
            if function.start in found and (found[function.start] is True or decision is not True):
                return False
            found[function.start] = decision
            return True

        changed = True
        while changed:
            changed = False
            for function in self.functions.values():
                for number, state in function.system_calls:
                    if number in CREATING:
                        decision = True
                        if CREATING[number] is not None:
                            decision = self.may_create(state.get(PARAMETERS[CREATING[number]]))
                        if decision is True and function.looks_at is not None:
                            decision = function.looks_at
                        changed |= note(function, decision)
                families = {state.get("rdi") for callee, state in function.calls
                            if callee in self.makes_sockets}
                for callee, state in function.calls:
                    if callee in self.binds and families and families <= NO_FILES:
                        continue
                    decision = found.get(callee, False)
                    if decision is not False and decision is not True:
                        decision = self.may_create(state.get(PARAMETERS[decision]))
                    changed |= note(function, decision)
        return found


def destination(operation, operands):
    """The register that an instruction writes, or None."""
    if operation.startswith(WRITES_NOTHING) or not operands:
        return None
    last = operands.split("#")[0].rstrip().rsplit(",", 1)[-1].strip()
    last = last.split(" ")[0]
    return REGISTERS.get(last[1:]) if last.startswith("%") else None
