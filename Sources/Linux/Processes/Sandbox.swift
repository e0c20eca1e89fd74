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
    switch UInt32(bitPattern: step) {
    case 0: return nil
    case VB_SANDBOX_PIPES.rawValue: return (.pipes, error)
    case VB_SANDBOX_DESCRIPTORS.rawValue: return (.descriptors, error)
    case VB_SANDBOX_PRIVILEGES.rawValue: return (.privileges, error)
    case VB_SANDBOX_FILES.rawValue: return (.files, error)
    case VB_SANDBOX_LIMITS.rawValue: return (.limits, error)
    default: return (.calls, error)
    }
  }
}
