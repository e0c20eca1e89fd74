#!/usr/bin/env python3
"""Takes the ELF kernel out of a bzImage, so that QEMU can start it without its slow decompressor.

usage: vmlinux.py VMLINUZ VMLINUX

The payload's place is in the setup header (Documentation/arch/x86/boot.rst: payload_offset at 0x248, payload_length
at 0x24c, both relative to the protected-mode code that follows setup_sects + 1 sectors).
"""
import lzma
import struct
import subprocess
import sys


def main() -> None:
    source, target = sys.argv[1:]
    with open(source, "rb") as file:
        image = file.read()
    if image[0x202:0x206] != b"HdrS":
        # Already an ELF file, or something that QEMU will judge.
        raise SystemExit(f"vmlinux: {source} is no bzImage")
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    packed = image[start:start + length]
    if packed[:4] == b"\x28\xb5\x2f\xfd":
        # The last four bytes are the unpacked size, which zstd takes for trash after the frame.
        result = subprocess.run(["zstd", "-dcq"], input=packed[:-4], stdout=subprocess.PIPE, check=True)
        kernel = result.stdout
    elif packed[:6] == b"\xfd7zXZ\0":
        kernel = lzma.LZMADecompressor().decompress(packed)
    else:
        raise SystemExit(f"vmlinux: {source} is packed by a method that is not known here")
    if kernel[:4] != b"\x7fELF":
        raise SystemExit(f"vmlinux: {source} holds no ELF kernel")
    with open(target, "wb") as file:
        file.write(kernel)


main()
