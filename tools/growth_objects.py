"""BPF objects of any size for tools/growth, made from nothing but numbers: the same numbers give the same bytes.

Each of `SHAPES` takes n and returns an object of which one thing is there n times and everything else a few times. They
are what a compiler could have written as far as the linker and the analysis look; nothing here is ever loaded.
"""

import struct

EXIT = bytes.fromhex("b700000000000000" "9500000000000000")  # r0 = 0; exit
LOAD_MAP = bytes.fromhex("1801000000000000" "0000000000000000")  # r1 = 0 ll, to be relocated
LOAD_MEMBER = bytes.fromhex("7911000000000000")  # r1 = *(u64 *)(r1 + 0)
CALL_LOCAL = bytes.fromhex("85100000ffffffff")
CALL_TIME = bytes.fromhex("8500000005000000")  # bpf_ktime_get_ns


class Strings:
    """A string table that begins with the empty string, and holds each text once."""

    def __init__(self):
        self.bytes, self.offsets = bytearray(b"\0"), {"": 0}

    def add(self, text):
        if text not in self.offsets:
            self.offsets[text] = len(self.bytes)
            self.bytes += text.encode() + b"\0"
        return self.offsets[text]


class BTF:
    """Type information: types in the order in which they are added, from number 1 on."""

    def __init__(self):
        self.types, self.strings, self.count = bytearray(), Strings(), 0
        self.int = self.add("int", 1, 4, struct.pack("<I", 1 << 24 | 32))
        self.prototype = self.add("", 13, self.int)

    def add(self, name, kind, size_or_type, rest=b"", members=0):
        self.types += struct.pack("<III", self.strings.add(name), kind << 24 | members, size_or_type) + rest
        self.count += 1
        return self.count

    def structure(self, name, members, size=None):
        """`members` are names with types, eight bytes apart."""
        rest = b"".join(struct.pack("<III", self.strings.add(member), kind, 64 * index)
                        for index, (member, kind) in enumerate(members))
        return self.add(name, 4, 8 * len(members) if size is None else size, rest, len(members))

    def data_section(self, name, variables, size):
        """`variables` are types with offsets and sizes."""
        return self.add(name, 15, size, b"".join(struct.pack("<III", *each) for each in variables), len(variables))

    def number(self, value):
        """A pointer to an array of that length: how map definitions write numbers."""
        return self.add("", 2, self.add("", 3, 0, struct.pack("<III", self.int, self.int, value)))

    def section(self):
        head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(self.types), len(self.types), len(self.strings.bytes))
        return head + bytes(self.types) + bytes(self.strings.bytes)


class Object:
    """Sections, symbols and records; `bytes()` puts them together."""

    def __init__(self):
        self.btf, self.names = BTF(), Strings()
        self.symbols, self.code, self.relocations = [], {}, {}
        self.functions, self.lines, self.records = {}, {}, {}
        self.sections, self.notes = [], bytearray()

    def symbol(self, name, kind, section, value=0, size=0, binding=1):
        self.symbols.append((self.names.add(name), binding << 4 | kind, section, value, size))
        return len(self.symbols)

    def function(self, name, body=EXIT, section="xdp", binding=1):
        """A function behind those that the section has; returns where it begins."""
        code = self.code.setdefault(section, bytearray())
        start = len(code)
        code += body
        self.symbol(name, 2, section, start, len(body), binding)
        type_id = self.btf.add(name, 12, self.btf.prototype, members=1)
        self.functions.setdefault(section, []).append(struct.pack("<II", start, type_id))
        return start

    def note(self, text):
        self.notes += text.encode() + b"\n\0"

    def record(self, section, place, type_id, access="0:0"):
        """A CO-RE record of the kind byte_off."""
        self.records.setdefault(section, []).append(
            struct.pack("<IIII", place, type_id, self.btf.strings.add(access), 0))

    def line(self, section, place, number):
        name = self.btf.strings.add("program.c")
        self.lines.setdefault(section, []).append(struct.pack("<IIII", place, name, name, number << 10))

    def relocate(self, section, place, symbol, kind):
        self.relocations.setdefault(section, []).append(struct.pack("<QQ", place, symbol << 32 | kind))

    def _records(self, lists, size):
        if not lists:
            return b""
        parts = [struct.pack("<I", size)]
        for section, records in lists.items():
            parts += [struct.pack("<II", self.btf.strings.add(section), len(records)), *records]
        return b"".join(parts)

    def bytes(self):
        lists = [self._records(self.functions, 8), self._records(self.lines, 16), self._records(self.records, 16)]
        places = [sum(map(len, lists[:index])) for index in range(3)]
        ext = struct.pack("<HBBIIIIIII", 0xEB9F, 1, 0, 32, *(word for pair in zip(places, map(len, lists)) for word in pair))
        sections = [(".strtab", 3, 0, bytes(self.names.bytes), 0, 0, 0), (".symtab", 2, 0, None, 1, 1, 24)]
        sections += [(name, 1, 6, bytes(code), 0, 0, 0) for name, code in self.code.items()]
        sections += [("license", 1, 3, b"GPL\0", 0, 0, 0)]
        sections += [(name, 1, 3, contents, 0, 0, 0) for name, contents in self.sections]
        if self.notes:
            sections.append((".verity_bpf", 1, 2, bytes(self.notes), 0, 0, 0))
        sections += [(".BTF", 1, 0, self.btf.section(), 0, 0, 0), (".BTF.ext", 1, 0, ext + b"".join(lists), 0, 0, 0)]
        index = {name: place + 1 for place, (name, *_) in enumerate(sections)}
        sections += [(".rel" + name, 9, 0, b"".join(each), 2, index[name], 16) for name, each in self.relocations.items()]
        table = bytes(24) + b"".join(
            struct.pack("<IBBHQQ", name, info, 0, index[section] if section else 0, value, size)
            for name, info, section, value, size in self.symbols)
        sections[1] = (".symtab", 2, 0, table, 1, 1, 24)
        return elf(sections)


