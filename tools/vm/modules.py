#!/usr/bin/env python3
"""Copies modules with all that they depend on, and writes the order in which they can be inserted.

usage: modules.py TREE OUT NAME...

Writes OUT/NAME.ko and OUT/order. Dependencies are what each module says of itself in .modinfo (depends=); a name that
TREE does not hold is built in, or not of this series, and left out.
"""
import lzma
import os
import re
import sys


def main() -> None:
    tree, out, *wanted = sys.argv[1:]
    found = {}
    for directory, _, names in os.walk(tree):
        for name in names:
            match = re.fullmatch(r"(.+)\.ko(\.xz)?", name)
            if match:
                # The file's name may have a dash where the module's has an underscore.
                found[match.group(1).replace("-", "_")] = os.path.join(directory, name)
    order: list[str] = []

    def take(name: str) -> None:
        name = name.replace("-", "_")
        if name in order or name not in found:
            return
        path = found[name]
        with open(path, "rb") as file:
            content = file.read()
        if path.endswith(".xz"):
            content = lzma.decompress(content)
        depends = re.search(rb"(?:^|\0)depends=([^\0]*)\0", content)
        for other in depends.group(1).decode().split(",") if depends else []:
            if other:
                take(other)
        with open(os.path.join(out, name + ".ko"), "wb") as file:
            file.write(content)
        order.append(name)

    for name in wanted:
        take(name)
    with open(os.path.join(out, "order"), "w", encoding="ascii") as file:
        file.writelines(name + "\n" for name in order)


main()
