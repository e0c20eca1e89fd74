"""What tools/growth gives the commands besides objects: images, policies, logs, lists of what was revoked, anchors.

Every input is made of numbers alone. A `make` writes one of size n into a directory and returns the words of the command
that reads it; it may run the command itself, at full speed, to make an image or a policy store.
"""

import base64, ctypes, functools, hashlib, json, os, shutil, struct, subprocess
from pathlib import Path

import growth_objects

BLOCK = 4096
POLICY = "policy_name=growth policy_version=1.0.0\nDEFAULT action=DENY\n"
ANY = "policy_name=any policy_version=1.0.0\nDEFAULT action=ALLOW\n"


def digest(number):
    return hashlib.sha256(b"%d" % number).hexdigest()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


def directory_blocks(entries):
    """An EROFS directory: blocks of 12-byte entries and their names, in the order of the names."""
    blocks, block, size = [], [], 0
    for entry in sorted(entries):
        if size + 12 + len(entry[0]) > BLOCK:
            blocks.append(block)
            block, size = [], 0
        block.append(entry)
        size += 12 + len(entry[0])
    packed = b""
    for block in [*blocks, block]:
        packed += bytes(-len(packed) % BLOCK)
        place, heads = 12 * len(block), b""
        for name, inode, kind in block:
            heads += struct.pack("<QHBB", inode, place, kind, 0)
            place += len(name)
        packed += heads + b"".join(name for name, _, _ in block)
    return packed


