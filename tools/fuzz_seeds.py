#!/usr/bin/env python3
"""First inputs for the fuzz targets.

  tools/fuzz_seeds.py more DIR       make larger ones than the repository keeps, below DIR/TARGET: compiled objects, and
                                     images of mkfs.erofs where it is there
  tools/fuzz_seeds.py new BINARY     write Fuzz/Corpus and Fuzz/Signed anew, with a new signer, by verity-bpf and openssl;
                                     inputs named `found-…` stay: each once broke a promise

The signer's key is gone when this has run, so that nothing else can ever be signed by it.
"""

import gzip, hashlib, json, os, shutil, struct, subprocess, sys, tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUZZ = ROOT / "Fuzz"
# Bytes that a committed input may have.
LIMIT = 28 << 10


def run(*command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, **options)
    if result.returncode != 0:
        sys.exit(f"fuzz_seeds: {' '.join(map(str, command))}:\n{result.stderr.decode(errors='replace')}")
    return result.stdout


def objects(directory, *sources):
    """Compiles the .bpf.c files of directories, without debugging sections."""
    for source in sources:
        run("make", "-s", "-k", "-C", source, "-f", ROOT / "images/demo/Makefile", f"OUT={directory}/{source.name}",
            "CPPFLAGS=-Wno-error")
    return sorted(Path(directory).rglob("*.o"))


def sections(data):
    """The sections of an ELF file: name, flags, contents."""
    table, = struct.unpack_from("<Q", data, 40)
    count, names = struct.unpack_from("<HH", data, 60)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, table + 64 * index) for index in range(count)]
    base = headers[names][4]
    for name, kind, flags, _, offset, size, *_ in headers:
        end = data.index(b"\0", base + name)
        yield data[base + name:end].decode(), flags, b"" if kind == 8 else data[offset:offset + size]


def programs(data):
    """The instructions of an object's programs, as the target `program` takes them."""
    for name, flags, contents in sections(data):
        if flags & 4 and contents and len(contents) <= 4000:
            kinds = ["xdp", "tc", "socket", "kprobe", "tracepoint", "raw_tp", "tp_btf", "fentry", "lsm", "lsm.s", "iter"]
            kind = kinds.index(name.split("/")[0]) if name.split("/")[0] in kinds else 6
            yield name.replace("/", "-"), bytes([kind, 0]) + contents


# File systems

SMALL = [("a", b"a"), ("d/b", b"b" * 40), ("d/e/f", b"f" * 4100)]
LARGE = SMALL + [("d/g", b"g" * 600), ("holes", b"\0" * 9000 + b"x")] + [(f"d/some-longer-name-{n}", b"") for n in range(70)]


# What is compressed, by the newest mkfs.erofs: blocks of 512 bytes make the images small.
COMPRESSED = [("a", b"a" * 600), ("d/b", bytes(range(200)) * 9), ("d/e/f", b"the same words again and again, " * 120),
              ("d/g", bytes(range(200)) * 5 + b"other"), ("zeros", b"\0" * 5000)]
NEWER = [("lz4", ["-zlz4"]), ("lz4-full", ["-zlz4hc", "-C2048", "-Elegacy-compress,force-inode-extended"]),
         ("lzma-tails", ["-zlzma", "-Eztailpacking"]), ("deflate-dedupe", ["-zdeflate", "-Ededupe,fragments", "-C2048"]),
         ("zstd-fragments", ["-zzstd", "-Eall-fragments"])]


def erofs(directory, files, options, program="mkfs.erofs"):
    """An image of mkfs.erofs without its boot area."""
    tree, image = Path(directory, f"tree-{len(files)}"), Path(directory, "image")
    if not tree.exists():
        for path, contents in files:
            tree.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
            tree.joinpath(path).write_bytes(contents)
        tree.joinpath("link").symlink_to("d/b")
        os.link(tree / "a", tree / "twin")
    run(program, "-T0", "-U00000000-0000-0000-0000-000000000001", "--all-root", "-x-1", "--quiet", *options, image, tree)
    return image.read_bytes()[1024:]