def elf(sections):
    """`sections` are name, type, flags, contents, link, info and entry size; the names' table is added."""
    names = Strings()
    heads = [names.add(name) for name, *_ in sections] + [names.add(".shstrtab")]
    sections = sections + [(".shstrtab", 3, 0, bytes(names.bytes), 0, 0, 0)]
    file, headers = bytearray(64), bytearray(64)
    for head, (_, kind, flags, contents, link, info, entry) in zip(heads, sections):
        file += bytes(-len(file) % 8)
        headers += struct.pack("<IIQQQQIIQQ", head, kind, flags, 0, len(file), len(contents), link, info, 8, entry)
        file += contents
    file += bytes(-len(file) % 8)
    count = len(sections) + 1
    file[0:64] = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01" + bytes(9), 1, 247, 1, 0, 0, len(file), 0, 64, 0, 0,
                             64, count, count - 1)
    return bytes(file + headers)


def one_program():
    made = Object()
    made.function("main")
    return made


def programs(n):
    made = Object()
    for index in range(n):
        made.function(f"p{index}")
    return made.bytes()


def annotations(n):
    """Two an each of n programs."""
    made = Object()
    for index in range(n):
        made.function(f"p{index}")
        made.note(f"p{index} reads: nothing")
        made.note(f"p{index} integrity: nothing")
    return made.bytes()


def types(n):
    made = one_program()
    for index in range(n):
        made.btf.add(f"t{index % 1000}", 8, made.btf.int)
    return made.bytes()


def programs_and_types(n):
    """A search through all types for each program would be n times n."""
    made = Object()
    for index in range(n):
        made.function(f"p{index}")
        for number in range(10):
            made.btf.add(f"t{number}", 8, made.btf.int)
    return made.bytes()


def members(n):
    """One structure of n members, and a record for each."""
    made = Object()
    made.function("main", LOAD_MEMBER * n + EXIT)
    wide = made.btf.structure("wide", [(f"m{index}", made.btf.int) for index in range(n)])
    for index in range(n):
        made.record("xdp", 8 * index, wide, f"0:{index}")
    return made.bytes()


def records(n):
    """n records of a small structure in one program."""
    made = Object()
    made.function("main", LOAD_MEMBER * n + EXIT)
    task = made.btf.structure("task_struct", [("pid", made.btf.int), ("tgid", made.btf.int)])
    for index in range(n):
        made.record("xdp", 8 * index, task, f"0:{index % 2}")
    return made.bytes()


def tags(n):
    """n programs, each with a declaration tag of its own text."""
    made = Object()
    for index in range(n):
        made.function(f"p{index}")
        made.btf.add(f"tag{index}", 17, made.btf.count, struct.pack("<i", -1))
    return made.bytes()


def externs(n):
    made = one_program()
    declared = []
    for index in range(n):
        made.symbol(f"k{index}", 0, None)
        declared.append((made.btf.add(f"k{index}", 12, made.btf.prototype, members=2), 0, 0))
    made.btf.data_section(".ksyms", declared, 0)
    return made.bytes()


def symbols(n):
    made = one_program()
    for index in range(n):
        made.symbol(f"s{index}", 0, "xdp")
    return made.bytes()


def sections(n):
    """n sections with code, a program in each."""
    made = Object()
    for index in range(n):
        made.function(f"p{index}", section=f"uprobe/{index}:f")
    return made.bytes()


def relocated_sections(n):
    """n sections with code, each with relocations of its own."""
    made = Object()
    for index in range(n):
        callee = made.function(f"f{index}", section=f"tp/a/{index}", binding=0)
        made.function(f"p{index}", CALL_LOCAL + EXIT, section=f"tp/a/{index}")
        made.relocate(f"tp/a/{index}", callee + len(EXIT), len(made.symbols) - 1, 10)
    return made.bytes()


def calls(n):
    """One program that calls n functions of .text, one after another."""
    made = Object()
    for index in range(n):
        made.function(f"f{index}", section=".text")
    made.function("main", CALL_LOCAL * n + EXIT)
    for index in range(n):
        made.relocate("xdp", 8 * index, index + 1, 10)
    return made.bytes()


