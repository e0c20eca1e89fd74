public import Base

/// Something in a message between a loader and its linking helper that the protocol does not have.
///
/// One is enough: a helper that breaks the protocol is taken for one that is not ours any more, and nothing that it has
/// said of the object counts.
public struct LinkViolation: Error, Equatable, Sendable, Diagnosable, CustomStringConvertible {
  /// What was broken.
  public enum Rule: String, Sendable, CaseIterable {
    // The framing.
    case magic
    case version
    case sequence
    case tooLarge
    case truncated
    case unknownWord
    case reservedBits
    // Edits.
    case order
    case outside
    case form
    case relocation
    case target
    case missing
    // What is said of maps and programs.
    case map
    case program
    // The process.
    case silence
    case ended
    case surplus
  }

  public let rule: Rule
  /// What was wrong with what, in words.
  public let message: String
  public let expected: String?
  public let found: String?

  public init(_ rule: Rule, _ message: String, expected: String? = nil, found: String? = nil) {
    self.rule = rule
    self.message = message
    self.expected = expected
    self.found = found
  }

  /// The code of all violations.
  public static let code = "helper.protocol"

  public var diagnostic: Diagnostic {
    Diagnostic(
      Self.code, .incomplete, "the linking helper broke its protocol: \(message)", expected: expected, found: found,
      why: "the object may have taken the helper over, so nothing that it says of the object counts",
      next:
        "do not load the object before it is clear how it did that; `verity-bpf inspect OBJECT` on a machine that you "
        + "can spare reads it without a kernel"
    ).suspicious()
  }

  public var description: String {
    var text = "\(Self.code) (\(rule.rawValue)): \(message)"
    if let expected { text += "; expected \(expected)" }
    if let found { text += "; found \(found)" }
    return text
  }
}
