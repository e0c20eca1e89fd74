public import BPFAnalysis

/// Which programs a row admits by what the kernel knows of them before they are verified: their type, and which helpers
/// their instructions call. Words are those of policies.
public struct ProgramScope: Equatable, Sendable {
  /// Types with their expected attach types, in the order of the kernel's numbers; nil for every type.
  public var types: [TypeScope]?
  /// The helpers that they may call, in the order of their numbers; nil for every call. A program that calls one of the
  /// kernel's own functions is admitted only where this is nil: the list has no word for it.
  public var helpers: [String]?

  /// Every program.
  public static let all = ProgramScope(types: nil, helpers: nil)

  public init(types: [TypeScope]?, helpers: [String]?) {
    self.types = types
    self.helpers = helpers
  }

  /// Programs of one type.
  public struct TypeScope: Equatable, Sendable {
    public let type: String
    /// The expected attach types, and nil in the list for programs that have none; nil instead of a list for all.
    public let attachTypes: [String?]?

    public init(type: String, attachTypes: [String?]?) {
      self.type = type
      self.attachTypes = attachTypes
    }

    func admits(_ attachType: String?) -> Bool { attachTypes?.contains(attachType) ?? true }
  }

  /// Whether a program is among them.
  public func admits(_ load: GateLoad) -> Bool {
    if let types, !types.contains(where: { $0.type == load.type && $0.admits(load.attachType) }) { return false }
    guard let helpers else { return true }
    return !load.callsKernelFunctions && load.helpers.allSatisfy { helpers.contains($0) }
  }
}

/// A load as the kernel's hook sees it, reduced to what rows are about.
public struct GateLoad: Equatable, Sendable {
  /// Nil for a process whose executable lies on no volume that the gate has seen opened, or on one in doubt.
  public var executable: ExecutableIdentity?
  public var type: String
  /// Nil for programs whose type has none.
  public var attachType: String?
  /// What it is verified for, by its name in the kernel's types; nil where the type needs nothing.
  public var attachTarget: String?
  /// Every helper that the instructions call, reached or not.
  public var helpers: [String]
  public var callsKernelFunctions: Bool
  public var instructions: SubmittedInstructions?

  public init(
    executable: ExecutableIdentity?, type: String, attachType: String?, attachTarget: String? = nil,
    helpers: [String] = [],
    callsKernelFunctions: Bool = false, instructions: SubmittedInstructions? = nil
  ) {
    self.executable = executable
    self.type = type
    self.attachType = attachType
    self.attachTarget = attachTarget
    self.helpers = helpers
    self.callsKernelFunctions = callsKernelFunctions
    self.instructions = instructions
  }
}
