#!/usr/bin/env python3
"""Compares what kernels said of programs with what the analysis claims, see tools/analysis-proof.

usage: report.py WORK    prints docs/analysis-proof.md; exits with 1 where a row is off, or too little was compared
"""
from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter

import records
import verdict
from records import Record
from verdict import MODES, Claims, Reading

#: Of the programs that load, at most this part may be left uncompared.
UNCOMPARED = 0.03

HEAD = """# The analysis against the kernel's verifier

Written by `make analysis-proof`; do not edit. The kernel's own BPF selftests, which try every corner of the verifier, and the
objects of the compatibility corpus (`compatibility.md`) are loaded with the verifier's log at level 2. That log follows each path
through a program and says of every register what it holds. An access *reaches the kernel* when it loads from, stores to or exchanges
memory at a pointer that the verifier calls `ptr_` with a type's name (trusted, untrusted, RCU or plain), `map_ptr` (the kernel's own
`struct bpf_map`), `rdonly_untrusted_mem`, or `rdonly_mem` that is not the program's own stack or packet. A program with such an access
may neither be of class restricted nor have `x_reads=NONE` ([analysis.md](analysis.md)). And what a kernel refuses because it
is locked down, the analysis must not have called allowed.

A log counts only when every instruction that the verifier says it processed was found in it, and the pointer of every access was known.
"""


class Work:
    """The directory that tools/analysis-proof fills."""

    def __init__(self, path: str) -> None:
        self.path = path

    def text(self, name: str) -> str:
        with open(os.path.join(self.path, name), encoding="utf-8") as file:
            return file.read().strip()

    def lines(self, name: str) -> list[str]:
        return self.text(name).splitlines()

    def records(self, name: str) -> dict[tuple[str, str], Record]:
        return {(one.object, one.program): one for one in records.read(os.path.join(self.path, name))}


class Comparison:
    def __init__(self, work: Work) -> None:
        self.work = work
        self.claims = Claims.read(os.path.join(work.path, "claims"), work.lines("names"))
        self.kernel_types = set(work.lines("types")) | set(work.lines("host.types"))
        self.host = work.records("host.records")
        self.modes = {mode: work.records(f"{mode}.records") for mode in ("none", *MODES)}
        self.readings: dict[tuple[str, str], Reading] = {}
        self.lockdown: dict[str, dict[tuple[str, str], Reading]] = {mode: {} for mode in MODES}
        self.types: dict[tuple[str, str], str] = {}
        self.unjudged: Counter[str] = Counter()
        self.nowhere: dict[tuple[str, str], str] = {}
        #: How many logs of each kernel were read.
        self.logs: Counter[str] = Counter()
        for program in sorted({**self.host, **self.modes["none"]}):
            self.compare(program)

    def compare(self, program: tuple[str, str]) -> None:
        none = self.modes["none"].get(program)
        host = self.host.get(program)
        asked = [one for one in (none, host) if one is not None]
        self.types[program] = next((one.type for one in asked if one.type != "unknown"), "unknown")
        if not any(one.loads or one.was_cut_short for one in asked):
            self.nowhere[program] = asked[0].reason
            return
        claim = self.claims.programs.get(program)
        if claim is None:
            self.unjudged[self.claims.refused.get(program[0], "not in the answer")] += 1
            return
        self.logs["vm"] += none is not None and none.result == "loaded"
        self.logs["host"] += host is not None and host.result == "loaded"
        self.readings[program] = verdict.judge(asked, claim, self.kernel_types)
        if none is not None and none.loads:
            for mode in MODES:
                self.lockdown[mode][program] = verdict.judge_lockdown(self.modes[mode].get(program), mode, claim)

    @property
    def uncompared(self) -> dict[tuple[str, str], str]:
        found = {program: one.reason for program, one in self.readings.items() if one.verdict is None}
        for mode in MODES:
            for program, one in self.lockdown[mode].items():
                if one.verdict is None:
                    found[program] = "; ".join(filter(None, [found.get(program), one.reason]))
        return found

    @property
    def off(self) -> list[tuple[str, str, str, str]]:
        """Object, program, what was claimed, and what the kernel says."""
        rows = []
        for program, one in sorted(self.readings.items()):
            if one.verdict == verdict.OFF:
                rows.append((*program, self.claims.programs[program].text, "; ".join(one.evidence)))
        for mode in MODES:
            for program, one in sorted(self.lockdown[mode].items()):
                if one.verdict == verdict.LOCKDOWN_OFF:
                    rows.append((*program, f"loads under lockdown={mode}", "; ".join(one.evidence)))
        return rows


def plain(text: str) -> str:
    return re.sub(r"([*_])", r"\\\1", re.sub(r"[|<>`]", "", text))


