public import JSONText
internal import LinuxSys

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
    return Result(
      status: status, output: String(decoding: output, as: UTF8.self), errors: String(decoding: errors, as: UTF8.self))
  }
}
