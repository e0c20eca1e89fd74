#!/usr/bin/env python3
"""Makes docs/lockdown.md from the results of tools/vm/matrix: what the analysis says of every program of the corpus in each
lockdown mode, and whether each kernel does so. Also OUT, which tools/corpus-table puts into docs/compatibility.md: a line
an object and kernel.

usage: lockdown.py DIRECTORY OUT
"""
import os
import re
import sys

HEAD = """# Lockdown: what the analysis says, and what kernels do

Written by `make vm-matrix`; do not edit. Every program of the compatibility corpus (`compatibility.md`) was loaded, and attached
where that can be tried, on machines that started without lockdown, with `lockdown=integrity` and with
`lockdown=confidentiality`. Nothing but the kernel refused: the policy allowed everything. Maps whose size
an object leaves to its own loader got one (`--map-entries`, [loading.md](loading.md)).

The middle columns are the analysis (`analysis.md`): what the kernel will refuse in a mode, and for which reason. Under no lockdown it
forbids nothing. Then, for each kernel:

| cell | meaning |
|---|---|
| = | in all three modes the kernel loads and attaches what the analysis says it will, and refuses the rest for lockdown |
| = load | the same for loading; attaching does not work on this kernel without lockdown either, or needs more than the object says |
| – | not comparable: the kernel does not load it without lockdown either |
| OFF | the kernel does otherwise than the analysis says |

A number leads to the kernel's own answer.
"""
MODES = ["none", "integrity", "confidentiality"]


def plain(text: str) -> str:
    return re.sub(r"([*_])", r"\\\1", re.sub(r"[|<>`]", "", text))


class Notes:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def number(self, text: str) -> str:
        # Numbers that differ from one kernel to the next say nothing.
        text = plain(re.sub(r"unknown#\d+", "unknown", text))
        if text not in self.texts:
            self.texts.append(text)
        return f"[{self.texts.index(text) + 1}]"


def cell(rows: dict[str, list[str]], notes: Notes) -> str:
    """One program on one kernel; the rows are by mode: forbidden at load, at attachment, load, attach, verdict."""
    if any(mode not in rows for mode in MODES):
        return "?"
    none = rows["none"]
    verdicts = [row[4] for row in rows.values()]
    if none[2] != "yes":
        # What loads nowhere cannot be refused for lockdown first.
        return "– " + notes.number(none[2].removeprefix("no: "))
    if "OFF" in verdicts or "-" in verdicts:
        return "**OFF**"
    if none[4] == "load":
        return "= load " + notes.number(none[3].removeprefix("no: ").removeprefix("-: "))
    return "="


def main() -> None:
    directory, out = sys.argv[1:]
    series = sorted(
        (name[:-len(".results")] for name in os.listdir(directory) if name.endswith(".results")),
        key=lambda text: [int(part) for part in text.split(".")])
    programs: dict[tuple[str, str, str], dict[str, dict[str, list[str]]]] = {}
    lines = []
    for one in series:
        oracle = "none"
        with open(os.path.join(directory, one + ".results"), encoding="utf-8") as file:
            for line in file:
                fields = line.rstrip("\n").split("\t")
                if fields[0] == "row" and len(fields) == 10:
                    mode, *name = fields[1:5]
                    programs.setdefault(tuple(name), {}).setdefault(one, {})[mode] = fields[5:]
                elif fields[0] == "oracle":
                    oracle = fields[1]
                elif fields[0] == "object":
                    lines.append("\t".join([one, oracle] + fields[1:]))
    with open(out, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)

    notes = Notes()
    table = []
    counts = {one: {"=": 0, "= load": 0, "–": 0, "**OFF**": 0, "?": 0} for one in series}
    for (item, program, section), answers in programs.items():
        cells = []
        forbidden = {}
        for one in series:
            text = cell(answers.get(one, {}), notes)
            counts[one][re.sub(r" \[\d+\]$", "", text)] += 1
            cells.append(text)
            for mode, row in answers.get(one, {}).items():
                forbidden[mode] = ", ".join(
                    text for text in [row[0], "attaching: " + row[1] if row[1] != "-" else "-"] if text != "-")
        item = item.removesuffix(".bpf.o")
        words = [item, program, section] + [forbidden.get(mode, "") or "nothing" for mode in MODES[1:]]
        table.append("| " + " | ".join([plain(word) for word in words] + cells) + " |")

    print(HEAD)
    print("## Summary\n")
    print("| programs | " + " | ".join(series) + " |")
    print("|---|" + "---|" * len(series))
    for name in ["=", "= load", "–", "**OFF**"]:
        print(f"| {name} | " + " | ".join(str(counts[one][name]) for one in series) + " |")
    print("\n## Every program\n")
    print("| object | program | section | forbidden under integrity | under confidentiality | " + " | ".join(series) + " |")
    print("|---|---|---|---|---|" + "---|" * len(series))
    print("\n".join(table))
    print("\n## The kernels' answers\n")
    for number, text in enumerate(notes.texts, start=1):
        print(f"{number}. {text}")


main()
