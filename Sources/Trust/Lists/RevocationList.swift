public import Base
internal import Linux
public import Policy

/// A list of what was revoked, as it is signed: a head, and behind it the lines of the file `revoked`.
///
///     list_name=fleet list_version=1.4.0 valid_until=2027-01-31
///     object sha256:HEX
///     root-hash sha256:HEX
///     signer sha256:HEX
///
/// `valid_until` may be left out. With it, its author says that the list alone is not to be relied on after that day (UTC),
/// because there is to be a newer one by then.
public struct RevocationList: Sendable {
  /// Which list it is, and which of its versions.
  public struct Identity: Hashable, Sendable, CustomStringConvertible {
    public let name: String
    public let version: PolicyVersion

    public init(name: String, version: PolicyVersion) {
      self.name = name
      self.version = version
    }

    public var description: String { "`\(name)` \(version)" }
  }

  public let identity: Identity
  /// The last day on which it is to be relied on, `YYYY-MM-DD`; nil when it says none.
  public let lastDay: String?
  /// The first second after that day, since 1970-01-01T00:00:00Z.
  let end: Int64?
  /// How many lines revoke something.
  public var count: Int { revocations.count }
  let revocations: Revocations

  /// Bytes that a list may have, signed or not. One of 100,000 entries has eight million.
  public static let sizeLimit = 1 << 24

  /// Reads a list. Whatever is not understood could be what matters, so it is an error.
  ///
  /// - Parameter path: where it is from, for messages and for what it revokes.
  public init(_ text: [UInt8], path: String) throws(TrustError) {
    let headEnd = text.firstIndex(of: UInt8(ascii: "\n")) ?? text.count
    let words = text[..<headEnd].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
    func value(_ index: Int, _ name: String) -> String? {
      guard index < words.count, words[index].hasPrefix("\(name)=") else { return nil }
      return String(words[index].dropFirst(name.utf8.count + 1))
    }
    guard let name = value(0, "list_name"), Self.isName(name), let version = value(1, "list_version"),
      let number = PolicyVersion(version), (2...3).contains(words.count)
    else { throw .list(path: path, .head) }
    let day = value(2, "valid_until")
    guard words.count == 2 || day != nil else { throw .list(path: path, .head) }
    let lastDay = day.flatMap { Self.days(to: $0) }
    guard day == nil || lastDay != nil else { throw .list(path: path, .head) }
    identity = Identity(name: name, version: number)
    self.lastDay = day
    end = lastDay.map { ($0 + 1) * 86_400 }
    revocations = try Revocations(text: text, path: path, list: identity, from: min(headEnd + 1, text.count))
  }

  /// Writes a list.
  ///
  /// - Parameters:
  ///   - lines: of an earlier list, without its head; they are kept as they are.
  ///   - added: what it revokes besides.
  public static func text(
    _ identity: Identity, lastDay: String?, lines: [UInt8] = [], added: [(kind: Revocation.Kind, digest: Digest)]
  ) -> [UInt8] {
    var text = Array("list_name=\(identity.name) list_version=\(identity.version)".utf8)
    if let lastDay { text += " valid_until=\(lastDay)".utf8 }
    text.append(UInt8(ascii: "\n"))
    text += lines
    if let last = text.last, last != UInt8(ascii: "\n") { text.append(UInt8(ascii: "\n")) }
    for entry in added { text += "\(entry.kind.rawValue) \(entry.digest)\n".utf8 }
    return text
  }

  /// The lines of a list behind its head.
  public static func lines(of text: [UInt8]) -> [UInt8] {
    guard let headEnd = text.firstIndex(of: UInt8(ascii: "\n")) else { return [] }
    return Array(text[(headEnd + 1)...])
  }

  /// A name is one of a file, too: letters, digits, `-`, `_` and dots, but for the first character.
  public static func isName(_ text: String) -> Bool {
    let others: [UInt8] = [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")]
    return (1...64).contains(text.utf8.count) && text.utf8.first.map { !others.contains($0) } ?? false
      && text.utf8.allSatisfy { byte in
        let scalar = Unicode.Scalar(byte)
        return others.contains(byte)
          || scalar.isASCII && (scalar.properties.isAlphabetic || (0x30...0x39).contains(byte))
      }
  }

  /// Whether a text is a day of the calendar, `YYYY-MM-DD`.
  public static func isDay(_ text: String) -> Bool { days(to: text) != nil }

  /// Days from 1970-01-01 to a day; nil for what is none.
  static func days(to text: String) -> Int64? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map({ $0.utf8.count }) == [4, 2, 2], text.utf8.allSatisfy({ $0 == 0x2d || (0x30...0x39).contains($0) }),
      let year = Int64(parts[0]), let month = Int64(parts[1]), let day = Int64(parts[2]), year >= 1970,
      (1...12).contains(month)
    else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...lengths[Int(month) - 1]).contains(day) else { return nil }
    let before = year - 1
    let leapDays = before / 4 - before / 100 + before / 400 - 477
    return (year - 1970) * 365 + leapDays + lengths.prefix(Int(month) - 1).reduce(0, +) + day - 1
  }
}

/// What is wrong with a list, or with what is known of lists.
public enum ListProblem: Equatable, Sendable {
  /// Its first line is not its head.
  case head
  /// It has no signature that counts. With why, where a signature was looked at.
  case signature(Diagnostic?)
  /// Its signer was revoked.
  case revoked(Revocation)
  /// It is another list than its file's name says.
  case name(String)
  /// It is older than a version that was installed.
  case stale(PolicyVersion, lowest: PolicyVersion)
  /// It was installed, and is not there.
  case missing(PolicyVersion)
  /// It was to be relied on to this day, `YYYY-MM-DD`.
  case expired(String)
  /// What is kept of versions is not what was written.
  case versions(String)
}
