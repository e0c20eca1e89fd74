internal import KernelABI

/// A place where a program may read kernel memory that is not its own context, stack, packet or map.
public struct KernelRead: Equatable, Sendable {
  /// How it reads.
  public enum Means: Equatable, Sendable {
    /// By a helper that copies kernel memory, which lockdown=confidentiality forbids.
    case helper(HelperUse)
    /// By a plain load through a pointer that the verifier knows the kernel type of. Lockdown does not see it.
    case pointer
  }

  public let means: Means
  /// Index of the instruction in the linked program.
  public let instruction: Int
  /// What is read, `task_struct.pid`, when a CO-RE relocation says so: of the load itself, or of the address that a
  /// helper copies from.
  public let subject: String?
}
