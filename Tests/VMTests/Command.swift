import Base
import CVMSupport
import Linux
import Policy
import PolicyTestSupport
import TestSupport

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
    try requireNoGain(arguments)
    return Result(status: result.status, text: result.text)
  }

  /// How many decisions were tried with less evidence.
  nonisolated(unsafe) private(set) static var triedDecisions = 0  // The cases run one after another.

  /// Decides again what a load has decided, with each piece of evidence taken away: no denial may become an allowance.
  private static func requireNoGain(_ arguments: [String]) throws {
    func value(of option: String) -> String? {
      arguments.firstIndex(of: option).flatMap { arguments.indices.contains($0 + 1) ? arguments[$0 + 1] : nil }
    }
    guard arguments.first == "load", let policy = value(of: "--policy"), let directory = value(of: "--audit-dir"),
      let text = try? Machine.read(policy), let log = try? Machine.read("\(directory)/audit.jsonl"),
      let compiled = try? CompiledPolicy(PolicyDocument.parse(text, dialect: .verityBPF))
    else { return }
    for line in log.split(separator: 0x0a) {
      guard let record = try? JSONValue.parse(Array(line)), record["stage"] == "decision", let facts = record["facts"]
      else { continue }
      for facts in try Facts.read(Array(facts.compact.utf8)) {
        triedDecisions += 1
        let pieces = DeletedFacts.thatAllow(facts, compiled)
        try expect(pieces.isEmpty, "allowed without \(pieces.joined(separator: ", ")): \(facts.json.compact)")
      }
    }
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
