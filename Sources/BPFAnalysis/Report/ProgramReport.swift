public import BPFObject
public import KernelABI

/// A helper that a program calls.
public struct HelperUse: Equatable, Sendable {
  /// `enum bpf_func_id`.
  public let id: UInt32
  /// Without `bpf_`; nil for a number that no kernel has.
  public let name: String?
  /// The calls, as indexes of instructions in the linked program.
  public let instructions: [Int]

  /// `bpf_probe_read_kernel#113`, as the verifier writes it.
  public var label: String { "bpf_\(name ?? "unknown")#\(id)" }

  /// Whether it copies kernel memory: probe_read, probe_read_str, probe_read_kernel, probe_read_kernel_str.
  var copiesKernel: Bool { KnownHelper[id]?.traits.contains(.copiesKernel) == true }
}

/// A CO-RE relocation that the kernel resolves when it loads the program.
public struct CoreRelocation: Equatable, Sendable {
  /// What the record asks; nil for a kind that is not known here.
  public let kind: CoreRelocationKind?
  /// What is relocated, `task_struct.mm`; nil when the record does not fit the object's BTF.
  public let subject: String?
  /// Index of the instruction in the linked program.
  public let instruction: Int
  /// Bytes of the field in the object's own types; nil for what has no size.
  public let size: Int?
  /// Whether a kernel has what is relocated; nil when no kernel was asked, see ``BPFObject/reports(of:kernel:)``.
  public internal(set) var existsInKernel: Bool?
  /// What keeps the kernel from following the record, and the whole program out of it; nil for most.
  public internal(set) var limit: CoreLimit?

  /// Whether the kernel makes the instruction one that the verifier refuses where it is reached: everything but a
  /// question about existence needs an answer.
  public var isPoisoned: Bool { existsInKernel == false && kind?.asksForExistence != true }

  /// The kind as libbpf writes it: `byte_off`, `type_exists` …
  public var kindName: String { kind?.name ?? "unknown" }
}

/// What can be said of a program from its bytes alone.
///
/// Everything here is about the instructions as they are submitted: the verifier may drop some of them as dead code,
/// and then needs less.
public struct ProgramReport: Equatable, Sendable {
  /// The function's name.
  public let name: String
  /// The ELF section, without the `?` of an optional program.
  public let section: String
  /// What the section's name says the program is.
  public let kind: ProgramKind
  /// The program's type as bpftool prints it.
  public let typeName: String
  /// The expected attach type; nil when the program's type has none.
  public let attachTypeName: String?
  /// BPF_F_SLEEPABLE: it may fault and wait.
  public let isSleepable: Bool
  /// Why it could not be linked, and is not loaded; nil for every other.
  public let linkError: BPFObjectError?
  /// With its subprograms.
  public let instructionCount: Int
  /// How many of them linking wrote to; all others are the object's own bytes.
  public let editedInstructionCount: Int
  /// The instructions as they will be submitted; nil where the running kernel has a part in them.
  public let submitted: SubmittedInstructions?
  /// By number.
  public let helpers: [HelperUse]
  /// Kernel functions and variables it uses, in the order of the object's externs.
  public let kernelSymbols: [String]
  /// The functions appended to the program, in order.
  public let subprograms: [String]
  /// What the kernel changes in the program when it loads it, in the order of the records.
  public internal(set) var coreRelocations: [CoreRelocation]
  /// Names of the maps it refers to, in the order of `fd_array`.
  public let maps: [String]
  /// Everything that some lockdown mode forbids.
  public let restrictions: [LockdownRestriction]
  /// What loading needs where unprivileged BPF is off, as it is by default.
  public let capabilities: [Capability]
  /// Where it may read the kernel's memory, in the order of its instructions.
  public let kernelReads: [KernelRead]
  /// Everything in it that asks for a kernel.
  let requirements: [KernelRequirement]
  /// The oldest kernel that can load it, and why: the newest of its requirements.
  public let minimumKernel: KernelRequirement

  /// What the analyses do not follow. When there is any, the worst is assumed of the program: every read, all code live,
  /// and class full.
  public let unfollowed: [UnfollowedConstruct]

  /// What its author says that it reads of the kernel's memory; nil when nothing is said.
  public let readDeclaration: ReadDeclaration?
  /// Every place where it reads kernel memory, or may, that its author has not declared: all of them without a
  /// declaration.
  public let undeclaredReads: [UndeclaredRead]

  /// What it reads of the kernel's memory at most (`x_reads` in docs/policy-properties.md).
  public var readScope: ReadScope {
    if !undeclaredReads.isEmpty { return .undeclared }
    return kernelReads.isEmpty ? .none : .declared
  }

  /// What it does beyond the packet or socket it is called for; empty for a restricted program, see
  /// `x_class=RESTRICTED` in docs/policy-properties.md.
  public let classObjections: [ClassObjection]

  /// Whether it stays with the packet or socket it is called for.
  public var isRestricted: Bool { classObjections.isEmpty }

  /// The helpers by which it writes to the memory of user space (lockdown: BPF_WRITE_USER).
  public var userWrites: [HelperUse] { helpers.filter { Helper(called: $0.id) == .probeWriteUser } }

  /// What the kernel forbids in this mode: nothing when it loads and attaches the program.
  public func restrictions(in mode: LockdownMode) -> [LockdownRestriction] {
    restrictions.filter { $0.reason.deniedFrom <= mode }
  }

  /// The strictest mode in which the kernel loads the program. (Attaching may need more, see ``restrictions``.)
  public var strictestLockdown: LockdownMode {
    LockdownMode.allCases.last { mode in !restrictions(in: mode).contains { $0.moment == .load } } ?? .none
  }
}