# Other formats, small enough for a corpus.
SQUASHFS = [("squashfs-gzip", []), ("squashfs-plain", ["-noI", "-noD", "-noF", "-b", "4096"]),
            ("squashfs-xz", ["-comp", "xz", "-noI"]), ("squashfs-lz4", ["-comp", "lz4", "-no-exports"]),
            ("squashfs-zstd", ["-comp", "zstd", "-no-fragments", "-b", "4096"])]
EXT4 = [("ext4", ["-t", "ext4", "-I", "128", "-O", "^has_journal,^resize_inode,^flex_bg"]),
        ("ext2", ["-t", "ext2", "-I", "128", "-O", "^resize_inode"]),
        ("ext4-inline", ["-t", "ext4", "-O", "^has_journal,^resize_inode,^flex_bg,inline_data,^metadata_csum"])]
TINY = SMALL[:2] + [("d/e/f", b"f" * 1100), ("d/g", b"g" * 9)]


def squashfs(directory, files, options):
    """An image of mksquashfs."""
    erofs(directory, files, [])
    image = Path(directory, "squashfs")
    run("mksquashfs", Path(directory, f"tree-{len(files)}"), image, "-quiet", "-no-progress", "-noappend", "-nopad",
        "-all-root", "-all-time", 0, "-mkfs-time", 0, *options)
    return image.read_bytes()


def ext4(directory, files, options):
    """An image of mke2fs without its boot area and the zeros at its end."""
    erofs(directory, files, [])
    image = Path(directory, "ext4")
    image.unlink(missing_ok=True)
    os.environ["E2FSPROGS_FAKE_TIME"] = "1"
    run("mke2fs", "-q", "-F", "-b", 1024, "-N", 24 if files is TINY else 128, "-U", "00000000-0000-0000-0000-000000000001", "-E",
        "hash_seed=00000000-0000-0000-0000-000000000001,root_owner=0:0", "-d", Path(directory, f"tree-{len(files)}"),
        *options, image, "64k" if files is TINY else "1M")
    return image.read_bytes()[1024:].rstrip(b"\0")


def superblock(block_size, blocks, salt=b"\1\2"):
    """A dm-verity superblock (docs/formats.md)."""
    head = b"verity\0\0" + struct.pack("<II", 1, 1) + bytes(range(16)) + b"sha256".ljust(32, b"\0")
    head += struct.pack("<IIQH6x", block_size, block_size, blocks, len(salt)) + salt.ljust(256, b"\0")
    return head.ljust(512, b"\0")


def disk(size, head, tail=b"", repair=3):
    return struct.pack("<QHB", size << 1, len(tail), repair) + head + tail


def gpt(entries, sector, other, entries_at, last):
    table = b"".join(entries).ljust(4 * 128, b"\0")
    head = b"EFI PART" + struct.pack("<IIIIQQQQ", 0x10000, 92, 0, 0, sector, other, 6, last - 6) + bytes(range(16))
    return head + struct.pack("<QIII", entries_at, 4, 128, 0), table


