#!/usr/bin/env python3
"""Makes docs/kernels.md from the results of tools/vm/matrix: SERIES.version and SERIES.results in a directory.

usage: matrix.py DIRECTORY
"""
import os
import re
import sys

HEAD = """# What works on which kernel

Every case of the test machine (`vm.md`) on Debian's cloud kernels, written by `make vm-matrix`; do not edit. A case
runs on the boots in brackets: **s** Secure Boot with our certificate in the firmware's db, **i** `lockdown=integrity`,
**c** `lockdown=confidentiality`, **p** no lockdown, **g** and **h** the gate without and with `lockdown=confidentiality`. `yes` is the expected answer on each of them; a number leads to the kernel's own words.
"""
BOOTS = {"secure-boot": "s", "integrity": "i", "confidentiality": "c", "plain": "p", "gate": "g",
         "gate-confidentiality": "h"}
LINE = re.compile(r"(ok|not ok|skip) (\S+) (\S+)(?: \((\d+) ms\))?(?: -- (.*))?")


def main() -> None:
    directory = sys.argv[1]
    series = sorted(
        (name[:-len(".results")] for name in os.listdir(directory) if name.endswith(".results")),
        key=lambda text: [int(part) for part in text.split(".")])
    cases: dict[str, dict[str, dict[str, tuple[str, str]]]] = {}
    versions = {}
    for one in series:
        with open(os.path.join(directory, one + ".version"), encoding="utf-8") as file:
            versions[one] = file.read().strip()
        with open(os.path.join(directory, one + ".results"), encoding="utf-8") as file:
            for line in file:
                match = LINE.fullmatch(line.rstrip("\n"))
                if match:
                    verdict, boot, name, _, why = match.groups()
                    cases.setdefault(name, {}).setdefault(one, {})[boot] = (verdict, why or "")
    notes: list[str] = []

    def note(text: str) -> int:
        if text not in notes:
            notes.append(text)
        return notes.index(text) + 1

    print(HEAD)
    print("| series | package |\n|---|---|")
    for one in series:
        print(f"| {one} | linux-image-{versions[one]} |")
    print()
    print("| case | " + " | ".join(series) + " |")
    print("|---|" + "---|" * len(series))
    for name, answers in cases.items():
        boots = {boot for answer in answers.values() for boot in answer}
        letters = "".join(letter for boot, letter in BOOTS.items() if boot in boots)
        cells = []
        for one in series:
            answer = answers.get(one, {})
            bad = {}
            for boot, (verdict, why) in answer.items():
                if verdict != "ok":
                    bad.setdefault((verdict, why), []).append(BOOTS.get(boot, boot))
            if not answer:
                cells.append("–")
            elif not bad:
                cells.append("yes")
            else:
                cells.append(", ".join(
                    ("no" if verdict == "skip" else "FAILED")
                    + (f" ({''.join(where)})" if len(where) < len(answer) else "") + f" [{note(why)}]"
                    for (verdict, why), where in bad.items()))
        print(f"| `{name}` ({letters}) | " + " | ".join(cells) + " |")
    print()
    for number, text in enumerate(notes, start=1):
        print(f"{number}. {text}")


main()
