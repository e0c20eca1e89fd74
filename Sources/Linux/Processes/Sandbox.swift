internal import CLinuxShim
internal import Glibc

/// What a process gives up before it reads bytes that it is not to be trusted with.
public enum Sandbox {
  /// What could not be given up. A process that has it still has to end.
  public enum Step: String, Sendable, CaseIterable {
    /// Standard input and output are no pipes: it was not started by a loader.
    case pipes
    case descriptors
    case privileges
    case files
    case limits
    case calls
  }

  /// Leaves the process its memory, its standard input and output, and the system calls for these. Every other call ends it.
  ///
  /// - Returns: nil when all is given up.
  public static func enter() -> (step: Step, error: SystemError)? {
    let step = vb_sandbox_enter()
    let error = SystemError.current("enter the sandbox")
    if step == 0 { return nil }
    // A number that is none of these says that something was not given up all the same.
    return (steps[UInt32(bitPattern: step)] ?? .calls, error)
  }

  private static let steps: [UInt32: Step] = [
    VB_SANDBOX_PIPES.rawValue: .pipes, VB_SANDBOX_DESCRIPTORS.rawValue: .descriptors,
    VB_SANDBOX_PRIVILEGES.rawValue: .privileges, VB_SANDBOX_FILES.rawValue: .files,
    VB_SANDBOX_LIMITS.rawValue: .limits, VB_SANDBOX_CALLS.rawValue: .calls,
  ]
}