def disks():
    # Four blocks of 512 bytes, of which EROFS says so, superblock and a tree of one block behind them.
    data = bytearray(2048)
    struct.pack_into("<I", data, 1024, 0xE0F5E1E2)
    data[1036] = 9
    struct.pack_into("<I", data, 1060, 4)
    salt = b"\1\2"
    tree = b"".join(hashlib.sha256(salt + data[at:at + 512]).digest() for at in range(0, 2048, 512)).ljust(512, b"\0")
    yield "appended", disk(3072, bytes(data) + superblock(512, 4, salt) + tree)
    yield "superblock", superblock(4096, 1000)
    # A discoverable image: data at sector 8, tree at sector 16, both copies of a table of four entries.
    root = hashlib.sha256(salt + tree).digest()

    def entry(kind, uuid, first, last):
        guid = lambda raw: raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
        kind = bytes.fromhex(kind.replace("-", ""))
        return guid(kind) + guid(uuid) + struct.pack("<QQQ", first, last, 1 << 60) + "root".encode("utf-16-le").ljust(72, b"\0")

    entries = [entry("4f68bce3-e8cd-4db1-96e7-fbcaf984b709", root[:16], 8, 11),
               entry("2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", root[16:], 16, 17)]
    last = 31
    first, table = gpt(entries, 1, last, 2, last)
    second, _ = gpt(entries, last, 1, last - 1, last)
    image = bytearray(512) + first.ljust(512, b"\0") + table.ljust(512, b"\0")
    image = image.ljust(8 * 512, b"\0") + data
    image = image.ljust(16 * 512, b"\0") + superblock(512, 4, salt) + tree
    yield "partitions", disk((last + 1) * 512, bytes(image), table.ljust(512, b"\0") + second.ljust(512, b"\0"))
    yield "huge", disk(1 << 50, bytes(512) + gpt(entries, 1, (1 << 41) - 1, 2, 1 << 40)[0].ljust(512, b"\0") + table)
    yield "root-hash", root.hex().encode() + b"\n"
    record = {"rootHash": root.hex(), "certificateFingerprint": "ab" * 32, "signature": "AAEC"}
    yield "signature-record", json.dumps(record, separators=(",", ":")).encode().ljust(4096, b"\0")
    yield "table", (f"1 7:0 7:0 4096 4096 8 9 sha256 {root.hex()} 0102 4 ignore_zero_blocks panic_on_corruption "
                    "root_hash_sig_key_desc key").encode()
    yield "table-fec", (f"1 7:0 7:1 512 512 4 1 sha512 {root.hex() * 2} - 9 use_fec_from_device 7:2 fec_roots 2 "
                        "fec_blocks 10 fec_start 10 check_at_most_once").encode()
    yield "state", b"V 0"
    yield "descriptor", (bytes([1, 1, 12, 2, 0, 0, 0, 0]) + struct.pack("<Q", 5000) + root.ljust(64, b"\0")
                         + salt.ljust(32, b"\0")).ljust(256, b"\0")


# Texts

def manifests():
    digest = hashlib.sha256(b"").hexdigest()
    analysis = {"minimum_kernel": "5.17", "capabilities": ["CAP_BPF"], "kernel_reads": ["task_struct.pid"],
                "user_writes": [], "restricted": False, "revision": 4}
    modes = {mode: {"loadable": True, "forbidden": []} for mode in ["none", "integrity"]}
    modes["confidentiality"] = {"loadable": False, "forbidden": ["bpf_probe_read_kernel"]}
    thing = {"path": "a.bpf.o", "sha256": digest, "size": 0, "license": "GPL", "programs": [
        {"name": "p", "section": "tp_btf/x", "type": "tracing", "attach_type": "trace_raw_tp", "analysis": analysis},
        {"name": "q", "section": "socket", "type": "socket_filter", "attach_type": None}],
        "maps": [{"name": "m", "type": "hash"}], "helpers": ["bpf_probe_read_kernel"], "core_relocations": 1,
        "lockdown": modes}
    whole = {"schema": "verity-bpf/manifest/1", "name": "fuzz", "version": "1.0", "data_blocks": 9,
             "objects": [thing, dict(thing, path="b/é.bpf.o", programs=[])],
             "files": [{"path": "notes", "sha256": digest, "size": 3}]}
    yield "pretty", json.dumps(whole, indent=2, ensure_ascii=False).encode() + b"\n"
    yield "compact", json.dumps(dict(reversed(whole.items())), separators=(",", ":")).encode()
    yield "empty", json.dumps(dict(whole, objects=[], files=[], name=None, version=None), indent=2).encode()
    entries = [{"object": "a.bpf.o", "programs": ["p*"], "without_programs": ["q"], "attach": ["p"], "interface": "lo",
                "cgroup": "/sys/fs/cgroup", "target": "ingress", "pin": "first", "map_entries": [{"map": "m", "entries": 4}]},
               {"object": "b/é.bpf.o"}]
    stated = dict(thing, section_types=[{"section": "filter", "type": "socket"}], configurable=False)
    yield "load-list", json.dumps({"schema": "verity-bpf/load-list/1", "load": entries}, ensure_ascii=False).encode()
    yield "statements", json.dumps(dict(whole, objects=[stated, whole["objects"][1]], load_list=entries), indent=2,
                                   ensure_ascii=False).encode() + b"\n"
    yield "numbers", b'{"a":[0,-0,1.5e-9,-9223372036854775808,18446744073709551616],"b":"\\ud83d\\ude00\\u0000","c":null}'


