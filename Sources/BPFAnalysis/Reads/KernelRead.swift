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
      for relocation in relocations where relocation.kind == .fieldByteOffset {
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

  /// Whether programs of a type may find pointers to kernel structures in their context: all but those whose context is
  /// known to hold none. (Sockets that a context points to are read through the kernel's own view of them.)
  static func holdsPointers(_ type: ProgramType) -> Bool {
    switch type {
    case .socketFilter, .kprobe, .schedCls, .schedAct, .tracepoint, .xdp, .perfEvent, .cgroupSkb, .cgroupSock,
      .lwtIn, .lwtOut, .lwtXmit, .sockOps, .skSkb, .cgroupDevice, .skMsg, .rawTracepoint, .cgroupSockAddr,
      .lwtSeg6local, .lircMode2, .skReuseport, .flowDissector, .cgroupSysctl, .rawTracepointWritable, .cgroupSockopt,
      .skLookup, .syscall:
      false
    case .unspec, .tracing, .structOps, .ext, .lsm, .netfilter:
      true
    }
  }
}
