/// One refusal or failure, said completely: which object, which check, what was expected, what was found, what to do next.
///
/// Modules throw their own typed errors; each of those turns into a `Diagnostic` through ``Diagnosable``, and the
/// command line prints it for people or as JSON and takes its exit code from ``category``.
public struct Diagnostic: Equatable, Sendable {
  /// A stable machine-readable code: subject, dot, what went wrong (`verity.data-mismatch`). Scripts match on it.
  public var code: String
  /// What kind of failure this is, which decides the exit code.
  public var category: Category
  /// One sentence naming the object and the check: lower-case, no full stop, user input in backticks.
  public var message: String
  /// What the check wanted to see.
  public var expected: String?
  /// What it saw instead.
  public var found: String?
  /// Why this matters, where it is not obvious.
  public var why: String?
  /// What the user can do now; a command where there is one.
  public var next: String?
  /// Longer text that belongs to the failure, line by line: the end of a verifier log, a program's own message.
  public var details: [String]
  /// Of a failure of integrity: whether it does not come about by itself, as a byte where nothing writes one. It is no accident
  /// of a disk or of a copy, and what it was found in is not to be trusted.
  public var isSuspicious = false

  public init(
    _ code: String, _ category: Category, _ message: String, expected: String? = nil, found: String? = nil,
    why: String? = nil, next: String? = nil, details: [String] = []
  ) {
    self.code = code
    self.category = category
    self.message = message
    self.expected = expected
    self.found = found
    self.why = why
    self.next = next
    self.details = details
  }

  /// The same, found in something that does not come about by itself.
  public func suspicious() -> Diagnostic {
    var other = self
    other.isSuspicious = true
    return other
  }

  /// The classes of failure; the raw value is the process's exit code.
  public enum Category: Int32, Sendable, CaseIterable {
    /// The work could not be completed: a file is missing, a disk is full.
    case incomplete = 1
    /// The policy says DENY.
    case denied = 2
    /// A policy, a manifest or what is among the trust anchors is not valid.
    case invalid = 3
    /// Bytes or their origin could not be proven.
    case integrity = 4
    /// The kernel refused: verifier, lockdown, permission.
    case kernelRefused = 5
    /// This kernel cannot do it, or this build does not support it. Nothing is wrong with what was given.
    case unsupported = 6
    /// The work is done, and standard output could not be told.
    case untold = 7
    /// The command line is wrong, or names files that do not go together (sysexits.h EX_USAGE).
    case usage = 64
  }
}

/// An error that can explain itself completely.
public protocol Diagnosable: Error {
  var diagnostic: Diagnostic { get }
}
