public import Base
internal import BPFObject

/// A program's instructions as they are handed to BPF_PROG_LOAD, known before any kernel is there.
///
/// What the kernel changes afterwards is not in the digest: CO-RE records, of which there are ``coreRelocations``, and
/// everything that the verifier rewrites. The kernel has the same bytes in `prog->insnsi` when it asks its security
/// modules.
public struct SubmittedInstructions: Hashable, Sendable {
  /// SHA-256 over all instructions, eight bytes each, the program's own and those of its subprograms.
  public let digest: Digest
  /// Instructions; a 64-bit load counts as two.
  public let count: Int
  /// Records that the kernel applies when it loads the program.
  public let coreRelocations: Int

  public init(digest: Digest, count: Int, coreRelocations: Int) {
    self.digest = digest
    self.count = count
    self.coreRelocations = coreRelocations
  }

  /// Nil for a program that refers to the running kernel's functions or variables, whose ids or addresses become part
  /// of its instructions, for one that could not be linked, and where SHA-256 cannot be computed.
  init?(_ program: LinkedProgram) {
    guard program.linkError == nil, program.externUses.isEmpty,
      let digest = try? Digest.of(program.instructions.rawSpan)
    else { return nil }
    let records =
      program.coreRelocationRecordSize == 0
      ? 0 : program.coreRelocations.count / Int(program.coreRelocationRecordSize)
    self.init(digest: digest, count: program.instructions.count / Instruction.size, coreRelocations: records)
  }
}
