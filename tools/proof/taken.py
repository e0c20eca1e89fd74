"""Reads what taken.c writes of a program that loads a BPF object, and says by which options of `load` the same is loaded."""
from __future__ import annotations

import json
import re
import struct
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Program:
    """A program that was loaded, by the numbers of its function and of what it is attached to."""

    #: What the kernel keeps of the name.
    name: str
    function: int
    target: int
    module: str


@dataclass
class Load:
    """What a tool asked for."""

    command: str
    programs: list[Program] = field(default_factory=list)
    #: The first that the kernel refused, with the error number.
    refused: tuple[str, int] | None = None
    #: Value size and entries of maps, by the names that the kernel keeps.
    maps: dict[str, tuple[int, int]] = field(default_factory=dict)
    constants: bytes = b""
    attaches: bool = False
    #: The last line of what the tool printed.
    said: str = ""


def read(lines: Iterable[str]) -> list[Load]:
    """One for each tool that was run."""
    loads: list[Load] = []
    for line in lines:
        kind, *words = line.split("\t")
        if kind == "tool":
            loads.append(Load(words[0].strip()))
            continue
        load = loads[-1]
        if kind == "map" and words[4] == "0":
            load.maps[words[0]] = (int(words[2]), int(words[3]))
        elif kind == "constants":
            load.constants = bytes.fromhex(words[0])
        elif kind == "program" and words[1] != "0":
            if words[4] == "0":
                load.programs.append(Program(words[0], int(words[1]), int(words[2]), words[3]))
            elif load.refused is None:
                load.refused = (words[0], int(words[4]))
        elif kind == "attaches":
            load.attaches = True
        elif kind == "said":
            load.said = words[0]
    return loads


class KernelTypes:
    """Names of functions and tracepoints, by their numbers in the types of a kernel of tools/vm/kernel."""

    def __init__(self, kernel: str) -> None:
        self.kernel = kernel
        self.names: dict[str, dict[int, str]] = {}

    def name(self, number: int, module: str = "") -> str:
        if module not in self.names:
            files = ["-B", f"{self.kernel}/vmlinux", "btf", "dump", "file", f"{self.kernel}/modules/{module}.ko"]
            text = subprocess.run(["bpftool", *(files if module else ["btf", "dump", "file", f"{self.kernel}/vmlinux"])],
                                  check=True, stdout=subprocess.PIPE, text=True).stdout
            found = re.findall(r"^\[(\d+)\] (?:FUNC|TYPEDEF) '(?:btf_trace_)?(\w+)'", text, re.MULTILINE)
            self.names[module] = {int(one): name for one, name in found}
        return self.names[module].get(number, f"type {number}")


class Object:
    """A BPF object, as far as the options of its load ask for it."""

    def __init__(self, binary: str, path: str) -> None:
        self.described = json.loads(output(binary, "inspect", "--json", path))
        self.types = {one["id"]: one for one in json.loads(output("bpftool", "-j", "btf", "dump", "file", path))["types"]}
        self.constants, self.places = read_constants(path)

    def programs(self, load: Load) -> dict[str, Program]:
        """Those of the object that were loaded, by their names; libbpf also loads programs of its own, to learn what the kernel can."""
        own = {one["name"] for one in self.described["programs"]}
        named = {self.types.get(one.function, {}).get("name", ""): one for one in load.programs}
        return {name: one for name, one in named.items() if name in own and name[:15] == one.name}

    def options(self, load: Load, types: KernelTypes) -> list[str]:
        """The options that load the same."""
        loaded = self.programs(load)
        programs = self.described["programs"]
        words = []
        if set(loaded) != {one["name"] for one in programs if not one["optional"]}:
            words += [f"--program={one['name']}" for one in programs if one["name"] in loaded]
        for name, one in loaded.items():
            described = next(program for program in programs if program["name"] == name)
            # A tracepoint's type is called so.
            own = (described["attach_target"] or "").removeprefix("btf_trace_")
            target = types.name(one.target, one.module) if one.target else own
            if target != own:
                kind = described["section"].split("/")[0]
                words.append(f"--section-type={described['section']}={kind}/{target}")
        for one in self.described["maps"]:
            # Data sections have the object's name in theirs, and sizes of their own.
            made = load.maps.get(one["name"][:15])
            if made and one["type"] != "perf_event_array" and one["max_entries"] != made[1]:
                words.append(f"--map-entries={one['name']}={made[1]}")
        return words + [f"--set={place}={value}" for place, value in self.settings(load.constants)]

    def settings(self, values: bytes) -> list[tuple[str, str]]:
        """The constants that have other values than in the object."""
        found: list[tuple[str, str]] = []
        for section in self.types.values():
            if section["kind"] != "DATASEC" or section["name"] != ".rodata" or not values:
                continue
            for variable in section["vars"]:
                declared = self.types[variable["type_id"]]
                place = self.places.get(declared["name"])
                if declared["linkage"] == "static" or place is None:
                    continue
                found += self.differences(declared["name"], declared["type_id"], values, place)
        return found

    def differences(self, name: str, number: int, values: bytes, place: int) -> list[tuple[str, str]]:
        kind, size = self.resolved(number), self.size(number)
        if values[place:place + size] == self.constants[place:place + size]:
            return []
        if kind["kind"] in ("STRUCT", "UNION"):
            return [one for member in kind["members"] for one in self.differences(
                f"{name}.{member['name']}", member["type_id"], values, place + member["bits_offset"] // 8)]
        return [(name, self.text(number, values, place))]

    def text(self, number: int, values: bytes, place: int) -> str:
        kind, size = self.resolved(number), self.size(number)
        if kind["kind"] == "ARRAY":
            step = self.size(kind["type_id"])
            elements = [self.text(kind["type_id"], values, place + i * step) for i in range(kind["nr_elems"])]
            # Those that are not named are zero.
            while len(elements) > 1 and elements[-1] == "0":
                elements.pop()
            return "[" + ",".join(elements) + "]"
        return str(int.from_bytes(values[place:place + size], "little", signed=kind.get("encoding") == "SIGNED"))

    def resolved(self, number: int) -> dict:
        while (one := self.types[number])["kind"] in ("TYPEDEF", "CONST", "VOLATILE", "RESTRICT", "TYPE_TAG"):
            number = one["type_id"]
        return one

    def size(self, number: int) -> int:
        kind = self.resolved(number)
        if kind["kind"] == "ARRAY":
            return kind["nr_elems"] * self.size(kind["type_id"])
        return 8 if kind["kind"] == "PTR" else kind["size"]


def read_constants(path: str) -> tuple[bytes, dict[str, int]]:
    """The contents of `.rodata`, and the places of the symbols in it."""
    with open(path, "rb") as file:
        data = file.read()
    table, = struct.unpack_from("<Q", data, 0x28)
    count, names = struct.unpack_from("<HH", data, 0x3c)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + 64 * index) for index in range(count)]

    def text(section: tuple, offset: int) -> str:
        start = section[4] + offset
        return data[start:data.index(b"\0", start)].decode()

    for index, one in enumerate(sections):
        if text(sections[names], one[0]) == ".rodata":
            break
    else:
        return b"", {}
    symbols = next(section for section in sections if section[1] == 2)
    places = {}
    for start in range(symbols[4], symbols[4] + symbols[5], 24):
        name, _, _, section, value, _ = struct.unpack_from("<IBBHQQ", data, start)
        if section == index and name:
            places[text(sections[symbols[6]], name)] = value
    return data[one[4]:one[4] + one[5]], places


def output(*words: str) -> str:
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
