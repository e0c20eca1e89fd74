#!/usr/bin/env python3
"""Writes a UEFI variable store with Secure Boot on and our own certificates enrolled.

usage: varstore.py EMPTY OUT CERTIFICATE.der...

EMPTY is OVMF's own empty store. The first certificate becomes PK and KEK; all of them go into db, from where Linux
takes them into its .platform keyring. The layout is edk2's authenticated variable store (MdeModulePkg/Include/Guid/
VariableFormat.h), the values are EFI signature lists (UEFI specification, 32.4.1).
"""
import struct
import sys
import uuid

GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
IMAGE_SECURITY = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
SECURE_BOOT_ENABLE = uuid.UUID("f0a30bc7-af08-4556-99c4-001009c93a44")
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
AUTHENTICATED_STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792")
# Whoever owns the keys; any value does.
OWNER = uuid.UUID("6f1a3f60-1f6a-4f0c-9d4c-2b7d8a0c51e7")

# NON_VOLATILE | BOOTSERVICE_ACCESS, then RUNTIME_ACCESS | TIME_BASED_AUTHENTICATED_WRITE_ACCESS.
BOOT_ONLY = 0x3
AUTHENTICATED = 0x27


def signature_list(certificate: bytes) -> bytes:
    """EFI_SIGNATURE_LIST with one EFI_SIGNATURE_DATA."""
    entry = OWNER.bytes_le + certificate
    return X509.bytes_le + struct.pack("<III", 28 + len(entry), 0, len(entry)) + entry


def variable(name: str, vendor: uuid.UUID, attributes: int, value: bytes) -> bytes:
    """AUTHENTICATED_VARIABLE_HEADER with name and value, padded to four bytes."""
    text = (name + "\0").encode("utf-16-le")
    # An EFI_TIME of some day: later authenticated writes must be newer, and there are none.
    time = struct.pack("<HBBBBBBIhBB", 2020, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0) if attributes == AUTHENTICATED else bytes(16)
    header = struct.pack("<HBBIQ", 0x55AA, 0x3F, 0, attributes, 0) + time
    header += struct.pack("<III", 0, len(text), len(value)) + vendor.bytes_le
    record = header + text + value
    return record + b"\xff" * (-len(record) % 4)


def main() -> None:
    empty, target, *paths = sys.argv[1:]
    certificates = []
    for path in paths:
        with open(path, "rb") as file:
            certificates.append(file.read())
    with open(empty, "rb") as file:
        store = bytearray(file.read())
    (header_length,) = struct.unpack_from("<H", store, 48)
    if store[40:44] != b"_FVH" or store[header_length:header_length + 16] != AUTHENTICATED_STORE.bytes_le:
        raise SystemExit(f"varstore: {empty} is no store of authenticated variables")
    (size,) = struct.unpack_from("<I", store, header_length + 16)

    owner = signature_list(certificates[0])
    records = b"".join([
        variable("PK", GLOBAL, AUTHENTICATED, owner),
        variable("KEK", GLOBAL, AUTHENTICATED, owner),
        variable("db", IMAGE_SECURITY, AUTHENTICATED, b"".join(signature_list(one) for one in certificates)),
        variable("SecureBootEnable", SECURE_BOOT_ENABLE, BOOT_ONLY, b"\1"),
    ])
    start = header_length + 28
    if len(records) > size - 28 or store[start:start + len(records)].strip(b"\xff"):
        raise SystemExit(f"varstore: {empty} is not empty or has no room")
    store[start:start + len(records)] = records
    with open(target, "wb") as file:
        file.write(store)


main()