class Image:
    """An EROFS image: inodes behind the superblock, then their data, a block or more each."""

    def __init__(self, inode_count):
        self.inodes, self.data = {}, []
        self.next_block = -(-(40 + 2 * inode_count) * 32 // BLOCK)
        self.first_block = self.next_block

    def inode(self, number, mode, contents, links):
        """`number` is 0 for the root, then counts; each takes two slots of 32 bytes from slot 40 on."""
        start = self.next_block
        self.data.append(contents + bytes(-len(contents) % BLOCK))
        self.next_block += len(self.data[-1]) // BLOCK
        slot = 40 + 2 * number
        self.inodes[slot] = struct.pack(
            "<HHHHQIIIIQII16s", 1, 0, mode, 0, len(contents), start, number + 1, 0, 0, 0, 0, links, bytes(16))

    def write(self, path):
        image = bytearray(self.first_block * BLOCK)
        for slot, record in self.inodes.items():
            image[slot * 32:slot * 32 + 64] = record
        superblock = struct.pack(
            "<IIIBBHQQIIII16s16sIHHBB", 0xE0F5E1E2, 0, 1, 12, 0, 40, len(self.inodes), 0, 0, self.next_block, 0, 0,
            bytes(range(16)), bytes(16), 0, 0, 0, 0, 0)
        image[1024:1024 + len(superblock)] = superblock
        image[1028:1032] = struct.pack("<I", crc32c(image[1024:BLOCK]))
        path.write_bytes(bytes(image) + b"".join(self.data))
        subprocess.run(
            ["veritysetup", "format", path, path, "--data-blocks", str(self.next_block), "--hash-offset",
             str(self.next_block * BLOCK), "--salt", "5a" * 32, "--uuid", "00000000-0000-0000-0000-000000000001"],
            check=True, stdout=subprocess.DEVNULL)


def image_of_names(path, count, depth=15):
    """One object with `count` names, in a directory below others whose names are as long as names get."""
    image = Image(depth + 2)
    number = lambda index: 40 + 2 * index
    for index in range(depth + 1):
        entries = [(b".", number(index), 2), (b"..", number(max(0, index - 1)), 2)]
        if index < depth:
            entries.append((b"d" * 250, number(index + 1), 2))
        else:
            entries += [(b"%07d" % each, number(depth + 1), 1) for each in range(count)]
        image.inode(index, 0o40555, directory_blocks(entries), 3)
    image.inode(depth + 1, 0o100444, growth_objects.programs(1), count)
    image.write(path)
    return "/".join(["d" * 250] * depth) + "/0000000"


def names_of_one_inode(at, n):
    name = image_of_names(at / "names.raw", max(2, n))
    (at / "any.pol").write_text(ANY)
    return ["load", "--image", "names.raw", "--object", name, "--policy", "any.pol", "--dry-run"]


def directories(path, count):
    """An image of `count` directories in one, two objects with several names in each of them."""
    image = Image(count + 2)
    number = lambda index: 40 + 2 * index
    names = [(b"d%06d" % index, number(index), 2) for index in range(1, count + 1)]
    image.inode(0, 0o40555, directory_blocks([(b".", 40, 2), (b"..", 40, 2), *names]), count + 2)
    for index in range(1, count + 1):
        entries = [(b".", number(index), 2), (b"..", 40, 2), (b"a", number(count + 1), 1), (b"b", number(count + 1), 1)]
        image.inode(index, 0o40555, directory_blocks(entries), 2)
    image.inode(count + 1, 0o100444, growth_objects.programs(1), 2 * count)
    image.write(path)


def names(at, n, pack):
    """A volume of `n` empty files and an object in one directory, as other people's programs pack them."""
    tree = at / "tree"
    (tree / "many").mkdir(parents=True)
    for index in range(max(1, n)):
        (tree / "many" / f"{index:07}").touch()
    (tree / "many/object.bpf.o").write_bytes(growth_objects.programs(1))
    image = at / "names.raw"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    pack(tree, image, n, quiet)
    shutil.rmtree(tree)
    size = -(-image.stat().st_size // BLOCK) * BLOCK
    os.truncate(image, size)
    subprocess.run(["veritysetup", "format", image, image, f"--hash-offset={size}",
                    f"--root-hash-file={at / 'names.roothash'}"], **quiet)
    (at / "any.pol").write_text(ANY)
    return f"--hash-offset={size}"


def squashfs(tree, image, n, quiet):
    subprocess.run(["mksquashfs", tree, image, "-noI", "-all-root"], **quiet)


def ext4(tree, image, n, quiet):
    subprocess.run(["mke2fs", "-F", "-t", "ext4", "-b", "4096", "-O", "^has_journal,^resize_inode", "-N", str(n + 100),
                    "-m", "0", "-d", tree, image, f"{n // 2 + 4096}K"], **quiet)


def ext4_indexed(tree, image, n, quiet):
    ext4(tree, image, n, quiet)
    # 1: something was changed, which is what it is for.
    subprocess.run(["e2fsck", "-f", "-y", "-D", image], **{**quiet, "check": False})


def from_names(pack):
    def of(at, n):
        place = names(at, n, pack)
        return ["load", "--image", "names.raw", place, "--object", "many/object.bpf.o", "--policy", "any.pol", "--dry-run"]
    return of


def verify_names(pack):
    def of(at, n):
        place = names(at, n, pack)
        return ["verify", "names.raw", place]
    return of


def many_directories(at, n):
    directories(at / "directories.raw", max(2, n))
    (at / "any.pol").write_text(ANY)
    return ["load", "--image", "directories.raw", "--object", "d000001/a", "--policy", "any.pol", "--dry-run"]


def sources(at, n):
    (at / "progs").mkdir()
    contents = growth_objects.programs(1)
    for index in range(max(1, n)):
        (at / "progs" / f"{index:06}.bpf.o").write_bytes(contents + b"%016d" % index)


def packed(ours, at, n):
    sources(at, n)
    (at / "any.pol").write_text(ANY)
    subprocess.run([ours, "build-image", "progs", "-o", "image.raw"], cwd=at, check=True, stdout=subprocess.DEVNULL)


def chunks(at, n):
    """A file of 2n chunks, no two of which lie together: there are two blocks of contents, in turns."""
    (at / "tree").mkdir()
    # Piece by piece: a child's peak of memory is at least its parent's.
    with open(at / "tree/file", "wb") as file:
        for _ in range(max(1, n)):
            file.write(b"a" * BLOCK + b"b" * BLOCK)
    image = at / "image.raw"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["mkfs.erofs", "-T0", f"--chunksize={BLOCK}", image, at / "tree"], **quiet)
    shutil.rmtree(at / "tree")
    subprocess.run(["veritysetup", "format", image, image, f"--hash-offset={image.stat().st_size}",
                    f"--root-hash-file={at / 'image.roothash'}"], **quiet)
    return ["verify", "image.raw"]


def rules(at, name, lines):
    (at / name).write_text(POLICY + "".join(f"op=BPF_PROG_LOAD {line}\n" for line in lines))
    return name


def digests(n, offset=0):
    return [f"x_object=sha256:{digest(index + offset)} action=ALLOW" for index in range(n)]


def volumes(n):
    return [f"dmverity_roothash=sha256:{digest(index)} action=ALLOW" for index in range(n)]


def paths(n, offset=0):
    return [f"x_path=/progs/{index + offset}.bpf.o action=ALLOW" for index in range(n)]


def patterns(n, offset=0):
    return [f"x_path=/progs/{index + offset}/*.o action=ALLOW" for index in range(n)]


def signers(n, offset=0):
    denied = [f"x_signer=sha256:{digest(index + offset)} action=DENY" for index in range(n)]
    return denied + ["dmverity_signature=TRUE action=ALLOW"]


def opposed(n, action):
    return [f"x_object=sha256:{digest(index)} action={action}" for index in range(n)]


def diff(make, *more):
    def of(at, n):
        rules(at, "old", make(n, *more[:1]))
        rules(at, "new", make(n, *more[1:]))
        return ["policy", "diff", "old", "new", "--json"]
    return of


def on_policy(verb, make, *words):
    return lambda at, n: ["policy", *verb.split(), rules(at, "policy", make(n)), *words]


def explain(at, n):
    (at / "facts").write_text(json.dumps({"op": "BPF_PROG_LOAD", "x_path": "/other"}))
    return ["policy", "explain", rules(at, "policy", paths(n)), "--facts", "facts", "--json"]


def records(n):
    """Records of loads, as this program writes them, of another start of the machine."""
    for index in range(n):
        facts = {"op": "BPF_PROG_LOAD", "x_object": f"sha256:{digest(index)}", "x_path": f"/progs/{index}.bpf.o"}
        record = {"schema": "verity-bpf/audit/1", "time": "2026-01-01T00:00:00Z", "event": f"{index}.0-1"}
        yield {**record, "stage": "decision", "op": "BPF_PROG_LOAD", "decision": "allow", "rule": "DEFAULT action=ALLOW",
               "facts": [facts]}
        yield {**record, "stage": "outcome", "outcome": {"result": "failed", "code": "load.refused", "message": "no"}}


def log(at, n):
    text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records(n))
    (at / "audit.jsonl").write_text(text)


