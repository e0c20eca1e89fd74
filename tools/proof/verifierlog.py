"""Reads the log that the kernel's verifier writes at level 2, and finds what a program accesses through which pointers.

The log follows every path that the verifier takes. An instruction is a line `INDEX: (OPCODE) TEXT`; what it changed in
registers follows behind a semicolon, or, where something else was printed in between, on a line `INDEX: STATE`. The whole state
is printed where a path begins (`from A to B:`), and for both sides where a function is called or returns. Only registers that
an instruction named are printed after it, so the state before an instruction is what was printed last for each register.
Before the first
state the log lists instructions for other reasons (which registers are live, where pointers to the stack go); these are no paths.
Kernels up to 6.17 or so put what was read and written behind a register's name (`R1_w=`).
"""
from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass, field

INSTRUCTION = re.compile(r"(\d+): \(([0-9a-f]{2})\) ([^;]*)(?:;(.*))?")
STATE_AFTER = re.compile(r"(\d+):( (?:frame\d+:|R\d|fp-\d|refs=).*)")
PATH = re.compile(r"from (\d+) to (\d+)(?: \(speculative execution\))?:(.*)")
PROCESSED = re.compile(r"processed (\d+) insns ")
FRAME = re.compile(r" ?frame(\d+):")
REGISTER = re.compile(r"(?:^| )R(\d+)(?:_[a-zP]+)?=([^ (]*)(?:\(id=(\d+))?")
MEMORY = re.compile(r"\([us](?:8|16|32|64) \*\)\(r(\d+) [+-]\d+\)")
#: Functions whose results are memory of the program's own, or the packet that it was given, though it may only read them.
OWN_MEMORY = {"bpf_iter_num_next", "bpf_dynptr_slice"}
PREFIXES = ("rdonly_", "ringbuf_", "user_", "percpu_", "rcu_", "untrusted_", "trusted_")


@dataclass(frozen=True)
class Kind:
    """A register's state without its bounds: `untrusted_ptr_or_null_sock` is a `ptr_sock` with the word `untrusted`."""

    base: str
    words: frozenset[str]

    @staticmethod
    def of(state: str) -> Kind:
        words = set()
        while found := next((prefix for prefix in PREFIXES if state.startswith(prefix)), None):
            words.add(found.rstrip("_"))
            state = state[len(found):]
        return Kind(state.replace("ptr_or_null_", "ptr_", 1).removesuffix("_or_null"), frozenset(words))

    @property
    def reaches(self) -> str | None:
        """What of the kernel an access through it reaches: an object of one of its types, a `struct bpf_map`, memory whose
        contents nobody vouches for, or one of its variables. None for what is the program's own, or was made for it.
        """
        if "user" in self.words:
            return None
        if self.base.startswith("ptr_"):
            return "type"
        if self.base == "map_ptr":
            return "map"
        if self.base == "mem" and "rdonly" in self.words:
            return "untrusted memory" if "untrusted" in self.words else "read-only memory"
        return None


@dataclass(frozen=True)
class Access:
    """An instruction that loads, stores or does both at a pointer into the kernel."""

    index: int
    text: str
    register: int
    state: str
    reaches: str

    @property
    def type_name(self) -> str | None:
        """The name of the type behind the pointer, empty for one without a name; None for a pointer to something else."""
        base = Kind.of(self.state).base
        return base.removeprefix("ptr_") if base.startswith("ptr_") else None


@dataclass
class Reading:
    """What was found in a log."""

    accesses: list[Access] = field(default_factory=list)
    #: Where memory that may only be read came from: functions that returned it, or `a variable` of the kernel.
    sources: set[str] = field(default_factory=set)
    #: Instructions that were printed, each time that a path came to them.
    instructions: int = 0
    #: Paths that ended where the verifier had been in such a state before; the instruction there counts as processed.
    safe: int = 0
    #: How many instructions the verifier says it processed; None where the log has no such line.
    processed: int | None = None
    #: Accesses to memory among them.
    memory: int = 0
    #: Accesses through registers whose state the log did not show: where there are any, nothing follows from the log.
    unclear: list[str] = field(default_factory=list)

    def kernel_accesses(self, types: Set[str]) -> list[Access]:
        """The accesses to what is not the program's own.

        - Parameter types: the names of the kernel's structures and unions. Others are the program's: it can make objects of
          its own types, and pointers to them are printed as those to the kernel's are.
        """
        owns = bool(self.sources) and self.sources <= OWN_MEMORY
        return [access for access in self.accesses
                if not (owns and access.reaches == "read-only memory") and access.type_name in types | {None, ""}]

    @property
    def is_whole(self) -> bool:
        """Whether every instruction that the verifier processed was read, with the state it was reached in."""
        return not self.unclear and self.processed == self.instructions + self.safe


