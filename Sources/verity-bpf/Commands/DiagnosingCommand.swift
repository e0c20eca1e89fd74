import ArgumentParser

/// A subcommand whose failures are printed here and whose exit code comes from the one table in ``Diagnostic/Category``.
protocol DiagnosingCommand: ParsableCommand {
  /// Whether the user asked for JSON; a failure is then also one JSON object on standard output.
  var wantsJSON: Bool { get }

  /// The `schema` of this command's JSON, `verity-bpf/NAME/1`.
  static var schema: String { get }

  /// Whether something has to be removed when the command is told to stop: files half-written, pins, mounts.
  static var makesThings: Bool { get }

  /// The work. Returns the exit code of a run that came to a result (0 unless the result itself is a refusal).
  func execute() throws -> Int32
}

extension DiagnosingCommand {
  static var makesThings: Bool { true }

  func run() throws {
    let status = try Diagnosing.status(
      schema: Self.schema, makesThings: Self.makesThings, wantsJSON: wantsJSON, execute)
    if status != 0 { throw ExitCode(status) }
  }
}
