internal import Base
internal import Linux

/// Other people's programs, run to their end.
public enum Tools {
  /// A program ended otherwise than expected.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// Runs a program that must succeed, and returns what it printed.
  @discardableResult
  public static func run(_ arguments: String...) throws -> String { try run(arguments) }

  /// Runs a program that must succeed, and returns what it printed.
  @discardableResult
  public static func run(_ arguments: [String]) throws -> String {
    let result = try Subprocess.run(arguments, limit: 64 << 20)
    guard result.status == 0 else {
      throw Failure(description: "\(arguments.joined(separator: " ")): exit \(result.status)\n\(result.text)")
    }
    return result.text
  }

  /// Changes one byte of a file.
  public static func patch(_ path: String, at offset: UInt64, with byte: UInt8) throws {
    let file = try OwnedFD.open(path, .writeOnly)
    let bytes = [byte]
    try file.writeAll(bytes.rawSpan, at: offset)
  }

  /// The repository's root.
  public static let repository: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/")
  }()

  /// Whether the tests run as root.
  public static var isRoot: Bool { ProcessIdentity.current().uid == 0 }

  /// Builds the demo's BPF objects into a directory.
  public static func buildDemo(into directory: String) throws {
    try run("make", "-s", "-C", "\(repository)/images/demo", "OUT=\(directory)")
  }
}
