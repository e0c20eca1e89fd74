"""The commands that tools/kills ends at random moments: how each is called, and what has to be true afterwards.

A command is a class. `begin` makes what one round needs and the command, `killed` looks at what a killed run has left,
and `settled` at what is there when the same command was run again, to its end. Both return faults as texts.
"""

import glob, json, os, re, shutil, subprocess, time
import xml.etree.ElementTree
from pathlib import Path


OBJECTS = ["k.bpf.o"] + [f"k{number}.bpf.o" for number in range(1, 8)]

# Those that the image has which takes the other's place.
FEWER = OBJECTS[:2]


class Site:
    """What all commands share: the binary, and a small file system that everything is written to."""

    def __init__(self, binary, work, place):
        self.binary, self.work, self.place = binary, work, place
        self.audit, self.store, self.tmp = place / "audit", place / "store", place / "tmp"
        self.name = "kills%06d" % (os.getpid() % 1000000)
        self.number = 0
        self.key, self.certificate = work / "key.pem", work / "cert.pem"

    def run(self, *words, check=False):
        done = subprocess.run([self.binary, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env={**os.environ, "TMPDIR": str(self.tmp)})
        if check and done.returncode: raise SystemExit(f"kills: {' '.join(map(str, words))}: {done.stderr}")
        return done

    def signing(self): return ["--certificate", self.certificate, "--private-key", self.key]

    def stored(self): return ["--store", self.store, "--audit-dir", self.audit]

    def records(self, kind):
        """The lines of the text form of one type."""
        log = self.audit / "audit.log"
        return [line for line in log.read_text().splitlines() if line.startswith(f"type={kind} ")] if log.exists() else []

    def policies(self):
        """Name, version and whether it is active of each installed policy."""
        listed = self.run("policy", "list", *self.stored(), "--json")
        if listed.returncode: return None
        return {(p["name"], p["version"], p["active"]) for p in map(json.loads, listed.stdout.splitlines())}

    def signers(self):
        listed = self.run("policy", "list", *self.stored(), "--signers", "--json")
        return json.loads(listed.stdout) if not listed.returncode else None

    def signed_policy(self, name, version, path):
        source = self.work / "policy.pol"
        source.write_text(f"policy_name={name} policy_version={version}\nDEFAULT action=DENY\n")
        self.run("policy", "sign", source, "-o", path, *self.signing(), check=True)


class Command:
    weight = 1
    # Exit codes of the same command when it is run again.
    again = {0}

    def __init__(self, site): self.site = site

    @property
    def home(self): return self.site.place / type(self).__name__.lower()

    def begin(self): pass

    def killed(self): return []

    def settled(self, done): return []

    def only(self, *names):
        """Nothing else is in the command's directory."""
        found = sorted(path.name for path in self.home.iterdir())
        return [] if set(found) <= set(names) else [f"left in its directory: {sorted(set(found) - set(names))}"]


class WritesFile(Command):
    """A file is there whole, old or new, or not at all."""
    output = "out"

    def begin(self):
        self.home.mkdir(exist_ok=True)
        self.before = self.bytes()

    @property
    def path(self): return self.home / self.output

    def bytes(self): return self.path.read_bytes() if self.path.exists() else None

    def is_whole(self): return True

    def killed(self):
        if self.bytes() in (None, self.before) or self.is_whole(): return []
        return [f"{self.path} is neither what it was nor whole"]

    def settled(self, done):
        return self.only(self.output, *self.inputs()) + ([] if self.is_whole() else [f"{self.path} is not whole"])

    def inputs(self): return []


class BuildImage(Command):
    """Root hash and signature beside an image are the image's, always."""
    weight = 3
    layout = "appended"

    def begin(self):
        self.site.number += 1
        self.home.mkdir(exist_ok=True)
        self.command = ["build-image", self.site.work / "progs", "-o", self.home / "p.raw", "--layout", self.layout, "--seed",
                        self.site.number, *self.site.signing()]

    def holds(self):
        if not (self.home / "p.roothash").exists(): return []
        verified = self.site.run("verify", self.home / "p.raw", "--certificate", self.site.certificate)
        return [f"a root hash or signature that is not the image's: {verified.stderr}"] if verified.returncode else []

    def killed(self): return self.holds()

    def settled(self, done):
        return self.holds() + self.only("p.raw", "p.roothash", "p.roothash.p7s", "p.verity")


class BuildImageSidecar(BuildImage):
    layout = "sidecar"


class SignRootHash(WritesFile):
    output = "p.roothash.p7s"

    def begin(self):
        self.home.mkdir(exist_ok=True)
        for name in ["p.raw", "p.roothash"]: shutil.copy(self.site.work / name, self.home)
        super().begin()
        self.command = ["sign", "root-hash", self.home / "p.raw", *self.site.signing()]

    def inputs(self): return ["p.raw", "p.roothash"]

    def is_whole(self):
        return self.site.run("verify", self.home / "p.raw", "--certificate", self.site.certificate).returncode == 0


class SignFile(WritesFile):
    output = "k.bpf.o"

    def begin(self):
        self.home.mkdir(exist_ok=True)
        shutil.copy(self.site.work / "progs/k.bpf.o", self.home)
        super().begin()
        self.command = ["sign", "file", self.path, *self.site.signing()]

    def is_whole(self):
        return self.site.run("verify", self.path, "--certificate", self.site.certificate).returncode == 0


class PolicyFmt(WritesFile):
    output = "p.pol"
    untidy = b"policy_name=p   policy_version=1.0.0\n" + b"DEFAULT    action=DENY\n" + b"".join(
        b"op=BPF_PROG_LOAD   x_object=sha256:%064d    action=ALLOW\n" % number for number in range(2000))

    def begin(self):
        self.home.mkdir(exist_ok=True)
        self.path.write_bytes(self.untidy)
        super().begin()
        self.command = ["policy", "fmt", "--write", self.path]

    def is_whole(self): return self.bytes() == re.sub(rb" +", b" ", self.untidy)


class PolicyTest(WritesFile):
    output = "out.xml"

    def begin(self):
        super().begin()
        (self.home / "p.pol").write_text("policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\n")
        (self.home / "p.cases").write_text('case "one"\n  given op=BPF_PROG_LOAD\n  expect DENY by DEFAULT\n')
        self.command = ["policy", "test", self.home / "p.pol", self.home / "p.cases", "--junit", self.path]

    def inputs(self): return ["p.pol", "p.cases"]

    def is_whole(self):
        try: xml.etree.ElementTree.fromstring(self.bytes())
        except xml.etree.ElementTree.ParseError: return False
        return True


class PolicySign(WritesFile):
    output = "p.p7b"

    def begin(self):
        super().begin()
        (self.home / "p.pol").write_text("policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\n")
        self.command = ["policy", "sign", self.home / "p.pol", "-o", self.path, *self.site.signing()]

    def inputs(self): return ["p.pol"]

    def is_whole(self):
        return subprocess.run(["openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", self.path],
                              capture_output=True).returncode == 0


class PolicySignTrust(PolicySign):
    output = "s.p7b"

    def begin(self):
        WritesFile.begin(self)
        self.command = ["policy", "sign-trust", "--store-id", self.site.signers()["store"], "--counter", 1, "--trust",
                        self.site.work / "other.pem", "-o", self.path, *self.site.signing()]

    def inputs(self): return []


class PolicyInit(Command):
    again = {0, 1}

    def begin(self):
        shutil.rmtree(self.home, ignore_errors=True)
        self.command = ["policy", "init", "--store", self.home, "--audit-dir", self.site.audit, "--certificate",
                        self.site.certificate]

    def listed(self): return self.site.run("policy", "list", "--store", self.home, "--audit-dir", self.site.audit)

    def killed(self):
        listed = self.listed()
        if listed.returncode == 0 or "store.none" in listed.stderr: return []
        return [f"a store that no command can mend: {listed.stderr}"]

    def settled(self, done):
        faults = [] if self.listed().returncode == 0 else ["no store after init was run again"]
        if done.returncode == 1 and "store.exists" not in done.stderr: faults.append(done.stderr)
        return faults + self.only("lock", "messages", "state", "trusted.pem")


class StoreChange(Command):
    """A change of the store is on record before it is made, and is made or not."""
    weight = 2
    again = {0, 1, 3}

    def begin(self):
        self.before = self.state()
        self.recorded = self.count()

    def state(self): return self.site.policies()

    def count(self): return len([line for line in self.site.records(self.kind) if " res=1" in line])

    def killed(self):
        after = self.state()
        if after is None: return ["the policy store cannot be read"]
        if after != self.before and self.kind and self.count() == self.recorded: return ["a change that is not on record"]
        return []

    def settled(self, done):
        # The shadow is listed as well, and has a message of its own.
        used = len(self.site.policies() or [])
        left = [path.name for path in (self.site.store / "messages").iterdir()]
        extra = [path.name for path in self.site.store.iterdir() if not re.fullmatch(
            "state|lock|messages|trusted(-[0-9a-f]{64})?.pem", path.name)]
        faults = self.killed() + ([f"left in the store: {extra}"] if extra else [])
        if done.returncode == 0 and len(left) != used: faults.append(f"{len(left)} messages of {used} policies")
        return faults


class PolicyInstall(StoreChange):
    kind = 1422

    def begin(self):
        super().begin()
        self.site.number += 1
        self.site.signed_policy("v", f"1.0.{self.site.number}", self.site.work / "v.p7b")
        self.command = ["policy", "install", self.site.work / "v.p7b", *self.site.stored()]


class PolicyActivate(StoreChange):
    kind = 1421

    def begin(self):
        names = ["a", "b"]
        active = {name for name, _, is_active in self.site.policies() if is_active}
        super().begin()
        self.command = ["policy", "activate", next(name for name in names if name not in active), *self.site.stored()]


class PolicyRemove(StoreChange):
    # The kernel writes no record of it either (security/ipe/policy_fs.c).
    kind = 0

    def begin(self):
        if not any(name == "r" for name, _, _ in self.site.policies()):
            self.site.number += 1
            self.site.signed_policy("r", f"1.0.{self.site.number}", self.site.work / "r.p7b")
            self.site.run("policy", "install", self.site.work / "r.p7b", *self.site.stored(), check=True)
        super().begin()
        self.command = ["policy", "remove", "r", *self.site.stored()]

    def count(self): return 0


class PolicyTrust(StoreChange):
    kind = 2312

    def state(self): return self.site.signers()

    def begin(self):
        super().begin()
        other = ["--trust", self.site.work / "other.pem"]
        if len(self.before["signers"]) > 1: other = ["--retire", self.site.other]
        self.site.run("policy", "sign-trust", "--store-id", self.before["store"], "--counter", self.before["counter"] + 1,
                      *other, "-o", self.site.work / "t.p7b", *self.site.signing(), check=True)
        self.command = ["policy", "trust", self.site.work / "t.p7b", *self.site.stored()]


class PolicyInstallShadow(StoreChange):
    """The shadow is another after the run, or the same; the installed policies are what they were."""
    kind = 1422

    def state(self):
        installed = self.site.policies()
        return None if installed is None else {policy for policy in installed if policy[0] == "shadow"}

    def begin(self):
        super().begin()
        self.others = self.site.policies() - self.before
        self.site.number += 1
        self.site.signed_policy("shadow", f"1.0.{self.site.number}", self.site.work / "shadow.p7b")
        self.command = ["policy", "install", "--shadow", self.site.work / "shadow.p7b", *self.site.stored()]

    def killed(self):
        faults = super().killed()
        if (self.site.policies() or set()) - (self.state() or set()) != self.others:
            faults.append("the shadow changed the installed policies")
        return faults


class RevokedMake(WritesFile):
    output = "fleet.list"

    def begin(self):
        super().begin()
        self.command = ["revoked", "make", "--name", "fleet", "--list-version", "1.0.0", "--object", "sha256:" + "5a" * 32,
                        "-o", self.path]

    def is_whole(self): return self.site.run("revoked", "check", self.path).returncode == 0


class RevokedSign(PolicySign):
    output = "fleet.p7b"

    def begin(self):
        WritesFile.begin(self)
        (self.home / "fleet.list").write_text("list_name=fleet list_version=1.0.0\nobject sha256:" + "5a" * 32 + "\n")
        self.command = ["revoked", "sign", self.home / "fleet.list", "-o", self.path, *self.site.signing()]

    def inputs(self): return ["fleet.list"]


class RevokedInstall(Command):
    """A list is in force, old or new, and never none; a newer one is on record before it is."""
    weight = 2
    again = {0}

    def begin(self):
        self.anchors = self.home / "trust"
        (self.anchors / "revocation").mkdir(parents=True, exist_ok=True)
        shutil.copy(self.site.certificate, self.anchors / "revocation/a.pem")
        self.site.number += 1
        text, signed = self.site.work / "fleet.list", self.site.work / "fleet.p7b"
        text.write_text(f"list_name=fleet list_version=1.0.{self.site.number}\nobject sha256:{'5a' * 32}\n")
        self.site.run("revoked", "sign", text, "-o", signed, *self.site.signing(), check=True)
        self.before, self.recorded = self.state(), self.count()
        self.command = ["revoked", "install", signed, "--trust-anchors", self.anchors, "--audit-dir", self.site.audit]

    def state(self):
        listed = self.site.run("revoked", "list", "--trust-anchors", self.anchors, "--json")
        return None if listed.returncode else [json.loads(line)["version"] for line in listed.stdout.splitlines()]

    def count(self):
        return len([line for line in self.site.records(2312) if "op=revocation-list" in line and " res=1" in line])

    def killed(self):
        after = self.state()
        if after is None: return ["a list that cannot be relied on"]
        if len(after) < len(self.before): return ["a list is gone"]
        if after != self.before and self.count() == self.recorded: return ["a list that is not on record"]
        return []

    def settled(self, done):
        left = {path.name for path in (self.anchors / "revoked.d").iterdir()} - {"fleet.p7b", "versions", "lock"}
        faults = self.killed() + ([f"left among the lists: {left}"] if left else [])
        return faults + ([] if self.state() == [f"1.0.{self.site.number}"] else ["the list is not in force"])


class Mount(Command):
    again = {0, 1}
    def begin(self):
        self.home.mkdir(exist_ok=True)
        self.release()
        self.command = ["mount", "--no-device-mapper", self.site.work / "p.raw", self.home]

    def is_mounted(self): return subprocess.run(["mountpoint", "-q", self.home]).returncode == 0

    def release(self):
        while self.is_mounted(): subprocess.run(["umount", self.home], check=True)

    def loops(self):
        found = subprocess.run(["losetup", "-n", "-O", "NAME", "-j", self.site.work / "p.raw"], capture_output=True, text=True)
        return found.stdout.split()

    def killed(self):
        return [] if not self.is_mounted() or (self.home / "k.bpf.o").exists() else ["mounted, and its object is not there"]

    def settled(self, done):
        self.release()
        # The kernel detaches a loop device when its last user is gone, a moment later.
        for _ in range(100):
            loops = self.loops()
            if not loops: return []
            time.sleep(0.02)
        return [f"loop devices are left: {loops}"]


class Umount(Mount):
    def begin(self):
        super().begin()
        self.site.run(*self.command, check=True)
        self.command = ["umount", self.home]


class SelfTest(Command):
    def begin(self): self.command = ["self-test", "--image", self.site.work / "p.raw"]


class Load(Command):
    """Attempts are held against the log at the end; here it is said what a killed one has left, and how it goes."""
    weight = 12
    again = {0, 1, 2, 5}
    several = 1

    def begin(self):
        self.site.number += 1
        self.pin = f"/sys/fs/bpf/run{self.site.number}"
        self.command = ["load", "--image", self.site.work / "p.raw", "--policy", self.site.work / "p.pol", "--pin-path",
                        self.pin, "--audit-dir", self.site.audit]
        for name in OBJECTS[:self.several]: self.command += ["--object", name]

    def pins(self): return sorted(path for path in glob.glob(f"{self.pin}/**", recursive=True) if os.path.isfile(path))

    def killed(self):
        self.left = self.pins()
        return []

    def settled(self, done):
        """The run that was made again has found the crash, if it was one: what it names takes away all but what is on record."""
        faults, named = [], "audit.crashed-load" in done.stderr
        if named and not self.left: faults.append(f"pins that are not there: {done.stderr}")
        for step in re.findall(r"verity-bpf (unload --pin-path \S+?)(?:;|$)", done.stderr, re.MULTILINE) if named else []:
            self.site.run(*step.split(), "--audit-dir", self.site.audit)
        unrecorded = set(self.pins()) - self.recorded()
        if unrecorded: faults.append(f"pins that are not on record are left: {sorted(unrecorded)}; {done.stderr}")
        for place in [self.pin, *glob.glob(f"{self.pin}/*")]:
            self.site.run("unload", "--pin-path", place, "--audit-dir", self.site.audit)
        return faults + ([f"pins are left: {self.pins()}"] if self.pins() else [])

    def recorded(self):
        """Pins below the directory of loads that the log says have succeeded."""
        found = set()
        for line in (self.site.audit / "audit.jsonl").read_bytes().split(b"\n"):
            if f'"{self.pin}/'.encode() not in line: continue
            try: outcome = json.loads(line).get("outcome", {})
            except ValueError: continue
            if outcome.get("result") == "loaded": found |= set(outcome["pins"])
        return found


class LoadSeveral(Load):
    weight = 4
    several = 8


class LoadReplace(Load):
    """Whatever ends it, the same command run again takes the place of what is there, and nothing lies beside it."""
    weight = 8
    again = {0}

    def begin(self):
        super().begin()
        self.command += ["--attach", "--interface", "lo"]
        self.site.run(*self.command, check=True)
        self.command += ["--replace"]

    def pins(self):
        places = [self.pin, *glob.glob(f"{self.pin}_replaced_*")]
        return sorted(path for place in places for path in glob.glob(f"{place}/**", recursive=True) if os.path.isfile(path))

    def names(self): return {"link", "map", "prog"}

    def settled(self, done):
        faults = [f"beside it is left: {path}" for path in glob.glob(f"{self.pin}_*")]
        found = set(os.listdir(self.pin)) if os.path.isdir(self.pin) else set()
        if found != self.names(): faults.append(f"in its place is {sorted(found)}")
        unrecorded = set(self.pins()) - self.recorded()
        if unrecorded: faults.append(f"pins that are not on record are left: {sorted(unrecorded)}; {done.stderr}")
        self.site.run("unload", "--pin-path", self.pin, "--audit-dir", self.site.audit)
        return faults + ([f"pins are left: {self.pins()}"] if self.pins() else [])


class LoadWhole(Load):
    """All objects of an image, or none: those of a killed run are named like those of one object."""
    weight = 4

    def begin(self):
        super().begin()
        self.command = ["load", "--image", self.site.work / "p.raw", "--all", *self.command[3:-2]]


class LoadWholeReplace(LoadReplace):
    """An image with fewer objects takes the place of another."""
    weight = 4

    def begin(self):
        Load.begin(self)
        options = ["--all", *self.command[3:-2]]
        self.site.run("load", "--image", self.site.work / "p.raw", *options, check=True)
        self.command = ["load", "--image", self.site.work / "fewer.raw", *options, "--replace"]

    def names(self): return {name.removesuffix(".bpf.o") for name in FEWER}


class Unload(Load):
    weight = 3
    again = {0, 1}

    def begin(self):
        super().begin()
        self.site.run(*self.command, check=True)
        self.command = ["unload", "--pin-path", self.pin, "--audit-dir", self.site.audit]

    def killed(self): return []

    def settled(self, done): return [f"pins are left: {self.pins()}"] if self.pins() else []


# Every command that writes: what is said of it above. tools/kills compares both lists with the command's own.
WRITING = {
    "build-image": [BuildImage, BuildImageSidecar], "sign-file": [SignFile], "sign-root-hash": [SignRootHash], "mount": [Mount],
    "umount": [Umount], "load": [Load, LoadSeveral, LoadReplace, LoadWhole, LoadWholeReplace], "unload": [Unload], "policy-fmt": [PolicyFmt], "policy-test": [PolicyTest],
    "policy-sign": [PolicySign], "policy-init": [PolicyInit], "policy-install": [PolicyInstall, PolicyInstallShadow],
    "policy-activate": [PolicyActivate], "policy-trust": [PolicyTrust], "policy-sign-trust": [PolicySignTrust],
    "policy-remove": [PolicyRemove], "self-test": [SelfTest],
    "revoked-make": [RevokedMake], "revoked-sign": [RevokedSign], "revoked-install": [RevokedInstall],
}
READING = ["verify", "inspect", "provenance", "ps", "policy-check", "policy-explain", "policy-diff", "policy-replay",
           "policy-suggest", "policy-generate", "policy-convert", "policy-list", "revoked-check", "revoked-list", "gate-plan", "config-show", "doctor", "explain-error",
           # One write to the kernel, which is taken or not.
           "binfmt-enable", "binfmt-disable", "binfmt-status"]
