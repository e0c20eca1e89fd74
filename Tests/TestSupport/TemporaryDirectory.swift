internal import Linux

/// A directory that goes away with the test that made it.
public final class TemporaryDirectory: Sendable {
  public let path: String

  public init() throws {
    path = try Directory.createTemporary(prefix: "verity-bpf-test")
  }

  deinit { Cleanup.remove(path) }

  /// The path of a name inside.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file and returns its path.
  @discardableResult
  public func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let path = file(name)
    let descriptor = try OwnedFD.open(path, [.writeOnly, .create, .truncate])
    try bytes.withUnsafeBytes { try descriptor.writeAll(RawSpan(_unsafeBytes: $0)) }
    return path
  }

  /// Writes a text file and returns its path.
  @discardableResult
  public func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

  /// The whole contents of a file inside, or of any absolute path.
  public func read(_ name: String) throws -> [UInt8] {
    let descriptor = try OwnedFD.open(name.hasPrefix("/") ? name : file(name), .readOnly)
    return try descriptor.readToEnd(limit: 1 << 30) ?? []
  }
}