# Logs of other programs, of which the most different ones are enough.
FORMS = """auditd-enriched.log auditbeat.json ausearch-interpreted.log damaged.log dmesg-color.log dmesg.json filebeat.json
journalctl-export.bin journalctl-json-bytes.log journalctl-json-pretty.log journalctl-short.log laurel.json logfmt.log
own-list.json own.jsonl rsyslog-imfile.log utf16le.log"""


def audits():
    def decision(event, allow=True):
        return {"schema": "verity-bpf/audit/1", "time": "2026-01-01T00:00:00Z", "event": event, "stage": "decision",
                "op": "BPF_PROG_LOAD", "decision": "allow" if allow else "deny", "rule": "r", "path_in_image": f"{event}.o",
                "root_hash": "sha256:" + "ab" * 32, "object": "sha256:" + "cd" * 32}

    def outcome(event, numbers, time=None, boot="@BOOT@"):
        programs = [{"name": "p", "id": n, "tag": "0102030405060708", "load_time": time or n * 10} for n in numbers]
        return {"schema": "verity-bpf/audit/1", "time": "t", "event": event, "stage": "outcome",
                "outcome": {"result": "loaded", "boot_id": boot, "programs": programs}}

    def text(*records):
        return "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records).encode()

    attempt = {"event": "x", "stage": "attempt", "boot_id": "@BOOT@"}
    loads = text(attempt, decision("a"), outcome("a", [1, 2]), decision("b"), outcome("b", [3]))
    yield "loads", b"\0" + loads
    yield "rotated", b"\2" + loads + text(decision("c", False), outcome("c", [4]), decision("d"), outcome("d", [1], 11))
    yield "restarted", b"\1" + text(decision("o"), outcome("o", [1], boot="another")) + loads
    yield "cut", b"\3" + loads[:-9] + b'\n{"cut' + b"\n\n" + text({"event": "y", "stage": "thing"}, {"stage": "outcome"})
    yield "gzip", b"\4" + gzip.compress(loads[:300], mtime=0) + gzip.compress(loads[300:], mtime=0)
    yield "zstd", b"\4" + run("zstd", "-q", "-19", input=loads)
    for form in FORMS.split():
        yield f"form-{form}", b"\10" + (ROOT / "Tests/Fixtures/log-forms" / form).read_bytes()[:4096]


def stores(signed, policy_message):
    digest = "sha256:" + hashlib.sha256(policy_message).hexdigest()
    trusted = "sha256:" + hashlib.sha256((signed / "signer.pem").read_bytes()).hexdigest()
    entry = {"name": "fuzz", "version": "0.0.1", "message": digest}
    state = {"schema": "verity-bpf/policy-store/2", "serial": 3, "id": "0" * 32, "signers_counter": 1, "trusted": trusted,
             "policies": [entry], "floors": [entry, dict(entry, name="gone", version="7.0.0")], "active": "fuzz",
             "active_floor": "0.0.1"}
    compact = lambda value: json.dumps(value, separators=(",", ":")).encode()
    yield "state", compact(state)
    earlier = {key: value for key, value in state.items() if key not in ("id", "signers_counter")}
    yield "state-earlier", compact(dict(earlier, schema="verity-bpf/policy-store/1"))
    yield "state-empty", compact(dict(state, policies=[], floors=[], active=None, active_floor=None, id=None))
    yield "statement", (signed / "statement.json").read_bytes()
    yield "revoked", (f"# list\nroot-hash sha256:{'ab' * 32}\nsigner {digest} # why\n\n object\t{trusted}\r\n"
                      f"root-hash sha512:{'cd' * 64}\n").encode()
    shadow = dict(entry, name="next", version="1.2.0")
    yield "state-shadow", compact(dict(state, schema="verity-bpf/policy-store/3", shadow=[shadow], shadow_highest=[shadow]))
    yield "list", (f"list_name=fleet list_version=1.2.3 valid_until=2027-02-28\n# why\nobject {digest}\n"
                   f"root-hash sha256:{'ab' * 32}\nsigner {trusted}\n").encode()
    yield "settings", b"# host\n; too\npolicy-store = /var/lib/verity-bpf/policy\nrequire-active-policy = yes\n"


