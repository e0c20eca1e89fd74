"""Reads the files that load.c writes."""
from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass


class Incomplete(Exception):
    """The loader, or the machine that it ran in, did not come to its end."""


@dataclass(frozen=True)
class Record:
    """What one kernel said of one program; load.c says what the results are."""

    object: str
    #: `-` where the object could not be opened.
    program: str
    type: str
    result: str
    error: int
    milliseconds: int
    #: Where the text is: file, offset and size. Logs are many, and large.
    place: tuple[str, int, int]

    @property
    def text(self) -> str:
        path, offset, size = self.place
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(size).decode(errors="replace")

    @property
    def loads(self) -> bool:
        return self.result in ("loaded", "loaded-large")

    @property
    def was_cut_short(self) -> bool:
        return self.result in ("timeout", "crashed")

    @property
    def reason(self) -> str:
        """Why it was refused: the verifier's last words, or libbpf's."""
        # What kernels from 7.3 on explain stands behind what they always said.
        lines = [line.strip() for line in self.text.split("\nVerification failed: ")[0].split("\n")]
        lines = [line for line in lines if line and not line.startswith(("processed ", "verification time ", "stack depth "))]
        return lines[-1] if lines else f"error {self.error}"


def read(path: str) -> Iterator[Record]:
    """Reads a file or what was written to the beginning of a disk.

    - Raises: ``Incomplete`` where it has no end.
    """
    with open(path, "rb") as file:
        while (line := file.readline(4096)) != b"end\n":
            fields = line.decode(errors="replace").rstrip("\n").split("\t")
            if fields[0] != "program" or len(fields) != 8:
                raise Incomplete(f"{path}: a record is missing its head")
            place = (path, file.tell(), int(fields[7]))
            file.seek(place[2], os.SEEK_CUR)
            if file.read(1) != b"\n":
                raise Incomplete(f"{path}: a record is cut short")
            yield Record(fields[1], fields[2], fields[3], fields[4], int(fields[5]), int(fields[6]), place)
