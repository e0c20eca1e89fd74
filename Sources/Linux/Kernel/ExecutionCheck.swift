internal import KernelABI
internal import CLinuxShim
internal import Glibc

/// Whether the kernel would execute an open file (execveat(2) with AT_EXECVE_CHECK, Linux 6.14). Nothing is executed.
public enum ExecutionCheck: Equatable, Sendable {
  case allowed
  /// EACCES, of a file that all users may execute, on a mount that allows it: so a security module says no.
  case refused
  /// The kernel does not know the question, or other things stand in the way.
  case unanswered

  /// Asks about the file that a descriptor leads to.
  public static func ask(_ file: borrowing OwnedFD) -> ExecutionCheck {
    let errno = file.withRaw { vb_check_execution($0) }
    if errno == 0 { return .allowed }
    return errno == EACCES && (try? isExecutable(file)) == true ? .refused : .unanswered
  }

  private static func isExecutable(_ file: borrowing OwnedFD) throws(SystemError) -> Bool {
    // For a user who is root in no sense, the bits of one class are not those of another.
    guard try file.status().mode & 0o111 == 0o111 else { return false }
    return try !file.isNoExecMount()
  }
}

/// A policy of the kernel's IPE that is in force.
public struct EnforcedIntegrityPolicy: Equatable, Sendable {
  public let name: String
  /// As it was loaded.
  public let text: [UInt8]

  /// The policy that IPE goes by now; nil where it goes by none, does not enforce it, or could not be asked.
  public static func read() -> EnforcedIntegrityPolicy? {
    guard KernelFile.text(.integrityPolicyEnforced) == "1",
      let names = try? KernelFile.names(.integrityPolicies),
      let name = names.first(where: { KernelFile.text(.integrityPolicyActive, $0) == "1" }),
      let text = try? KernelFile.bytes(of: .integrityPolicyText, name, limit: 1 << 20)
    else { return nil }
    return EnforcedIntegrityPolicy(name: name, text: text)
  }
}
