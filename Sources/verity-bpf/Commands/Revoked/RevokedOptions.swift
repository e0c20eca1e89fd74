import Admission
import Base
import KernelABI
import Linux
import Policy
import Trust
import Workbench

/// What the verbs about lists of what was revoked share.
struct RevokedOptions {
  static let anchors: Key<String?> = .optional(
    "--trust-anchors", takes: .directory,
    "The directory of trust anchors, with the set `revocation` and the lists. (default: as `config show` says, or "
      + "\(Trust.standardDirectory))")

  private let given: String?

  init(_ words: Words) throws(UsageError) { given = try words[Self.anchors] }

  func lists() throws(SettingsError) -> RevocationLists {
    if let given { return RevocationLists(given) }
    return RevocationLists(try Site.settings().directory(.trustAnchors) ?? Trust.standardDirectory)
  }
}

extension RevocationList {
  /// What answers say of a list.
  var jsonMembers: [JSONValue.Member] {
    [
      .init("name", .string(identity.name)), .init("version", .string(identity.version.description)),
      .init("valid_until", .optional(lastDay)), .init("entries", .integer(Int64(count))),
    ]
  }

  /// The same for people.
  var line: String {
    "\(identity.name) \(identity.version)  \(count) \(count == 1 ? "entry" : "entries")"
      + (lastDay.map { ", to be relied on up to \($0)" } ?? "")
  }
}

/// A name that a list can have.
struct ListName: ArgumentValue {
  let text: String
  static var expectation: String { "at most 64 letters, digits, dots, `-` and `_`, with a letter or digit first" }
  static var kind: ValueKind { .word("NAME") }
  init?(argument: String) {
    guard RevocationList.isName(argument) else { return nil }
    text = argument
  }
  var argument: String { text }
}

/// A day of the calendar.
struct Day: ArgumentValue {
  let text: String
  static var expectation: String { "a day as YYYY-MM-DD" }
  static var kind: ValueKind { .word("DAY") }
  init?(argument: String) {
    guard RevocationList.isDay(argument) else { return nil }
    text = argument
  }
  var argument: String { text }
}

extension TrustError {
  /// The errno that records have for a list that was refused.
  var errno: Errno {
    switch self {
    case .list(_, let problem):
      switch problem {
      case .head, .name, .versions: .ebadmsg
      case .signature: .enokey
      case .revoked: .ekeyrevoked
      case .stale: .estale
      case .missing: .enoent
      case .expired: .ekeyexpired
      }
    case .revocations: .ebadmsg
    case .system, .unknownEntry, .certificate, .notAFile, .tooLarge, .certificateCount, .keyAmongCertificates,
      .unreadable, .notConsidered:
      .eio
    }
  }
}