# Signatures

def signatures(binary, work, bare):
    signed = FUZZ / "Signed"
    signed.mkdir(parents=True, exist_ok=True)
    config = work / "openssl.cnf"
    config.write_text("[req]\ndistinguished_name=n\n[n]\n[e]\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
                      "extendedKeyUsage=codeSigning\n")
    for name, kind in [("signer", "rsa:2048"), ("stranger", "rsa:2048")]:
        run("openssl", "req", "-x509", "-nodes", "-newkey", kind, "-keyout", work / f"{name}.key", "-out",
            signed / f"{name}.pem", "-subj", f"/CN=fuzz {name}", "-days", "36500", "-config", config, "-extensions", "e")
    certificate, key = signed / "signer.pem", work / "signer.key"
    (signed / "policy.pol").write_text('policy_name=fuzz policy_version=0.0.1\nDEFAULT action=DENY\n'
                                       "op=BPF_PROG_LOAD dmverity_signature=TRUE action=ALLOW\n")
    (signed / "root-hash").write_text(hashlib.sha256(b"root").hexdigest())
    retired = "sha256:" + hashlib.sha256(b"").hexdigest()
    statement = {"schema": "verity-bpf/policy-signers/1", "store": "0" * 32, "counter": 2,
                 "trust": [(signed / "stranger.pem").read_text()], "retire": [retired]}
    (signed / "statement.json").write_text(json.dumps(statement, separators=(",", ":")) + "\n")

    def smime(content, *options):
        return run("openssl", "smime", "-sign", "-binary", "-nosmimecap", "-outform", "DER", "-in", signed / content,
                   "-signer", certificate, "-inkey", key, "-md", "sha256", *options)

    yield "policy", smime("policy.pol", "-noattr", "-nodetach")
    yield "policy-attributes", smime("policy.pol", "-nodetach")
    yield "statement", smime("statement.json", "-noattr", "-nodetach", "-nocerts")
    yield "root-hash", smime("root-hash", "-noattr", "-nocerts")
    shutil.copy(bare, signed / "object")
    for name, options in [("companion", []), ("module", ["--format", "module"])]:
        run(binary, "sign", "file", bare, "-o", work / name, "--certificate", certificate, "--private-key", key, *options)
        yield name, (work / name).read_bytes()


def certificates(work):
    signer, stranger = (FUZZ / "Signed/signer.pem").read_bytes(), (FUZZ / "Signed/stranger.pem").read_bytes()
    yield "pem", signer
    public = run("openssl", "x509", "-pubkey", "-noout", input=signer)
    yield "bundle", run("openssl", "x509", "-text", input=stranger) + b"\n" + public + signer.replace(b"\n", b"\r\n")
    yield "der", run("openssl", "x509", "-outform", "DER", input=signer)
    for name, kind in [("p256", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]), ("ed25519", ["ed25519"])]:
        yield name, run("openssl", "req", "-x509", "-nodes", "-newkey", *kind, "-keyout", work / "other.key", "-subj",
                        f"/CN={name}/O=fuzz", "-days", "36500", "-outform", "DER")


def save(target, inputs):
    directory = FUZZ / "Corpus" / target
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        if not old.name.startswith("found-"):
            old.unlink()
    for name, data in inputs:
        if len(data) > LIMIT:
            print(f"fuzz_seeds: {target}/{name} is not kept: {len(data)} bytes")
            continue
        (directory / name).write_bytes(data)


