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

  /// All reads of a program, in the order of its instructions.
  ///
  /// - Parameters:
  ///   - loads: where ``PointerFlow`` finds loads through pointers into the kernel.
  ///   - named: what ``RecordFlow`` finds to be fields.
  static func reads(
    loads: [Int], helpers: [HelperUse], relocations: [CoreRelocation], named: [Int: String]
  ) -> [KernelRead] {
    var subjects: [Int: String] = [:]
    if !loads.isEmpty {
      for relocation in relocations where relocation.kind == "byte_off" {
        if let subject = relocation.subject { subjects[relocation.instruction] = subject }
      }
    }
    var reads = loads.map { KernelRead(means: .pointer, instruction: $0, subject: named[$0] ?? subjects[$0]) }
    for helper in helpers where helper.copiesKernel {
      for instruction in helper.instructions {
        reads.append(KernelRead(means: .helper(helper), instruction: instruction, subject: named[instruction]))
      }
    }
    if reads.count > 1 { reads.sort { $0.instruction < $1.instruction } }
    return reads
  }

  /// Whether programs of a type find pointers to kernel structures in their context. An `ext` program has the context of
  /// whatever it replaces.
  static func holdsPointers(_ kind: String) -> Bool {
    ["tracing", "lsm", "struct_ops", "ext", "netfilter"].contains(kind)
  }
}
