#!/usr/bin/env python3
"""Writes Tests/Fixtures/erofs anew: one small tree, packed by mkfs.erofs in each way that the reader knows.

  tools/erofs_fixtures.py    needs mkfs.erofs of this machine (1.5) and that of tools/debian sid erofs-utils

Images are compressed by gzip; `contents` has SHA-256, bytes and path of each file.
"""

import gzip, hashlib, random, subprocess, sys, tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "Tests/Fixtures/erofs"
NEW = "new"
# Name, whose mkfs.erofs, options.
KINDS = [
    ("plain", "own", []),
    ("lz4", "own", ["-zlz4"]),
    ("lz4-before-5.3", "own", ["-zlz4", "-Elegacy-compress"]),
    ("lz4hc-big", "own", ["-zlz4hc,9", "-C16384"]),
    ("lz4hc-full-index", NEW, ["-zlz4hc", "-C16384", "-Elegacy-compress,force-inode-extended"]),
    ("deflate", NEW, ["-zdeflate"]),
    ("lzma", NEW, ["-zlzma"]),
    ("zstd", NEW, ["-zzstd"]),
    ("zstd-big-tails", NEW, ["-zzstd", "-C16384", "-Eztailpacking"]),
    ("zstd-fragments", NEW, ["-zzstd", "-Efragments"]),
    ("zstd-all-fragments", NEW, ["-zzstd", "-Eall-fragments"]),
    ("lz4hc-dedupe", NEW, ["-zlz4hc", "-C16384", "-Ededupe"]),
    ("deflate-dedupe-fragments", NEW, ["-zdeflate", "-Ededupe,fragments"]),
    ("zstd-512", NEW, ["-zzstd", "-b512"]),
]


def tree(root):
    numbers = "".join(f"{n}\n" for n in range(2000)).encode()
    source = random.Random(7)
    words = [bytes(source.randrange(97, 123) for _ in range(source.randrange(2, 9))) for _ in range(60)]
    text = b" ".join(source.choice(words) for _ in range(900))
    files = {
        "numbers": numbers, "numbers-behind-text": text[:1500] + numbers[3000:], "zeros": bytes(40_000),
        "mixed": source.randbytes(5000) + b"A" * 9000 + text + source.randbytes(300), "text": text,
        "repeated": text * 15, "short": b"a few bytes of text\n", "empty": b"", "block": numbers[:4096],
    }
    files |= {f"d/a-name-of-some-length-{n}": b"n" * (n % 5) for n in range(200)}
    for path, contents in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(contents)
    (root / "link").symlink_to("d/a-name-of-some-length-1")
    return files


def main():
    new = subprocess.run([ROOT / "tools/debian", "sid", "erofs-utils"], capture_output=True, text=True, check=True).stdout.strip()
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        files = tree(Path(work, "tree"))
        lines = [f"{hashlib.sha256(data).hexdigest()} {len(data)} {path}\n" for path, data in sorted(files.items())]
        (OUT / "contents").write_text("".join(lines))
        for name, whose, options in KINDS:
            image = Path(work, "image")
            program = "mkfs.erofs" if whose == "own" else f"{new}/mkfs.erofs"
            done = subprocess.run(
                [program, "-T0", "-U00000000-0000-0000-0000-000000000001", "--all-root", "-x-1", "--quiet", *options, image,
                 Path(work, "tree")], capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"erofs_fixtures: {name}: {done.stderr}")
            (OUT / f"{name}.gz").write_bytes(gzip.compress(image.read_bytes(), 9, mtime=0))
            image.unlink()


main()