def links(helper, found):
    """What the linking helper answers about objects: the answer's length, the answer, the object."""
    for key, path in found.items():
        data = path.read_bytes()
        request = b"vblinkRQ" + struct.pack("<IIQQ", 1, 0, 1, len(data)) + b"0.1.0".ljust(16, b"\0")
        process = subprocess.run([helper], input=request + data, stdout=subprocess.PIPE, check=True)
        yield key, struct.pack("<H", len(process.stdout)) + process.stdout + data


def new(binary):
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        fixtures = objects(work / "objects", ROOT / "Tests/Fixtures/bpf")
        found = {path.name.split(".")[0]: path for path in fixtures}
        save("object", [(key, path.read_bytes()) for key, path in found.items()])
        save("link", links(Path(binary).with_name("verity-bpf-link"), found))
        save("program", [(f"{key}-{section}", data) for key, path in found.items()
                         for section, data in programs(path.read_bytes()) if key in ("core", "maps", "data")])
        images = [("plain", []), ("extended", ["-Eforce-inode-extended,noinline_data"]),
                  ("chunks", ["--chunksize=4096", "-Eforce-chunk-indexes"])]
        newer = Path(run(ROOT / "tools/debian", "sid", "erofs-utils").decode().strip(), "mkfs.erofs")
        save("filesystem", [(key, erofs(work, SMALL, options)) for key, options in images]
             + [(key, erofs(work, COMPRESSED, options + ["-b512"], newer)) for key, options in NEWER]
             + [(key, squashfs(work, SMALL, options)) for key, options in SQUASHFS]
             + [(key, ext4(work, TINY, options)) for key, options in EXT4])
        save("disk", disks())
        save("manifest", manifests())
        save("audit", audits())
        save("signature", signatures(binary, work, found["slots"]))
        save("certificate", certificates(work))
        save("store", stores(FUZZ / "Signed", (FUZZ / "Corpus/signature/policy").read_bytes()))


def more(directory):
    """Seeds that are made anew for each run."""
    directory = Path(directory)
    for target in ["object", "program", "filesystem", "policy"]:
        (directory / target).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        sources = ["images/demo", "images/vm", "Tests/Fixtures/bpf", "Tests/Fixtures/bpf-load", "Tests/Fixtures/bpf-signed"]
        for path in objects(work / "objects", *[ROOT / source for source in sources]):
            data, key = path.read_bytes(), f"{path.parent.name}-{path.name}"
            (directory / "object" / key).write_bytes(data)
            for section, code in programs(data):
                (directory / "program" / f"{key}-{section}").write_bytes(code)
        for path in sorted((ROOT / "Tests/Fixtures/erofs").glob("*.gz")):
            (directory / "filesystem" / f"fixture-{path.stem}").write_bytes(gzip.decompress(path.read_bytes())[1024:])
        if shutil.which("mkfs.erofs"):
            for key, options in [("plain", []), ("extended", ["-Eforce-inode-extended"]), ("whole", ["-Enoinline_data"]),
                                 ("chunks", ["--chunksize=4096"]), ("indexes", ["--chunksize=8192", "-Eforce-chunk-indexes"])]:
                (directory / "filesystem" / key).write_bytes(erofs(work, LARGE, options))
            for key, options in SQUASHFS:
                (directory / "filesystem" / key).write_bytes(squashfs(work, LARGE, options))
            for key, options in EXT4:
                (directory / "filesystem" / key).write_bytes(ext4(work, LARGE, options))
    for path in sorted((ROOT / "Tests/Fixtures/ipe-corpus").glob("*/*.pol")):
        shutil.copy(path, directory / "policy" / path.name)
    # Records are one line each.
    for number, line in enumerate((ROOT / "Tests/Fixtures/ipe-corpus/audit-records.txt").read_bytes().splitlines(True)):
        (directory / "policy" / f"record-{number}").write_bytes(line)


if sys.argv[1:2] == ["more"] and len(sys.argv) == 3:
    more(sys.argv[2])
elif sys.argv[1:2] == ["new"] and len(sys.argv) == 3:
    new(Path(sys.argv[2]).resolve())
else:
    sys.exit(__doc__)
