internal import KernelABI
internal import Base
internal import Glibc
@_spi(ProgramLoading) internal import Linux

/// EPERM has many fathers, and the kernel does not say which one it was. This looks for him: at what the process may,
/// at what the kernel says of itself, and at what it answers to two questions that are harmless.
///
/// Observing and judging are apart, so that every judgement can be tested without the machine that gives rise to it.
struct PermissionInquiry: Equatable {
  /// The effective capabilities; nil when they are not known.
  var held: Set<Capability>?
  var isInUserNamespace: Bool?
  /// kernel.unprivileged_bpf_disabled.
  var unprivilegedDisabled: Int?
  var lockdown: LockdownMode?
  /// What the kernel just wrote about lockdown and this process.
  var lockdownMessage: String?
  /// Whether a seccomp filter is installed.
  var hasSystemCallFilter: Bool?
  /// The active security modules.
  var securityModules: [String]?
  /// Whether bpf(2) answers EPERM even to a command that does not exist. The kernel itself says EINVAL; who refuses
  /// earlier refuses every command.
  var refusesEverything: Bool?
  /// Whether a program of two instructions, of the least privileged type, is taken.
  var takesTrivialProgram: Bool?
  /// Programs of the BPF security module that are loaded, by name.
  var loadedGuards: [String] = []

  /// Looks at this process and this kernel now.
  static func observe() -> PermissionInquiry {
    var seen = PermissionInquiry()
    seen.held = KernelSettings.effectiveCapabilities()
    seen.isInUserNamespace = KernelSettings.isInUserNamespace()
    seen.unprivilegedDisabled = KernelSettings.unprivilegedBPFDisabled()
    seen.lockdown = KernelSettings.lockdownMode()
    seen.lockdownMessage = KernelMessages.recent(within: 5, containing: "Lockdown: ").last { message in
      message.mentions("Lockdown: \(String(decoding: ProcessIdentity.current().command, as: UTF8.self)):")
    }
    seen.hasSystemCallFilter = KernelSettings.hasSystemCallFilter()
    seen.securityModules = KernelSettings.securityModules()
    seen.refusesEverything = BPF.answerToUnknownCommand() == EPERM
    do throws(SystemError) {
      _ = try BPF.loadProgram(trivialProgram, btf: nil, maps: [])
      seen.takesTrivialProgram = true
    } catch {
      if error.code == .eperm { seen.takesTrivialProgram = false }
    }
    seen.loadedGuards = ((try? LoadedPrograms.list()) ?? []).filter { ProgramType(rawValue: $0.type) == .lsm }
      .map(\.name)
    return seen
  }

  /// `return 0`, as a socket filter.
  private static var trivialProgram: BPF.ProgramAttributes {
    var program = BPF.ProgramAttributes(type: .socketFilter)
    program.name = "probe"
    program.license = "GPL"
    program.instructions = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]
    return program
  }

  /// Names the most likely father, and what led to him.
  ///
  /// - Parameters:
  ///   - needed: the capabilities that the request asks for.
  ///   - isUnprivilegedKind: whether the kernel would do it without any, were it not for the sysctl.
  func judge(needed: [Capability], isUnprivilegedKind: Bool = false) -> (cause: Refusal.Cause, found: [String]) {
    let missing = held.map { held in held.contains(.sysAdmin) ? [] : needed.filter { !held.contains($0) } }
    if let missing, !missing.isEmpty {
      let seen = "CapEff in /proc/thread-self/status lacks \(missing.map(\.name).joined(separator: ", "))"
      if let setting = unprivilegedDisabled, setting != 0, missing.contains(.bpf), isUnprivilegedKind {
        return (
          .sysctl(name: "kernel.unprivileged_bpf_disabled", value: setting),
          ["\(KernelStatement.unprivilegedBPF.place()) is \(setting)", seen]
        )
      }
      return (.capability(missing), [seen])
    }
    if let lockdownMessage { return (.lockdown(lockdown), ["the kernel's log says: \(lockdownMessage)"]) }
    if isInUserNamespace == true {
      return (.userNamespace, ["\(KernelStatement.userMap.place()) does not map every user to itself"])
    }
    if refusesEverything == true {
      let seen = "bpf(2) answers EPERM even to a command that does not exist, where the kernel says EINVAL"
      if hasSystemCallFilter == true {
        return (.systemCallFilter, [seen, "Seccomp in /proc/thread-self/status is 2: a filter is installed"])
      }
      return (.securityModule(suspects), [seen, "no seccomp filter is installed"] + modulesSeen)
    }
    if takesTrivialProgram == false {
      return (
        .securityModule(suspects),
        ["the process has every capability, and even a program of two instructions is refused"] + modulesSeen
      )
    }
    if takesTrivialProgram == true, loadedGuards.isEmpty {
      return (
        .kernelBuild,
        ["the process has every capability, a program of two instructions is taken, no BPF LSM program is loaded"]
          + lockdownSeen
      )
    }
    return (
      .unknown,
      (missing == nil ? ["the process's capabilities are not known"] : ["the process has every capability"])
        + modulesSeen + lockdownSeen
    )
  }

  private var suspects: [String] {
    (securityModules ?? []).filter { !["lockdown", "capability"].contains($0) }
  }

  private var modulesSeen: [String] {
    var seen =
      securityModules.map { ["\(KernelStatement.securityModules.place()): \($0.joined(separator: ","))"] } ?? []
    if !loadedGuards.isEmpty { seen.append("BPF LSM programs: \(loadedGuards.joined(separator: ", "))") }
    return seen
  }

  private var lockdownSeen: [String] {
    lockdown.map { ["\(KernelStatement.lockdown.place()): \($0.rawValue), and no message of it in the kernel's log"] }
      ?? []
  }
}
