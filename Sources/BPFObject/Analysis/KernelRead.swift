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
  /// What is read, `task_struct.pid`, when a CO-RE relocation of the instruction says so.
  public let subject: String?

  /// All reads of a program, in the order of its instructions.
  static func reads(
    of program: LinkedProgram, kind: String, helpers: [HelperUse], relocations: [CoreRelocation],
    mapsHoldPointers: Bool
  ) -> [KernelRead] {
    var subjects: [Int: String] = [:]
    for relocation in relocations where relocation.kind == "byte_off" {
      if let subject = relocation.subject { subjects[relocation.instruction] = subject }
    }
    var flow = PointerFlow(program, contextHoldsPointers: holdsPointers(kind), mapsHoldPointers: mapsHoldPointers)
    var reads = flow.loads().map { KernelRead(means: .pointer, instruction: $0, subject: subjects[$0]) }
    for helper in helpers where [4, 45, 113, 115].contains(helper.id) {
      for instruction in helper.instructions {
        reads.append(KernelRead(means: .helper(helper), instruction: instruction, subject: nil))
      }
    }
    return reads.sorted { $0.instruction < $1.instruction }
  }

  /// Whether programs of a type find pointers to kernel structures in their context. An `ext` program has the context of
  /// whatever it replaces.
  private static func holdsPointers(_ kind: String) -> Bool {
    ["tracing", "lsm", "struct_ops", "ext", "netfilter"].contains(kind)
  }
}
