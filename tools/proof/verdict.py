"""What the analysis claims of a program, held against what kernels said of it."""
from __future__ import annotations

import json
import os
from collections.abc import Iterable, Set
from dataclasses import dataclass, field

import verifierlog
from records import Record

MODES = ("integrity", "confidentiality")


@dataclass(frozen=True)
class Claim:
    """What `verity-bpf inspect --json` says of a program."""

    restricted: bool
    reads_none: bool
    #: The lockdown modes in which it is said to load.
    loads: frozenset[str]

    @property
    def text(self) -> str:
        words = [word for word, holds in [("restricted", self.restricted), ("reads NONE", self.reads_none)] if holds]
        return ", ".join(words) or "nothing"


@dataclass
class Claims:
    programs: dict[tuple[str, str], Claim] = field(default_factory=dict)
    #: Objects that are refused, and so can be admitted by no policy, with the code of the refusal.
    refused: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def read(directory: str, names: Iterable[str]) -> Claims:
        claims = Claims()
        for name in names:
            with open(os.path.join(directory, name + ".json"), encoding="utf-8") as file:
                text = file.read()
            if not text:
                claims.refused[name] = "no answer"
                continue
            answer = json.loads(text)
            if "error" in answer:
                claims.refused[name] = answer["error"]["code"]
                continue
            for program in answer["programs"]:
                lockdown = program["lockdown"]
                claims.programs[name, program["name"]] = Claim(
                    restricted=program["class"] == "restricted",
                    reads_none=program["read_scope"] == "none",
                    loads=frozenset(mode for mode in MODES if lockdown[mode]["loads"]))
        return claims


#: Verdicts on accesses.
SAID = "accesses the kernel's memory, and the analysis does not rule that out"
NONE_SEEN = "accesses none, and the analysis says that it reads none"
CAUTIOUS = "accesses none that the verifier saw, and the analysis does not rule it out"
OFF = "accesses the kernel's memory, and the analysis calls it restricted or says that it reads none"
#: Verdicts on lockdown.
ALLOWED = "loads, and is said to"
FORBIDDEN = "is refused, and is said to be"
STRICT = "loads, and is said to be refused"
LOCKDOWN_OFF = "is refused, and is said to load"


@dataclass(frozen=True)
class Reading:
    """A log's answer for one program, or why there is none."""

    verdict: str | None
    #: Why it could not be compared.
    reason: str = ""
    #: The first accesses that are off, as the log has them.
    evidence: tuple[str, ...] = ()


def judge_log(log: str, claim: Claim, types: Set[str]) -> Reading:
    reading = verifierlog.read(log)
    if not reading.is_whole:
        first = f", the first without a known pointer: {reading.unclear[0]}" if reading.unclear else ""
        return Reading(
            None, f"{reading.instructions + reading.safe} of {reading.processed} instructions were found in the log{first}")
    accesses = reading.kernel_accesses(types)
    if not accesses:
        return Reading(NONE_SEEN if claim.reads_none else CAUTIOUS)
    if not claim.restricted and not claim.reads_none:
        return Reading(SAID)
    return Reading(OFF, evidence=tuple(f"{one.index}: {one.text}, r{one.register}={one.state}" for one in accesses[:3]))


def judge(records: list[Record], claim: Claim, types: Set[str]) -> Reading:
    """Judges by the log of each kernel that loaded the program, or could not decide within the limit; `types` are the names
    of these kernels' types.

    A log that is off outweighs one that is not.
    """
    readings = [judge_log(one.text, claim, types) for one in records if one.result == "loaded"]
    for verdict in (OFF, None, SAID, NONE_SEEN, CAUTIOUS):
        if found := next((reading for reading in readings if reading.verdict == verdict), None):
            return found
    if any(one.result == "loaded-large" for one in records):
        return Reading(None, "the log is larger than the limit, or takes longer")
    return Reading(None, "the verifier took longer than the limit")


def judge_lockdown(locked: Record | None, mode: str, claim: Claim) -> Reading:
    """For a program that loads on the same kernel without lockdown."""
    if locked is None or locked.was_cut_short or locked.result == "unprepared":
        # Where libbpf could not make it ready, the kernel was not asked.
        return Reading(None, f"lockdown={mode}: {locked.result if locked else 'not asked'}")
    said = mode in claim.loads
    if locked.loads:
        return Reading(ALLOWED if said else STRICT)
    if not said:
        return Reading(FORBIDDEN)
    return Reading(LOCKDOWN_OFF, evidence=(locked.reason[:200],))
