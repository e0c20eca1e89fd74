public import BPFAnalysis
public import BPFObject
public import Base

/// What the kernel is to admit: the contents of the gate's maps.
public struct GateRows: Equatable, Sendable {
  public var executables: [ExecutableRow] = []
  public var digests: [DigestRow] = []
  public var classes: [ClassRow] = []
  public var modules: [ModuleRow] = []

  public init() {}

  /// Whether no program is admitted.
  public var isEmpty: Bool { executables.isEmpty && digests.isEmpty && classes.isEmpty }

  /// A file, and what the processes that run it may load.
  public struct ExecutableRow: Equatable, Sendable {
    public let executable: Executable
    public let right: Right

    public init(_ executable: Executable, _ right: Right) {
      self.executable = executable
      self.right = right
    }
  }

  /// What an executable may load.
  public enum Right: Equatable, Sendable {
    /// Whatever it allows itself: it is a loader that judges by the policy.
    case judging
    /// Programs whose instructions are in ``GateRows/digests``, and no others.
    case listed
    /// Programs like these, by the policy's rule in that line.
    case programs(ProgramScope, line: Int)
  }

  /// Instructions that executables with the right ``Right/listed`` may load.
  public struct DigestRow: Equatable, Sendable {
    public let instructions: SubmittedInstructions
    public let type: String
    /// Nil for programs whose type has none.
    public let attachType: String?
    /// The kernel's function, tracepoint or hook that the program is verified for; nil where the type needs none. Its
    /// number is the running kernel's to say.
    public let attachTarget: ProgramKind.AttachTarget?
    /// SHA-256 of the types that are submitted with them; nil for an object without.
    public let types: Digest?
    /// What CO-RE makes of them on the kernel that the plan is for; nil where that is not known.
    public let afterCore: AfterCore?
    /// The programs that have these instructions; one at least.
    public var sources: [Source]

    public init(
      instructions: SubmittedInstructions, type: String, attachType: String?, attachTarget: ProgramKind.AttachTarget?,
      types: Digest? = nil, afterCore: AfterCore? = nil, sources: [Source]
    ) {
      self.instructions = instructions
      self.type = type
      self.attachType = attachType
      self.attachTarget = attachTarget
      self.types = types
      self.afterCore = afterCore
      self.sources = sources
    }
  }

  /// A program's instructions after a kernel has applied their CO-RE records, as that kernel hashes them.
  public enum AfterCore: Hashable, Sendable {
    /// SHA-256, since Linux 6.18.
    case digest(Digest)
    /// Eight bytes of SHA-1, before.
    case tag([UInt8])
  }

  /// Where a program comes from, and the line of the policy that allows it.
  public struct Source: Equatable, Sendable {
    public let image: String
    public let object: String
    public let program: String
    /// Nil where the policy's default allows it.
    public let line: Int?

    public init(image: String, object: String, program: String, line: Int?) {
      self.image = image
      self.object = object
      self.program = program
      self.line = line
    }
  }

  /// Programs that every process may load, by the policy's rule in that line.
  public struct ClassRow: Equatable, Sendable {
    public let scope: ProgramScope
    public let line: Int

    public init(_ scope: ProgramScope, line: Int) {
      self.scope = scope
      self.line = line
    }
  }

  /// A volume of which kernel modules may be inserted where the gate closes them, by the policy's rule in that line.
  public struct ModuleRow: Equatable, Sendable {
    public let rootHash: Digest
    public let line: Int

    public init(rootHash: Digest, line: Int) {
      self.rootHash = rootHash
      self.line = line
    }
  }

  /// Whether a row admits a load. This is what the kernel's part has to decide, and what tests hold it against.
  public func admits(_ load: GateLoad) -> Bool {
    if classes.contains(where: { $0.scope.admits(load) }) { return true }
    guard let executable = load.executable else { return false }
    return executables.contains { row in
      guard row.executable.identity == executable else { return false }
      switch row.right {
      case .judging: return true
      case .listed: return lists(load)
      case .programs(let scope, _): return scope.admits(load)
      }
    }
  }

  private func lists(_ load: GateLoad) -> Bool {
    guard let instructions = load.instructions else { return false }
    return digests.contains {
      $0.instructions == instructions && $0.type == load.type && $0.attachType == load.attachType
        && $0.attachTarget?.name == load.attachTarget
    }
  }
}
