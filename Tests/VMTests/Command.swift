import CVMSupport
import Linux

/// The binary that users get, run as they run it.
enum Command {
  struct Result {
    let status: Int
    let text: String
  }

  /// Runs `verity-bpf`; a file becomes descriptor 3, as `3< FILE` does in a shell.
  static func run(_ arguments: String..., object: String? = nil) throws -> Result {
    try run(arguments, object: object)
  }

  /// The same with an array of arguments.
  static func run(_ arguments: [String], object: String? = nil) throws -> Result {
    let result: Subprocess.Result
    if let object {
      result = try Subprocess.run(
        ["/bin/sh", "-c", "exec \"$@\" 3<'\(object)'", "sh", "/usr/bin/verity-bpf"] + arguments)
    } else {
      result = try Subprocess.run(["/usr/bin/verity-bpf"] + arguments)
    }
    return Result(status: result.status, text: result.text)
  }

  /// Lets the programs that `body` starts have an open file under a number, without a shell.
  static func handingOver(
    _ file: borrowing OwnedFD, as number: Int32, _ body: () throws -> Subprocess.Result
  ) throws -> Result {
    file.withRaw { _ = vm_duplicate($0, number) }
    let copy = OwnedFD(adopting: number)
    let result = try body()
    try copy.close()
    return Result(status: result.status, text: result.text)
  }

  /// Fails the case unless the run ends with that status.
  static func expectStatus(_ status: Int, _ result: Result, line: Int = #line) throws {
    try expect(result.status == status, "exit \(result.status), not \(status): \(result.text)", line: line)
  }
}
