internal import Base
internal import KernelABI
internal import Linux

/// The files that an audit log consists of: the one that is written to, and those that rotation has made of earlier ones
/// (logrotate(8)): `audit.jsonl.1`, `audit.jsonl.2.gz`, with `dateext` `audit.jsonl-20260101.zst`.
public struct AuditLogFiles: Equatable, Sendable {
  public let directory: String
  /// The name of the file that is written to.
  private let name: String
  /// The file that is written to, where there is one now.
  let current: String?
  /// What rotation has made: each chain newest first. Which of two chains is the newer one, names do not say.
  let chains: [[String]]
  /// Which file each name was, so that a rotation in between is noticed.
  private let inodes: [String: UInt64]

  /// How a name has its place in time.
  private enum Order {
    case number(UInt64)
    case date(String)
    case none
  }

  /// Takes the names of a directory.
  init(directory: String, name: String = AuditLogFiles.name, inodes: [String: UInt64]) {
    self.directory = directory
    self.name = name
    self.inodes = inodes
    var numbered: [UInt64: String] = [:]
    var dated: [String: String] = [:]
    var others: [String] = []
    // Shorter names first: while a file is being compressed both are there, and the plain one is whole.
    for name in inodes.keys.sorted(by: { ($0.utf8.count, $0) < ($1.utf8.count, $1) }) where name != self.name {
      switch Self.order(of: name, self.name) {
      case .number(let number): if numbered[number] == nil { numbered[number] = name }
      case .date(let date): if dated[date] == nil { dated[date] = name }
      case .none: others.append(name)
      }
    }
    current = inodes[name] == nil ? nil : name
    chains =
      [
        numbered.sorted { $0.key < $1.key }.map(\.value), dated.sorted { $0.key > $1.key }.map(\.value),
      ].filter { !$0.isEmpty } + others.map { [$0] }
  }

  /// The file that records are appended to.
  static let name = "audit.jsonl"

  private static func order(of name: String, _ current: String) -> Order {
    let rest = name.dropFirst(current.count)
    let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
    let end = rest.dropFirst(1 + digits.count)
    if rest.first == "." { return isEnding(end) ? UInt64(digits).map { .number($0) } ?? .none : .none }
    let date = rest.dropFirst().prefix { $0.isASCII && $0.isNumber || $0 == "-" }
    guard rest.first == "-", digits.count >= 8, isEnding(rest.dropFirst(1 + date.count)) else { return .none }
    return .date(String(date))
  }

  /// Whether that is nothing, or the name of a compression. Which one it is, the bytes say.
  private static func isEnding(_ text: Substring) -> Bool {
    text.isEmpty
      || text.first == "." && text.count > 1 && text.dropFirst().allSatisfy { $0.isASCII && $0.isLetter || $0.isNumber }
  }

  /// What of a log is in a directory.
  ///
  /// - Throws: ``AuditReadError``; ``AuditReadError/missing(directory:)`` when there is no file of it.
  public static func list(_ directory: String) throws(AuditReadError) -> AuditLogFiles {
    try list(directory, name: name)
  }

  /// The same, and where there is no such log, what of auditd's is there: `audit.log`, `audit.log.1`. (In a directory
  /// of this program's, `audit.log` says in another form what `audit.jsonl` says.)
  public static func listOfAnyone(_ directory: String) throws(AuditReadError) -> AuditLogFiles {
    do throws(AuditReadError) {
      return try list(directory, name: name)
    } catch {
      guard case .missing = error else { throw error }
      return try list(directory, name: AuditLog.textName)
    }
  }

  private static func list(_ directory: String, name current: String) throws(AuditReadError) -> AuditLogFiles {
    do throws(SystemError) {
      var inodes: [String: UInt64] = [:]
      for name in try Directory.names(directory) where name.hasPrefix(current) {
        do throws(SystemError) {
          inodes[name] = try FileStatus.of(path: "\(directory)/\(name)", followLinks: false).inode
        } catch  where error.code == .enoent {
          continue
        }
      }
      guard !inodes.isEmpty else { throw SystemError("find the log", path: directory, .enoent) }
      return AuditLogFiles(directory: directory, name: current, inodes: inodes)
    } catch {
      throw error.code == .enoent ? .missing(directory: directory) : .unreadable(path: directory, error)
    }
  }

  /// All files, oldest first as far as names say.
  public var oldestFirst: [String] {
    (chains.reversed().flatMap { $0.reversed() } + [current].compactMap { $0 }).map { "\(directory)/\($0)" }
  }

  func path(of name: String) -> String { "\(directory)/\(name)" }
}
