#!/usr/bin/env python3
"""Writes an initramfs (cpio, newc format: Documentation/driver-api/early-userspace/buffer-format.rst).

usage: initramfs.py OUT ENTRY...

  dir:PATH              an empty directory
  node:PATH:MAJOR:MINOR a character device
  file:PATH:MODE:SOURCE a file of this machine
  tree:PATH:SOURCE      every file below a directory of this machine
  bin:PATH:SOURCE       a program, with the shared libraries it needs
  link:PATH:TARGET      a symbolic link

Equal files give equal bytes: owner 0, time 0, entries sorted. It is not compressed: unpacking in an emulated processor
costs more than reading.
"""
import os
import re
import subprocess
import sys


class Archive:
    def __init__(self) -> None:
        self.entries: dict[str, tuple[int, bytes, tuple[int, int]]] = {}

    def add(self, path: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        path = path.strip("/")
        parent = os.path.dirname(path)
        if parent and parent not in self.entries:
            self.add(parent, 0o40755)
        self.entries[path] = (mode, content, device)

    def add_file(self, path: str, mode: int, source: str) -> None:
        with open(source, "rb") as file:
            self.add(path, 0o100000 | mode, file.read())

    def add_program(self, path: str, source: str) -> None:
        self.add_file(path, 0o755, source)
        answer = subprocess.run(["ldd", source], capture_output=True, text=True, check=False)
        for line in answer.stdout.splitlines():
            # `libc.so.6 => /lib/... (0x...)`, or the loader's own path alone.
            found = re.match(r"\s*(?:\S+ => )?(/\S+) \(0x", line)
            if found:
                # Where the loader looks anyway, whatever the directory was called here.
                library = found.group(1)
                place = library if "ld-linux" in library else "/lib/x86_64-linux-gnu/" + os.path.basename(library)
                self.add_file(place, 0o755, os.path.realpath(library))
            elif "not found" in line:
                raise SystemExit(f"initramfs: {source}: {line.strip()}")

    def add_tree(self, path: str, source: str) -> None:
        for directory, _, names in os.walk(source):
            for name in names:
                full = os.path.join(directory, name)
                place = os.path.join(path, os.path.relpath(full, source))
                self.add_file(place, os.stat(full).st_mode & 0o777, full)

    def write(self, target: str) -> None:
        with open(target, "wb") as out:
            for inode, path in enumerate(sorted(self.entries), start=1):
                mode, content, device = self.entries[path]
                self.record(out, inode, path, mode, content, device)
            self.record(out, 0, "TRAILER!!!", 0, b"", (0, 0))

    @staticmethod
    def record(out, inode: int, path: str, mode: int, content: bytes, device: tuple[int, int]) -> None:
        name = path.encode() + b"\0"
        links = 2 if mode & 0o40000 else 1
        # magic, ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
        numbers = [inode, mode, 0, 0, links, 0, len(content), 0, 0, device[0], device[1], len(name), 0]
        header = b"070701" + b"".join(b"%08x" % number for number in numbers)
        out.write(header + name + b"\0" * (-(len(header) + len(name)) % 4))
        out.write(content + b"\0" * (-len(content) % 4))


def main() -> None:
    target, *words = sys.argv[1:]
    archive = Archive()
    for word in words:
        kind, _, rest = word.partition(":")
        fields = rest.split(":")
        if kind == "dir":
            archive.add(fields[0], 0o40755)
        elif kind == "node":
            archive.add(fields[0], 0o20600, device=(int(fields[1]), int(fields[2])))
        elif kind == "file":
            archive.add_file(fields[0], int(fields[1], 8), fields[2])
        elif kind == "tree":
            archive.add_tree(fields[0], fields[1])
        elif kind == "bin":
            archive.add_program(fields[0], fields[1])
        elif kind == "link":
            archive.add(fields[0], 0o120777, fields[1].encode())
        else:
            raise SystemExit(f"initramfs: {word}: no such kind of entry")
    archive.write(target)


main()
