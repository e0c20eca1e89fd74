"""Reads what tools/proof/try prints."""
from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What verity-bpf said of an object."""

    #: The exit code of the run that it was loaded in.
    status: int
    programs: tuple[str, ...]
    #: Code and message of the refusal; empty where there was none.
    code: str
    message: str

    @property
    def loads(self) -> bool:
        return bool(self.programs) and not self.code


def read(lines: Iterable[str]) -> dict[str, Answer]:
    """The answers by object."""
    found: dict[str, Answer] = {}
    status, names = 0, [""]
    for line in lines:
        if line.startswith("run\t"):
            _, number, objects = line.rstrip("\n").split("\t")
            status, names = int(number), objects.split()
            for name in names:
                found[name] = Answer(status, (), "", f"no answer, exit code {status}")
            continue
        answer = json.loads(line)
        # Of several objects each answer says which it is about.
        path = answer.get("request", {}).get("object", f"/objects/{names[0]}.o")
        name = os.path.relpath(path, "/objects").removesuffix(".o")
        error = answer.get("error") or {}
        programs = tuple(program["name"] for program in answer.get("programs", []))
        found[name] = Answer(status, programs, error.get("code", ""), error.get("message", ""))
    return found