class Reader:
    """Follows one log, line by line."""

    def __init__(self) -> None:
        self.reading = Reading()
        self.frames: dict[int, dict[int, tuple[str, str | None]]] = {0: {}}
        self.frame = 0
        self.whole = False
        self.began = False
        self.seen: set[tuple[int, str]] = set()
        self.calls: dict[int, str] = {}
        self.last = ("", "")

    def line(self, line: str) -> None:
        if not self.began:
            self.began = bool(STATE_AFTER.match(line)) or line.startswith("Validating ")
            if not self.began:
                return
        if self.whole and line.startswith(" "):
            self.whole = False
            self.take(line, replace=True)
            return
        if line.startswith(("caller:", "callee:", "returning from callee:", "to caller at ")):
            self.whole = True
            return
        first = line[:1]
        if first.isdigit():
            if found := INSTRUCTION.match(line):
                self.instruction(int(found[1]), found[2], found[3].rstrip(), found[4])
            elif found := STATE_AFTER.match(line):
                self.take(found[2], replace=False)
                self.note_source(*self.last)
            elif line.endswith(": safe"):
                self.reading.safe += 1
        elif first == "f" and (found := PATH.match(line)):
            if found[3].strip() == "safe":
                self.reading.safe += 1
            else:
                self.take(found[3], replace=True)
                if call := self.calls.get(int(found[1])):
                    # An iterator that has another element, after the path where it has none.
                    self.note_source("85", call)
                self.last = ("", "")
        elif first == "p" and (found := PROCESSED.match(line)):
            self.reading.processed = int(found[1])
        elif line.startswith("Validating "):
            # Global functions are verified by themselves, with arguments of their own.
            self.frames, self.frame = {0: {}}, 0

    def instruction(self, index: int, opcode: str, text: str, after: str | None) -> None:
        self.reading.instructions += 1
        self.last = (opcode, text)
        registers = self.frames.setdefault(self.frame, {})
        if found := MEMORY.search(text):
            self.reading.memory += 1
            number = int(found[1])
            if number == 10:
                pass
            elif (known := registers.get(number)) is None:
                self.reading.unclear.append(f"{index}: {text}")
            else:
                self.access(index, text, number, known[0])
        before = dict(registers) if text.startswith("if ") else None
        if opcode == "85" and not text.startswith("call pc"):
            # What is left in R0 is printed behind the instruction; nothing is left in the others.
            for number in range(6):
                registers.pop(number, None)
            self.calls[index] = text
        if after is not None:
            self.take(" " + after.strip(), replace=False)
            self.note_source(opcode, text)
            if before:
                self.no_longer_null(before)

    def note_source(self, opcode: str, text: str) -> None:
        """Notes what a call or the load of an address left in its register, where that is memory that may only be read."""
        if opcode not in ("85", "18"):
            return
        number = 0 if opcode == "85" else int(text[1:].split(" ", 1)[0])
        kind = Kind.of(self.frames[self.frame].get(number, ("?", None))[0])
        if kind.reaches == "read-only memory":
            found = re.match(r"call ([^#]+)#", text)
            self.reading.sources.add(found[1] if found else "a variable")

    def access(self, index: int, text: str, number: int, state: str) -> None:
        reaches = Kind.of(state).reaches
        if reaches and (index, state) not in self.seen:
            self.seen.add((index, state))
            self.reading.accesses.append(Access(index, text, number, state, reaches))

    def take(self, text: str, replace: bool) -> None:
        found = FRAME.match(text)
        self.frame = int(found[1]) if found else 0
        if replace:
            self.frames[self.frame] = {}
        registers = self.frames.setdefault(self.frame, {})
        for found in REGISTER.finditer(text):
            state = found[2]
            registers[int(found[1])] = (state[1:] if re.match(r"P(-?\d|scalar)", state) else state, found[3])

    def no_longer_null(self, before: dict[int, tuple[str, str | None]]) -> None:
        """A comparison with zero says the same of all copies of a pointer, but only the one it names is printed."""
        registers = self.frames[self.frame]
        for number, (state, identity) in before.items():
            now = registers.get(number)
            if identity is None or "or_null" not in state or now is None or "or_null" in now[0]:
                continue
            for other, value in list(registers.items()):
                if value == (state, identity):
                    registers[other] = now


def read(log: str) -> Reading:
    """Reads a whole log."""
    reader = Reader()
    for line in log.splitlines():
        reader.line(line)
    return reader.reading