@functools.cache
def held_program():
    """The descriptor of a program that returns 0: `ps` reads a log only for programs that the kernel has."""
    instructions = ctypes.create_string_buffer(growth_objects.EXIT)
    license = ctypes.create_string_buffer(b"GPL")
    socket_filter, load, bpf = 1, 5, {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    attributes = struct.pack("<IIQQ", socket_filter, 2, ctypes.addressof(instructions), ctypes.addressof(license))
    attributes = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    held = ctypes.CDLL(None, use_errno=True).syscall(bpf, load, attributes, 128)
    if held < 0:
        raise OSError(ctypes.get_errno(), "bpf(BPF_PROG_LOAD): this row needs root")
    return held


def loads(at, n):
    """A log of loads in this start of the machine, none of which is that of the program that is there."""
    held_program()
    (at / "audit").mkdir(mode=0o700)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    outcome = {"schema": "verity-bpf/audit/1", "time": "2026-01-01T00:00:00Z", "stage": "outcome"}
    lines = []
    for index in range(n):
        program = {"name": "p", "id": 1 << 30 | index, "tag": f"{index:016x}", "load_time": index + 1}
        lines.append(json.dumps({**outcome, "event": f"{index}.0-1", "outcome": {
            "result": "loaded", "boot_id": boot, "programs": [program], "kernel_verified": None, "attachments": [],
            "pins": []}}, separators=(",", ":")) + "\n")
    (at / "audit/audit.jsonl").write_text("".join(lines))
    (at / "audit/audit.jsonl").chmod(0o600)
    return ["ps", "--audit-dir", "audit", "--json"]


def replay(at, n):
    # A log without a decision is an error.
    log(at, max(1, n))
    return ["policy", "replay", rules(at, "policy", digests(10)), "--audit-log", "audit.jsonl", "--json"]


def kernel_replay(at, n):
    line = ('type=1420 audit(1767225600.000:{0}): ipe_op=EXECUTE ipe_hook=BPRM_CHECK enforcing=1 pid=1 comm="a" '
            'path="/bin/{0}" dev="dm-0" ino={0} rule="DEFAULT action=ALLOW"\n')
    (at / "log").write_text("".join(line.format(index + 1) for index in range(max(1, n))))
    return ["policy", "replay", rules(at, "policy", digests(10)), "--audit-log", "log", "--json"]


def exported_replay(at, n):
    """The journal's export format, with as many other entries."""
    entry = ("__CURSOR=s=a;i={0:x}\n__REALTIME_TIMESTAMP={1}\n_TRANSPORT=audit\n_AUDIT_TYPE={2}\n_AUDIT_ID={0}\n"
             "MESSAGE=IPE_ACCESS ipe_op=EXECUTE ipe_hook=MMAP enforcing=1 pid=1 comm=\"a\" path=\"/bin/{0}\" dev=\"dm-0\" "
             "ino={0} rule=\"DEFAULT action=ALLOW\"\n\n")
    (at / "log").write_text("".join(
        entry.format(index + 1, 1767225600000000 + index, 1420 + index % 2 * 100) for index in range(2 * max(1, n))))
    return ["policy", "replay", rules(at, "policy", digests(10)), "--audit-log", "log", "--json"]


def suggestions(at, n):
    """Denials of as many objects, each of which gets a rule."""
    lines = []
    for index in range(max(1, n)):
        facts = {"op": "BPF_PROG_LOAD", "dmverity_roothash": f"sha256:{digest(0)}", "x_witness": "USERSPACE",
                 "x_object": f"sha256:{digest(index + 1)}", "x_prog_type": ["xdp"]}
        lines.append(json.dumps({"schema": "verity-bpf/audit/1", "time": "2026-01-01T00:00:00Z", "event": f"{index}.0-1",
                                 "stage": "decision", "op": "BPF_PROG_LOAD", "decision": "deny",
                                 "rule": "DEFAULT action=DENY", "facts": [facts]}, separators=(",", ":")) + "\n")
    (at / "audit.jsonl").write_text("".join(lines))
    return ["policy", "suggest", "--audit-log", "audit.jsonl", "--json"]


def certificates(ours_key, count):
    """PEM of so many certificates that differ in their serial numbers; nobody verifies the signature of an anchor."""
    der = bytearray(ours_key)
    # The serial number is the first INTEGER of 20 bytes.
    place = der.index(b"\x02\x14") + 2
    for index in range(count):
        der[place:place + 20] = b"\x01" + index.to_bytes(19, "big")
        yield "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(bytes(der)).decode() + "-----END CERTIFICATE-----\n"


def certificate(at):
    """A fresh certificate in DER, with its key in the file `key`."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key",
         "-out", "certificate", "-outform", "PEM", "-subj", "/CN=growth", "-days", "2", "-set_serial", "0x" + "11" * 20],
        cwd=at, check=True, stderr=subprocess.DEVNULL)
    text = (at / "certificate").read_text().split("-----")[2]
    return base64.b64decode(text)


def trusting(at):
    (at / "object.bpf.o").write_bytes(growth_objects.programs(1))
    (at / "any.pol").write_text(ANY)
    return ["load", "--object", "object.bpf.o", "--policy", "any.pol", "--dry-run", "--trust-anchors", "trust"]


def revoked(at, n):
    (at / "trust/image").mkdir(parents=True)
    (at / "trust/image/a.pem").write_text("".join(certificates(certificate(at), 1)))
    (at / "trust/revoked").write_text("".join(f"object sha256:{digest(index)}\n" for index in range(n)))
    return trusting(at)


def signed_list(ours):
    def of(at, n):
        (at / "trust/revocation").mkdir(parents=True)
        (at / "trust/revoked.d").mkdir()
        certificate(at)
        shutil.copy(at / "certificate", at / "trust/revocation/a.pem")
        (at / "fleet.list").write_text(
            "list_name=fleet list_version=1.0.0\n" + "".join(f"object sha256:{digest(index)}\n" for index in range(n)))
        subprocess.run([ours, "revoked", "sign", "fleet.list", "--certificate", "certificate", "--private-key", "key", "-o",
                        "trust/revoked.d/fleet.p7b"], cwd=at, check=True, stdout=subprocess.DEVNULL)
        return trusting(at)
    return of


def anchors(at, n):
    (at / "trust/image").mkdir(parents=True)
    (at / "trust/image/a.pem").write_text("".join(certificates(certificate(at), max(1, n))))
    return trusting(at)


def store(ours):
    def of(at, n):
        certificate(at)
        run = lambda *words: subprocess.run([ours, "policy", *words], cwd=at, check=True, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
        run("init", "--store", "store", "--audit-dir", "audit", "--certificate", "certificate")
        for index in range(max(1, n)):
            (at / "policy").write_text(f"policy_name=p{index} policy_version=1.0.0\nDEFAULT action=DENY\n")
            run("sign", "policy", "--certificate", "certificate", "--private-key", "key", "--output", "signed")
            run("install", "signed", "--store", "store", "--audit-dir", "audit")
        return ["policy", "list", "--store", "store"]
    return of


def configured(make, *options):
    """A load with an option for each of n things."""
    def of(at, n):
        (at / "object.bpf.o").write_bytes(make(max(1, n)))
        (at / "any.pol").write_text(ANY)
        words = [option.format(index) for index in range(max(1, n)) for option in options]
        return ["load", "--object", "object.bpf.o", "--policy", "any.pol", "--dry-run", *words]
    return of


def listed(at, n):
    """n objects, and a load list of all of them."""
    sources(at, n)
    entries = [{"object": name} for name in sorted(path.name for path in (at / "progs").iterdir())]
    (at / "list.json").write_text(json.dumps({"schema": "verity-bpf/load-list/1", "load": entries}))
    return ["build-image", "progs", "-o", "image.raw", "--load-list", "list.json"]


def rows(row, ours):
    def image(*words):
        def of(at, n):
            packed(ours, at, n)
            return list(words)
        return of

    def build(at, n):
        sources(at, n)
        return ["build-image", "progs", "-o", "image.raw"]

    yield row("load --dry-run: names of one file", 5000, names_of_one_inode)
    yield row("load --dry-run: directories", 150, many_directories)
    for kind, pack in [("squashfs", squashfs), ("ext4", ext4), ("ext4 with an index", ext4_indexed)]:
        yield row(f"load --dry-run: names in {kind}", 4000, from_names(pack))
        yield row(f"verify: names in {kind}", 4000, verify_names(pack))
    yield row("build-image: objects", 100, build)
    yield row("verify: objects in an image", 480, image("verify", "image.raw"))
    yield row("verify: chunks of a file", 5000, chunks)
    yield row("inspect: objects in an image", 120, image("inspect", "image.raw", "--json"))
    yield row("load --dry-run: objects in an image", 500, image(
        "load", "--image", "image.raw", "--object", "000000.bpf.o", "--policy", "any.pol", "--dry-run"))
    yield row("load --dry-run --all: objects in an image", 60, image(
        "load", "--image", "image.raw", "--all", "--policy", "any.pol", "--dry-run"))
    yield row("build-image --load-list: entries", 100, listed)
    yield row("load --dry-run --program: a pattern of all", 400, lambda at, n: [
        *configured(growth_objects.programs)(at, n), "--program", "p*"])
    yield row("load --dry-run --set: constants", 200, configured(growth_objects.constants, "--set=v{}=7"))
    yield row("load --dry-run --section-type: sections", 100, configured(
        growth_objects.sections_without_type, "--section-type=own{}=socket"))
    yield row("inspect --section-type: sections", 100, lambda at, n: [
        "inspect", *configured(growth_objects.sections_without_type, "--section-type=own{}=socket")(at, n)[2:3],
        *[f"--section-type=own{index}=socket" for index in range(max(1, n))], "--json"])
    yield row("policy check: rules", 500, on_policy("check", digests))
    yield row("policy check: rules of paths", 500, on_policy("check", paths))
    yield row("policy check: patterns of paths", 500, on_policy("check", patterns))
    yield row("policy fmt: rules", 1000, on_policy("fmt", digests))
    yield row("policy explain: rules of paths", 500, explain, status=2)
    yield row("policy convert: rules", 500, on_policy("convert", volumes))
    yield row("gate plan: rules", 1000, lambda at, n: ["gate", "plan", "--policy", rules(at, "policy", volumes(n))],
              status=3)
    yield row("gate plan: programs of an image", 120, image(
        "gate", "plan", "--policy", "any.pol", "--image", "image.raw"), status=3)
    yield row("policy diff: digests", 150, diff(digests, 0, 1))
    yield row("policy diff: digests, allowed and denied", 150, diff(opposed, "ALLOW", "DENY"))
    yield row("policy diff: paths", 150, diff(paths, 0, 1))
    yield row("policy diff: patterns of paths", 150, diff(patterns, 0, 1))
    yield row("policy diff: signers", 150, diff(signers, 0, 1))
    yield row("policy replay: records of this program", 300, replay)
    yield row("policy replay: records of the kernel", 500, kernel_replay)
    yield row("policy replay: entries of the journal", 500, exported_replay)
    yield row("policy suggest: denied objects", 200, suggestions)
    yield row("ps: loads on record", 1000, loads)
    yield row("policy list: policies in a store", 10, store(ours))
    yield row("load --dry-run: revoked digests", 3000, revoked)
    yield row("load --dry-run: digests of a signed list", 3000, signed_list(ours))
    yield row("load --dry-run: anchors", 40, anchors)
