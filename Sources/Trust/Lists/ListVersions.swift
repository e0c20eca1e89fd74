internal import Base
internal import Policy

/// The highest version that each list had, as a file: one line of JSON, and one with the SHA-256 of the first.
///
/// The hash finds what a failing disk or an editor did. It does not stop an attacker who may write the file.
struct ListVersions: Equatable, Sendable {
  /// One version of a list, by the SHA-256 of its signed message.
  struct Entry: Equatable, Sendable {
    let version: PolicyVersion
    let message: Digest
  }

  var highest: [String: Entry] = [:]

  private static let schema = "verity-bpf/revocation-versions/1"

  func encoded() throws(HashingError) -> [UInt8] {
    let lists = highest.sorted { $0.key < $1.key }.map { name, entry -> JSONValue in
      [
        "name": .string(name), "version": .string(entry.version.description),
        "message": .string(entry.message.description),
      ]
    }
    let value: JSONValue = ["schema": .string(Self.schema), "lists": .array(lists)]
    let line = value.compact
    return Array("\(line)\n\(try SHA256.of(Array(line.utf8)))\n".utf8)
  }

  init() {}

  /// - Throws: why the bytes are not what was written.
  init(_ bytes: [UInt8]) throws(StoreState.DecodingFailure) {
    let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    guard lines.count == 3, lines[2].isEmpty else { throw .init("\(lines.count) lines instead of two") }
    guard let hash = try? SHA256.of(Array(lines[0])), hash.description == String(decoding: lines[1], as: UTF8.self)
    else { throw .init("its SHA-256 is another one") }
    guard let value = try? JSONValue.parse(Array(lines[0])), value["schema"] == .string(Self.schema),
      case .array(let lists)? = value["lists"]
    else { throw .init("it was written by another version of this program") }
    for list in lists {
      guard case .string(let name)? = list["name"], case .string(let version)? = list["version"],
        case .string(let message)? = list["message"], let number = PolicyVersion(version), let digest = Digest(message)
      else { throw .init("it was written by another version of this program") }
      highest[name] = Entry(version: number, message: digest)
    }
  }
}

/// SHA-256 of bytes in memory.
enum SHA256 {
  static func of(_ bytes: [UInt8]) throws(HashingError) -> Digest {
    var state = try HashState(.sha256)
    state.update(bytes.rawSpan)
    return try state.finish()
  }
}