def call_chain(n):
    """Functions that each call the next."""
    made = Object()
    for index in range(n):
        made.function(f"f{index}", (CALL_LOCAL if index + 1 < n else b"") + EXIT, section=".text")
    made.function("main", CALL_LOCAL + EXIT)
    for index in range(n - 1):
        made.relocate(".text", 24 * index, index + 2, 10)
    made.relocate("xdp", 0, 1, 10)
    return made.bytes()


def add_maps(made, n):
    """n arrays, and where each begins in .maps."""
    btf = made.btf
    kind, size, entries = btf.number(2), btf.number(4), btf.number(1)
    shape = btf.structure("shape", [("type", kind), ("key_size", size), ("value_size", size), ("max_entries", entries)])
    variables = [(btf.add(f"m{index}", 14, shape, struct.pack("<I", 1)), 32 * index, 32) for index in range(n)]
    btf.data_section(".maps", variables, 32 * n)
    made.sections.append((".maps", bytes(32 * n)))
    return [made.symbol(f"m{index}", 1, ".maps", 32 * index, 32) for index in range(n)]


def maps(n):
    """n maps, all of them used by one program."""
    made = Object()
    used = add_maps(made, n)
    made.function("main", LOAD_MAP * n + EXIT)
    for index, symbol in enumerate(used):
        made.relocate("xdp", 16 * index, symbol, 1)
    return made.bytes()


def programs_and_maps(n):
    """n programs, each with a map of its own."""
    made = Object()
    used = add_maps(made, n)
    for index, symbol in enumerate(used):
        place = made.function(f"p{index}", LOAD_MAP + EXIT)
        made.relocate("xdp", place, symbol, 1)
    return made.bytes()


def instructions(n):
    made = Object()
    made.function("main", bytes.fromhex("b701000000000000") * n + EXIT)
    return made.bytes()


def branches(n):
    """n conditional jumps, each over one instruction."""
    made = Object()
    made.function("main", bytes.fromhex("b701000000000000") + bytes.fromhex("1501010000000000" "b702000000000000") * n + EXIT)
    return made.bytes()


def loops(n):
    """n backward jumps, one after another."""
    made = Object()
    made.function("main", bytes.fromhex("b701000000000000") + bytes.fromhex("0701000001000000" "b501feff09000000") * n + EXIT)
    return made.bytes()


def helpers(n):
    made = Object()
    made.function("main", CALL_TIME * n + EXIT)
    return made.bytes()


def lines(n):
    made = Object()
    made.function("main", bytes.fromhex("b701000000000000") * n + EXIT)
    for index in range(n):
        made.line("xdp", 8 * index, index % 1000 + 1)
    return made.bytes()


def globals_(n):
    """n variables in .data, each read by one program."""
    made = Object()
    made.sections.append((".data", bytes(range(1, 9)) * n))
    variables = [(made.btf.add(f"v{index}", 14, made.btf.int, struct.pack("<I", 1)), 8 * index, 4) for index in range(n)]
    made.btf.data_section(".data", variables, 8 * n)
    used = [made.symbol(f"v{index}", 1, ".data", 8 * index, 4) for index in range(n)]
    made.function("main", LOAD_MAP * n + EXIT)
    for index, symbol in enumerate(used):
        made.relocate("xdp", 16 * index, symbol, 1)
    return made.bytes()


def constants(n):
    """n constants that a load may set, read by no program."""
    made = Object()
    made.sections.append((".rodata", bytes(8 * n)))
    constant = made.btf.add("", 10, made.btf.add("", 9, made.btf.int))
    variables = [(made.btf.add(f"v{index}", 14, constant, struct.pack("<I", 1)), 8 * index, 4) for index in range(n)]
    made.btf.data_section(".rodata", variables, 8 * n)
    for index in range(n):
        made.symbol(f"v{index}", 1, ".rodata", 8 * index, 4)
    made.function("main", EXIT)
    return made.bytes()


def sections_without_type(n):
    """n sections, a program in each, whose names say no type."""
    made = Object()
    for index in range(n):
        made.function(f"p{index}", section=f"own{index}")
    return made.bytes()


SHAPES = {
    "programs": (programs, 500), "annotations": (annotations, 300), "types": (types, 10000),
    "programs and types": (programs_and_types, 300), "members and their records": (members, 1000),
    "CO-RE records": (records, 2000), "declaration tags": (tags, 250), "externs": (externs, 2000),
    "symbols": (symbols, 5000), "sections": (sections, 300), "sections with relocations": (relocated_sections, 250),
    "functions called": (calls, 1000), "functions in a chain": (call_chain, 1000), "maps": (maps, 600),
    "programs and maps": (programs_and_maps, 300), "instructions": (instructions, 20000), "branches": (branches, 3000),
    "loops": (loops, 2000), "helper calls": (helpers, 5000), "source lines": (lines, 5000), "variables": (globals_, 1000),
}
