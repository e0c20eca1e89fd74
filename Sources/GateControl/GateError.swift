public import Base
public import Gate
public import Linux
public import Loader

/// Why a gate was not installed, filled, read or sealed.
public indirect enum GateError: Error, Sendable {
  /// The kernel runs without the security module that asks BPF programs.
  case noSecurityModule(found: String)
  /// The kernel has no such hooks.
  case noHooks([String])
  /// A module of the kernel is missing whose types the gate needs.
  case noModule(String)
  /// A gate is pinned there already.
  case installed(path: String)
  case notInstalled(path: String)
  /// What is pinned there is no gate of this build.
  case notOurs(path: String, expected: String, found: String)
  /// The installation did not come to its end.
  case incomplete(path: String)
  /// The gate is sealed, and this process's executable has no row that lets it look.
  case closed(path: String, SystemError)
  /// The gate is sealed.
  case sealed
  /// Rows that the gate's maps cannot hold.
  case unsayable([String])
  /// A map did not take an entry.
  case fill(map: GateMap, entries: Int, SystemError)
  /// The rows know no digests, so that sealing in that mode would refuse everything.
  case noDigests
  /// Programs are loaded that could undo what the gate answers.
  case foreign([ProgramStock.Foreign])
  /// What the gate saw would be refused.
  case wouldRefuse([WatchedLoad], taken: Bool)
  /// A step failed, and what had been done could not be taken back.
  case notUndone(GateError, left: String)
  case load(BPFLoadError)
  case unload(UnloadError)
  case system(SystemError)
}

extension GateError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .noSecurityModule(let found):
      Diagnostic(
        "gate.no-bpf-lsm", .unsupported,
        "the kernel asks no BPF program for security decisions, so a gate would bind nothing",
        expected: "bpf among the active security modules", found: found,
        next: "start the machine with lsm=…,bpf on the kernel's command line (CONFIG_BPF_LSM=y)")
    case .noHooks(let hooks):
      Diagnostic(
        "gate.no-hook", .unsupported, "the kernel has not all places where the gate has to be asked",
        expected: "Linux 6.12 or later with CONFIG_BPF_LSM=y and CONFIG_SECURITY=y",
        found: "no \(hooks.joined(separator: ", "))",
        next: "use a kernel that has them: without one of them the gate could be gone round")
    case .noModule(let name):
      Diagnostic(
        "gate.no-module", .unsupported,
        "the kernel's module `\(name)` is not there, by whose types the gate reads tables",
        expected: GateLayout.modules.joined(separator: " and ") + ", loaded or built in", found: "no \(name)",
        next: "modprobe dm_verity, and install the gate then")
    case .installed(let path):
      Diagnostic(
        "gate.installed", .incomplete, "a gate is installed already", expected: "nothing at `\(path)`",
        found: "its parts", why: "two gates would both have to admit a load, and one plan is to say what is admitted",
        next:
          "look at it: verity-bpf gate status; take it away while it is not sealed: verity-bpf unload --pin-path \(path)"
      )
    case .notInstalled(let path):
      Diagnostic(
        "gate.not-installed", .incomplete, "no gate is installed", expected: "its parts at `\(path)`", found: "nothing",
        next: "verity-bpf gate install --policy FILE --image IMAGE")
    case .notOurs(let path, let expected, let found):
      Diagnostic(
        "gate.not-ours", .incomplete, "`\(path)` is no part of a gate that this build knows", expected: expected,
        found: found,
        next: "use the build that installed it, or take it away: verity-bpf unload --pin-path \(GateLayout.pinPath)")
    case .incomplete(let path):
      Diagnostic(
        "gate.incomplete", .incomplete, "the installation of the gate did not come to its end",
        expected: "rows and a state that was written after them", found: "none, so that it only watches",
        next: "take it away and install it again: verity-bpf unload --pin-path \(path)")
    case .closed(let path, let error):
      Diagnostic(
        "gate.closed", .kernelRefused, "the gate is sealed and lets this process not look at `\(path)`",
        expected: "an executable that the plan named with --loader", found: error.errnoName,
        next: "run verity-bpf from the volume that the gate was planned with")
    case .sealed:
      Diagnostic(
        "gate.sealed", .incomplete, "the gate is sealed until the next reboot", expected: "one that is not",
        found: "sealed", next: "reboot")
    case .unsayable(let reasons):
      Diagnostic(
        "gate.left-out", .invalid, "some rows of the plan cannot be given to this kernel", expected: "a place for each",
        found: "\(reasons.count) without", why: "a sealed gate refuses what no row admits",
        next: "change the rules, or go on without them: --skip-unsupported", details: Array(reasons.prefix(20)))
    case .fill(let map, let entries, let error):
      Diagnostic(
        "gate.fill", .kernelRefused, "the kernel did not take a row into `\(map.rawValue)`",
        expected: "\(entries) entries", found: error.description, next: "look at the limits on memory, and try again")
    case .noDigests:
      Diagnostic(
        "gate.no-rows", .invalid,
        "the gate has no rows of instructions, so that in this mode every load would be refused",
        expected: "a gate that was installed with --mode digests", found: "one of mode loader",
        next: "take it away and install it with --mode digests, or seal with --mode loader")
    case .foreign(let programs):
      Diagnostic(
        "gate.foreign", .incomplete, "programs are loaded that could undo what the gate answers",
        expected:
          "no LSM program and none that changes what a hook returns, but the gate's own and those that pid 1 holds",
        found: "\(programs.count)",
        why: "they were loaded before anything could refuse them, and a descriptor is enough to attach them",
        next: "end what holds them, and seal then; the gate is as it was", details: programs.map(\.text))
    case .wouldRefuse(let loads, let taken):
      Diagnostic(
        "gate.would-refuse", .incomplete, "what this machine loads would be refused",
        expected: "rows for what the gate saw while it watched", found: "\(loads.count) kinds of loads without",
        why: taken ? "`gate events` has taken earlier records, which the audit log has" : nil,
        next: "plan with rows for them (`verity-bpf gate watch` says which), or seal all the same: --despite",
        details: loads.prefix(20).map { "\($0.count) times: \($0.event.line); \($0.advice)" })
    case .notUndone(let cause, let left):
      Diagnostic(
        "gate.not-undone", .incomplete, "\(cause.diagnostic.message); what had been done could not be taken back",
        expected: "the gate as it was before", found: left, why: cause.diagnostic.code,
        next: "look at it: verity-bpf gate status; take it away while it is not sealed: "
          + "verity-bpf unload --pin-path \(GateLayout.pinPath)")
    case .load(let error): error.diagnostic
    case .unload(let error): error.diagnostic
    case .system(let error): error.diagnostic
    }
  }
}
