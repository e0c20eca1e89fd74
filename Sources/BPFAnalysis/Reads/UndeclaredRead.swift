internal import BPFObject

/// What a program reads of the kernel's memory at most; see docs/analysis.md.
public enum ReadScope: String, Sendable, CaseIterable {
  /// Nothing.
  case none
  /// Fields that its author has declared, each by name, and nothing else.
  case declared
  /// Nobody said what.
  case undeclared
}

/// A place where a program reads kernel memory, or may, and its author has not declared what.
public struct UndeclaredRead: Equatable, Sendable {
  /// Why the place is one.
  enum Cause: Equatable, Sendable {
    /// It reads what a CO-RE record names.
    case reads(String)
    /// A helper copies from an address that no record names.
    case copies(HelperUse)
    /// A load goes through a pointer, and no record names what it reads.
    case loads
    /// A helper that may read more than its arguments point to.
    case calls(HelperUse)
    /// A helper would copy what a pointer into the kernel points to.
    case hands(HelperUse)
    /// A function of the kernel is called.
    case callsKernelFunction
    /// What the analyses do not follow may read anything.
    case unfollowed(UnfollowedConstruct)
  }

  /// Index of the instruction in the linked program; 0 for what lies beside the instructions.
  public let instruction: Int
  let cause: Cause

  /// What is read, by its CO-RE record: where something is declared, a field that is shown to be read and not among that.
  public var subject: String? {
    if case .reads(let subject) = cause { subject } else { nil }
  }

  /// Whether a helper copies what a pointer into the kernel points to.
  var isHandedToHelper: Bool {
    switch cause {
    case .hands: true
    case .reads, .copies, .loads, .calls, .callsKernelFunction, .unfollowed: false
    }
  }

  /// In words, for people.
  public var reason: String {
    switch cause {
    case .reads(let subject): "reads \(subject)"
    case .copies(let helper): "has \(helper.label) copy what no record names"
    case .loads: "loads what no record names"
    case .calls(let helper): "calls \(helper.label), which may read"
    case .hands(let helper): "hands \(helper.label) a pointer into the kernel"
    case .callsKernelFunction: "calls a function of the kernel"
    case .unfollowed(let construct): "goes with \(construct.description), which the analysis does not follow"
    }
  }
}
