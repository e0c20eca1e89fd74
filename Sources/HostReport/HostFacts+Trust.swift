internal import KernelABI

// The kernel's defence against its own administrator, and the boot chain below it.

extension HostFacts {
  /// How far lockdown goes: from securityfs or, where that cannot be reached, from what BPF programs may do.
  enum Lockdown: Equatable {
    case mode(LockdownMode, isProbed: Bool)
    case notInKernel
    case unknown(String)
  }

  var lockdownState: Lockdown {
    switch self[.lockdown] {
    case .text(let text):
      guard let mode = LockdownMode(bracketedIn: text) else { return .unknown("`\(text)` names no mode") }
      return .mode(mode, isProbed: false)
    case .absent, .refused:
      if let modules = activeModules, !modules.contains("lockdown") { return .notInKernel }
      if activeModules == nil, hasOption("CONFIG_SECURITY_LOCKDOWN_LSM") == false { return .notInKernel }
      guard probes[.tracing] == .taken else { return .unknown("securityfs is not mounted") }
      if probes[.kernelRead] == .refused(Errno.einval.name) { return .mode(.confidentiality, isProbed: true) }
      // The helper that writes user memory needs CAP_SYS_ADMIN besides.
      guard capabilities?.contains(Capability.sysAdmin.name) == true, let write = probes[.userWrite] else {
        return .unknown("securityfs is not mounted")
      }
      return .mode(write == .taken ? .none : .integrity, isProbed: true)
    }
  }

  /// The active security modules in their order; nil when unknown.
  var activeModules: [String]? {
    if case .text(let text) = self[.securityModules] { return text.split(separator: ",").map { String($0) } }
    return securityModuleIDs.map { $0.map { SecurityModule(rawValue: $0)?.name ?? "module \($0)" } }
  }

  private static let mountSecurityFS = "mount -t securityfs securityfs /sys/kernel/security"

  var lockdown: Finding {
    let loses =
      "root can write kernel memory, load unsigned modules and start another kernel, so whatever was refused here can "
      + "be brought in from the side"
    let close =
      "boot with lockdown=integrity on the kernel command line; under Secure Boot distribution kernels lock down by "
      + "themselves"
    switch lockdownState {
    case .mode(.none, _): return Finding("lockdown", "lockdown", .gap, "off", loses: loses, close: close)
    case .mode(let mode, let isProbed):
      return Finding(
        "lockdown", "lockdown", .good, mode.rawValue,
        details: (isProbed ? ["found out by what BPF programs may call; securityfs is not mounted"] : [])
          + (mode == .integrity ? ["reads of kernel memory by BPF programs are allowed"] : []))
    case .notInKernel:
      return Finding(
        "lockdown", "lockdown", .gap, "not active in this kernel", loses: loses,
        close: "use a kernel with CONFIG_SECURITY_LOCKDOWN_LSM=y and `lockdown` in lsm=; then \(close)")
    case .unknown(let why):
      return Finding("lockdown", "lockdown", .unknown, why, loses: loses, close: "as root: \(Self.mountSecurityFS)")
    }
  }

  var secureBoot: Finding? {
    let loses = "the kernel, its command line and with them lockdown and the first keys are whatever the disk says"
    switch self[.secureBoot] {
    case .text(let digits) where digits.hasSuffix("01"):
      return Finding("secure-boot", "Secure Boot", .good, "on")
    case .text:
      return Finding(
        "secure-boot", "Secure Boot", .weak, "off", loses: loses, close: "turn it on in the firmware's setup")
    case .absent where self[.firmware].text != nil:
      return Finding(
        "secure-boot", "Secure Boot", .unknown, "the firmware's variables are not mounted", loses: loses,
        close: "as root: mount -t efivarfs efivarfs /sys/firmware/efi/efivars")
    case .absent:
      return Finding(
        "secure-boot", "Secure Boot", .weak, "this machine tells nothing of UEFI Secure Boot", loses: loses,
        close: "boot by UEFI with Secure Boot, or measure the boot chain in another way")
    case .refused(let error):
      return Finding(
        "secure-boot", "Secure Boot", .unknown, "the firmware's variable cannot be read (\(error))", loses: loses,
        close: "as root: mount -t efivarfs efivarfs /sys/firmware/efi/efivars")
    }
  }

