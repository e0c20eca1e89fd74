public import KernelABI
internal import Glibc

/// What the running kernel says of itself in small files, as ``KernelFile`` reads them. Each answer is nil when the kernel
/// does not tell.
public enum KernelSettings {
  /// The mode in brackets in /sys/kernel/security/lockdown; `none` where securityfs says that the kernel has no such file.
  public static func lockdownMode() -> LockdownMode? {
    let answer = KernelFile.read(.lockdown)
    if answer == .absent { return LockdownMode.none }
    return answer.text.flatMap { LockdownMode(bracketedIn: $0) }
  }

  /// kernel.unprivileged_bpf_disabled: with 0 every process may load socket filters and the like, with 1 and 2 only one with CAP_BPF.
  public static func unprivilegedBPFDisabled() -> Int? {
    text(.unprivilegedBPF).flatMap { Int($0) }
  }

  /// The effective capabilities of this thread, from `CapEff` in /proc/thread-self/status.
  public static func effectiveCapabilities() -> Set<Capability>? {
    guard let status = text(.threadStatus),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
      let digits = line.split(whereSeparator: { $0 == "\t" || $0 == " " }).last,
      let mask = UInt64(digits, radix: 16)
    else { return nil }
    return Set(Capability.allCases.filter { mask & (1 << $0.rawValue) != 0 })
  }

  /// Whether this process is in a user namespace of its own, where its capabilities are not those that bpf(2) asks
  /// for: /proc/self/uid_map then does not map every user to itself (user_namespaces(7)).
  public static func isInUserNamespace() -> Bool? {
    text(.userMap).map { map in
      map.split(whereSeparator: { $0 == " " || $0 == "\n" }) != ["0", "0", "4294967295"]
    }
  }

  /// What tells this start of the machine from every other: /proc/sys/kernel/random/boot_id.
  ///
  /// A container can have one of its own, put over the kernel's: it tells records apart, and nothing is decided by it.
  public static func bootID() -> String? { shown(.bootIdentifier) }

  /// Whether a seccomp filter stands between this process and the kernel (`Seccomp: 2` in /proc/self/status).
  public static func hasSystemCallFilter() -> Bool? {
    text(.threadStatus).flatMap { status in
      status.split(separator: "\n").first { $0.hasPrefix("Seccomp:") }.map { $0.hasSuffix("\t2") }
    }
  }

  /// The active security modules, in the kernel's order: /sys/kernel/security/lsm.
  public static func securityModules() -> [String]? {
    text(.securityModules).map { $0.split(separator: ",").map { String($0) } }
  }

  /// How many processors the kernel provides for: one more than the highest number in /sys/devices/system/cpu/possible.
  public static func possibleProcessors() -> Int? {
    // In containers another file system tells the processors that are theirs; nothing is decided by it.
    guard let ranges = shown(.processors),
      let last = ranges.split(whereSeparator: { $0 == "," || $0 == "-" }).last, let highest = Int(last), highest >= 0
    else { return nil }
    return highest + 1
  }

  /// A small file's text without the white space at its end.
  private static func text(_ statement: KernelStatement) -> String? {
    KernelFile.text(statement).flatMap { trimmed(Array($0.utf8)) }
  }

  /// The same of whatever lies at that path.
  private static func shown(_ statement: KernelStatement) -> String? {
    KernelFile.shown(statement).flatMap { trimmed($0) }
  }

  private static func trimmed(_ bytes: [UInt8]) -> String? {
    let end = bytes.lastIndex { $0 != 10 && $0 != 32 }.map { $0 + 1 } ?? 0
    return String(validating: bytes[..<end], as: UTF8.self)
  }
}