def table(title: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(title) + " |", "|---" * len(title) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def page(work: Work) -> int:
    comparison = Comparison(work)
    readings = comparison.readings
    loaded = len(readings)
    uncompared = comparison.uncompared
    off = comparison.off
    failed = [line.split("\t") for line in work.lines("failed")]
    names = work.lines("names")
    selftests = sum(name.startswith("selftests/") for name in names)
    share = len(uncompared) / loaded if loaded else 1.0
    verdicts = Counter(one.verdict for one in readings.values())

    print(HEAD)
    print(f"Run on {time.strftime('%Y-%m-%d', time.gmtime())}: {selftests} objects of linux-source {work.text('version')}, compiled by "
          f"{work.text('compiler')} for Linux {work.text('kernel')}, and {len(names) - selftests} of the corpus. Kernels: "
          f"{work.text('kernel')} in the test machine, and for the corpus also {re.sub('-.*', '', work.text('host.kernel'))}. "
          "Selftests are loaded in the test machine alone: many are there because a verifier once failed on them, and an older kernel "
          "still does.\n")
    print("`make analysis-proof` makes it again (root, network, about half an hour; not part of CI); "
          "`tools/analysis-proof claims BINARY` and `tools/analysis-proof page` compare another analysis with the kernels' answers of "
          "last time.\n")

    print("## Summary\n")
    print(table(("programs", ""), [
        ("asked about", len(comparison.types)),
        ("loaded by no kernel", len(comparison.nowhere)),
        ("loaded, in objects that `inspect` refuses, so nothing is claimed of them", sum(comparison.unjudged.values())),
        ("loaded and judged", loaded),
        ("logs read, of the test machine", comparison.logs["vm"]),
        ("logs read, of this machine (corpus only)", comparison.logs["host"]),
        ("not compared", f"{len(uncompared)} ({share:.1%})"),
        ("**off**", len(off)),
    ]))
    print(table(("what the log shows, and what the analysis says", "programs"), [
        (text, verdicts[text]) for text in (verdict.SAID, verdict.NONE_SEEN, verdict.CAUTIOUS)
    ] + [(f"**{verdict.OFF}**", verdicts[verdict.OFF])]))
    lockdown = {mode: Counter(one.verdict for one in comparison.lockdown[mode].values()) for mode in MODES}
    print(table(("a program that loads without lockdown …", *MODES), [
        (text, *(lockdown[mode][text] for mode in MODES)) for text in (verdict.ALLOWED, verdict.FORBIDDEN, verdict.STRICT)
    ] + [(f"**{verdict.LOCKDOWN_OFF}**", *(lockdown[mode][verdict.LOCKDOWN_OFF] for mode in MODES))]))

    if off:
        print("## Off\n")
        print(table(("object", "program", "claimed", "the kernel"), [tuple(plain(cell) for cell in row) for row in off]))

    print("## By type\n")
    rows = []
    for kind in sorted(set(comparison.types.values())):
        programs = [program for program, found in comparison.types.items() if found == kind]
        counts = Counter(readings[program].verdict for program in programs if program in readings)
        rows.append((
            plain(kind), len(programs), sum(program in comparison.nowhere for program in programs),
            counts[verdict.SAID], counts[verdict.NONE_SEEN], counts[verdict.CAUTIOUS], counts[verdict.OFF],
            sum(program in uncompared for program in programs)))
    print(table(
        ("type", "asked", "loaded by none", "accesses, not ruled out", "none, ruled out", "none seen, not ruled out", "off",
         "not compared"), rows))

    print("## Not compared\n")
    print(table(("object", "program", "why"), [
        tuple(plain(cell) for cell in (*program, reason)) for program, reason in sorted(uncompared.items())]))

    strict = [(*program, mode) for mode in MODES for program, one in sorted(comparison.lockdown[mode].items())
              if one.verdict == verdict.STRICT]
    if strict:
        print("## Said to be refused under lockdown, and loaded\n")
        print("Cautious, not off: nothing is admitted that should not be.\n")
        print(table(("object", "program", "mode"), [tuple(plain(cell) for cell in row) for row in strict]))

    print("## Objects that are refused\n")
    print("Programs that a kernel loads, in objects that `inspect` refuses, by its reason:\n")
    print(table(("code", "programs"), [(f"`{code}`", count) for code, count in comparison.unjudged.most_common()]))

    print("## What does not compile\n")
    print(f"{len(failed)} of {selftests + len(failed)} selftests:\n")
    print(table(("selftest", "why"), [(plain(row[0]), plain(row[-1])) for row in failed]))

    print("## Why no kernel loads a program\n")
    print("Most of them are there to be refused. Others use functions of the selftests' own kernel module, which the test machine "
          "does not have. The kernel's or libbpf's last words, without names and numbers:\n")
    reasons = Counter(re.sub(r"'[^']*'|0x[0-9a-f]+|-?\d+", "…", reason)[:100] for reason in comparison.nowhere.values())
    print(table(("reason", "programs"), [(plain(text), count) for text, count in reasons.most_common(25)]
                + [("others", sum(count for _, count in reasons.most_common()[25:]))]))

    for row in off:
        print("analysis-proof: off: " + " | ".join(row), file=sys.stderr)
    if share > UNCOMPARED:
        print(f"analysis-proof: {share:.1%} of the programs could not be compared, more than {UNCOMPARED:.0%}", file=sys.stderr)
    return 1 if off or share > UNCOMPARED or loaded == 0 else 0


def main(words: list[str]) -> int:
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 64
    try:
        return page(Work(words[1]))
    except records.Incomplete as error:
        print(f"analysis-proof: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
