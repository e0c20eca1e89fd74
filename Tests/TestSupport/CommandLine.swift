public import Base
internal import Linux

/// The built `verity-bpf`, run as a user runs it.
public enum VerityBPFCommand {
  /// How a run ended, its two streams apart.
  public struct Result: Sendable {
    public let status: Int
    public let output: String
    public let errors: String

    /// The one JSON object on standard output.
    public func json() throws -> JSONValue {
      try JSONValue.parse(Array(output.utf8))
    }
  }

  /// The binary that `swift test` built beside the test program.
  public static let path: String = {
    let directory = (try? Tools.run("readlink", "/proc/\(ProcessIdentity.current().pid)/exe")) ?? ""
    return directory.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
      + "/verity-bpf"
  }()

  /// Runs a subcommand.
  ///
  /// - Parameters:
  ///   - object: a file that becomes descriptor 3, as `3< FILE` does in a shell.
  ///   - wrapper: a command that runs ours: `setpriv …`, `strace …`.
  public static func run(
    _ arguments: [String], object: String? = nil, in directory: String? = nil, wrapper: [String] = []
  ) throws -> Result {
    let scratch = try TemporaryDirectory()
    var script = "exec \"$@\" >'\(scratch.path)/out' 2>'\(scratch.path)/err'"
    if let object { script += " 3<'\(object)'" }
    if let directory { script = "cd '\(directory)' && " + script }
    let status = try Subprocess.run(["sh", "-c", script, "sh"] + wrapper + [path] + arguments).status
    let output = try scratch.read("out")
    let errors = try scratch.read("err")
    if arguments.contains("--json") { try checkSchema(of: output) }
    return Result(
      status: status, output: String(decoding: output, as: UTF8.self), errors: String(decoding: errors, as: UTF8.self))
  }

  /// JSON that is not what its schema under docs/schemas says.
  private struct Misdescribed: Error {
    let faults: [String]
  }

  /// Holds every object that was printed against the schema that it names.
  private static func checkSchema(of output: [UInt8]) throws {
    let whole = try? JSONValue.parse(output)
    let lines = output.split(separator: UInt8(ascii: "\n"))
    for value in try whole.map({ [$0] }) ?? lines.map({ try JSONValue.parse(Array($0)) }) {
      guard case .string(let name)? = value["schema"], name.hasPrefix("verity-bpf/"), name.hasSuffix("/1") else {
        throw Misdescribed(faults: ["no `schema` in \(value.compact)"])
      }
      let file = "\(Tools.repository)/docs/schemas/\(name.dropFirst(11).dropLast(2)).schema.json"
      let schema = JSONSchema(try JSONValue.parse(try TemporaryDirectory().read(file)))
      let faults = schema.faults(in: value)
      guard faults.isEmpty else { throw Misdescribed(faults: faults) }
    }
  }
}