  var moduleSignatures: Finding {
    let title = "module signatures"
    if hasOption("CONFIG_MODULES") == false || self[.modules] == .absent {
      return Finding("module-signatures", title, .good, "this kernel takes no modules")
    }
    if case .mode(let mode, _) = lockdownState, mode != .none {
      return Finding("module-signatures", title, .good, "enforced by lockdown")
    }
    switch self[.moduleSignatures] {
    case .text("Y"): return Finding("module-signatures", title, .good, "enforced")
    case .text, .absent:
      return Finding(
        "module-signatures", title, .gap, "not enforced",
        loses: "root can load any code as a module, which is more than any BPF program may do",
        close: "boot with module.sig_enforce=1 or lockdown=integrity")
    case .refused(let error):
      return Finding(
        "module-signatures", title, .unknown, "cannot be read (\(error))",
        loses: "whether root can load any code as a module", close: "run as root, with sysfs at /sys")
    }
  }

  var securityModules: Finding {
    let loses = "nothing in the kernel can hold back other programs' BPF loads: the policy binds only who uses it"
    guard let modules = activeModules else {
      return Finding(
        "security-modules", "security modules", .unknown, "the list cannot be read", loses: loses,
        close: "as root: \(Self.mountSecurityFS)")
    }
    let list = modules.joined(separator: ", ")
    if modules.contains("bpf") { return Finding("security-modules", "security modules", .good, list) }
    return Finding(
      "security-modules", "security modules", .gap, "no BPF LSM among \(list)", loses: loses,
      close: "add `bpf` to lsm= on the kernel command line (needs CONFIG_BPF_LSM=y)")
  }

  var integrityPolicy: Finding {
    let title = "IPE"
    let loses =
      "the kernel does not check which programs run, so a changed verity-bpf, or another loader, runs as well"
    let missing = "use a kernel of 6.12 or later with CONFIG_SECURITY_IPE=y, and `ipe` in lsm="
    if let modules = activeModules, !modules.contains("ipe") {
      return Finding("ipe", title, .gap, "not active in this kernel", loses: loses, close: missing)
    }
    guard case .text(let names) = self[.integrityPolicies] else {
      return Finding(
        "ipe", title, .unknown, "its policies cannot be read", loses: loses, close: "as root: \(Self.mountSecurityFS)")
    }
    let policies = names.split(separator: "\n").map { String($0) }
    let states = policies.map { self[.integrityPolicyActive, $0] }
    if let active = policies.first(where: { self[.integrityPolicyActive, $0] == .text("1") }) {
      let version = self[.integrityPolicyVersion, active].text.map { " \($0)" } ?? ""
      switch self[.integrityPolicyEnforced] {
      case .text("1"):
        return Finding("ipe", title, .good, "policy `\(active)`\(version) is active and enforced")
      case .text:
        return Finding(
          "ipe", title, .gap, "policy `\(active)`\(version) is active but not enforced", loses: loses,
          close: "as root: echo 1 > \(KernelStatement.integrityPolicyEnforced.place())")
      case .absent, .refused:
        return Finding(
          "ipe", title, .unknown, "policy `\(active)` is active; whether it is enforced is told to root only",
          loses: loses, close: "run as root")
      }
    }
    if states.contains(where: { $0.text == nil }) {
      return Finding(
        "ipe", title, .unknown, "which of \(policies.count) policies is active is told to root only", loses: loses,
        close: "run as root")
    }
    return Finding(
      "ipe", title, .gap, "no policy is active, so everything may run", loses: loses,
      close: "`verity-bpf policy convert POLICY`, `verity-bpf policy sign`; then load it into "
        + "\(KernelStatement.integrityPolicy.place())/new_policy")
  }
}
