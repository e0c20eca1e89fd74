internal import KernelABI

// BPF itself: who may load what, and which signatures the kernel looks at.

extension HostFacts {
  var bpf: Finding {
    let title = "BPF"
    var details: [String] = []
    if let capabilities {
      let missing = [Capability.bpf, .perfmon, .netAdmin].map(\.name).filter { !capabilities.contains($0) }
      if !missing.isEmpty, !capabilities.contains(Capability.sysAdmin.name) {
        details.append("you lack \(missing.joined(separator: ", ")): most programs need them")
      }
    }
    if isInUserNamespace == true { details.append("you are in a user namespace: capabilities do not count for bpf(2)") }
    if let harden = self[.compilerHardening].text { details.append("net.core.bpf_jit_harden=\(harden)") }
    if self[.compiler].text == "0" { details.append("net.core.bpf_jit_enable=0: programs are interpreted") }
    if probes[.unsigned] == .refused(Errno.enosys.name) || hasOption("CONFIG_BPF_SYSCALL") == false {
      return Finding(
        "bpf", title, .gap, "this kernel has no bpf(2)", loses: "no program can be loaded",
        close: "use a kernel with CONFIG_BPF_SYSCALL=y")
    }
    switch self[.unprivilegedBPF] {
    case .text("0"):
      return Finding(
        "bpf", title, .gap, "every user may load programs", details: details,
        loses: "socket filters and the like come into the kernel past every policy, from anybody",
        close: "sysctl kernel.unprivileged_bpf_disabled=1 (2 leaves root the way back)")
    case .text(let value):
      if value == "2" { details.append("kernel.unprivileged_bpf_disabled=2: root can lower it; 1 is for good") }
      return Finding("bpf", title, .good, "for privileged users only", details: details)
    case .absent, .refused:
      return Finding(
        "bpf", title, .unknown, "kernel.unprivileged_bpf_disabled cannot be read (\(reason(.unprivilegedBPF)))",
        details: details, loses: "whether any user may load programs", close: "mount /proc, or leave the container")
    }
  }

  /// Whether the kernel itself refuses what no policy admits. Nil where recorded facts do not tell, and for a process that may
  /// look at no pins.
  var kernelGate: Finding? {
    let title = "gate"
    let loses = "who may call bpf(2) loads what no policy was asked about"
    switch gate {
    case .some(.none):
      return Finding(
        "gate", title, .weak, "none is installed", loses: loses,
        close: "verity-bpf gate install --policy FILE --image IMAGE")
    case .incomplete:
      return Finding(
        "gate", title, .weak, "its installation did not come to its end", loses: loses,
        close: "verity-bpf unload --pin-path \(PinPlace.root)/verity-bpf/gate")
    case .watching:
      return Finding(
        "gate", title, .weak, "it watches, and refuses nothing", loses: loses,
        close: "verity-bpf gate seal --mode digests")
    case .enforcing:
      return Finding(
        "gate", title, .weak, "it refuses loads without a row", loses: "root can take it away",
        close: "verity-bpf gate seal --mode digests --until-reboot")
    case .sealed: return Finding("gate", title, .good, "sealed until the next reboot")
    case .closed:
      guard capabilities?.contains(Capability.sysAdmin.name) == true else { return nil }
      return Finding("gate", title, .good, "it shows itself to the loaders alone that it was planned with")
    case .other:
      return Finding(
        "gate", title, .weak, "what is pinned in its place is no gate that this build knows", loses: loses,
        close: "use the build that installed it")
    case nil: return nil
    }
  }

  /// Where pins can be: programs, maps and links that outlive who loaded them. Nil where recorded facts do not tell.
  var pins: Finding? {
    let title = "BPF file system"
    guard let places = bpfFileSystems else { return nil }
    guard let first = places.first else {
      return Finding(
        "bpf-file-system", title, .weak, "mounted nowhere", loses: "nothing can be pinned (load --pin-path)",
        close: "mount -t bpf bpf /sys/fs/bpf")
    }
    return Finding(
      "bpf-file-system", title, .good, "mounted at \(places.count == 1 ? first : places.joined(separator: ", "))")
  }

  var kernelTypes: Finding {
    let loses = "CO-RE records and programs that attach by BTF (fentry, LSM, iterators, struct_ops) cannot be loaded"
    switch self[.kernelTypes] {
    case .text: return Finding("btf", "kernel types (BTF)", .good, "there")
    case .absent:
      return Finding(
        "btf", "kernel types (BTF)", .gap, "there is no \(KernelStatement.kernelTypes.place())", loses: loses,
        close: "use a kernel with CONFIG_DEBUG_INFO_BTF=y, with sysfs at /sys")
    case .refused(let error):
      return Finding(
        "btf", "kernel types (BTF)", .unknown, "cannot be opened (\(error))", loses: loses, close: "run as root")
    }
  }

  /// Whether BPF_PROG_LOAD looks at signatures, by what it says to one that is none. The kernel ignores a signature
  /// whose address is NULL, so that alone would prove nothing; and without the control that loads, any errno would do.
  var programSignatures: Finding {
    let title = "BPF signatures"
    let loses = "the kernel checks no signature of a program: an explicit signature is checked by verity-bpf alone"
    guard let control = probes[.unsigned], let garbage = probes[.garbageSignature] else {
      return Finding("bpf-signatures", title, .unknown, "not probed", loses: loses, close: "run as root")
    }
    if case .refused(let error) = control {
      return Finding(
        "bpf-signatures", title, .unknown, "a program without signature is refused too (\(error))", loses: loses,
        close: "run as root")
    }
    switch garbage {
    case .refused(Errno.e2big.name):
      return Finding(
        "bpf-signatures", title, .gap, "BPF_PROG_LOAD has no signing fields here", loses: loses,
        close: "use a kernel of 6.18 or later")
    case .refused(Errno.ebadmsg.name), .refused(Errno.enokey.name), .refused(Errno.ekeyrejected.name):
      let generation =
        probes[.emptySignature] == .refused(Errno.einval.name)
        ? "the signature is over the instructions and frozen maps (7.3 and later)"
        : "the signature is over the instructions only (6.18 to 7.2)"
      return Finding(
        "bpf-signatures", title, .good, "checked by the kernel",
        details: [generation, "CO-RE records are not under the signature: bind them by policy or image"])
    case .refused(let error):
      return Finding(
        "bpf-signatures", title, .gap, "the fields are there, but signatures cannot be checked (\(error))",
        loses: loses, close: "use a kernel with CONFIG_SYSTEM_DATA_VERIFICATION=y")
    case .taken:
      return Finding(
        "bpf-signatures", title, .gap, "a signature that is none was not refused", loses: loses,
        close: "report this kernel to its maker; rely on provenance")
    }
  }
}
