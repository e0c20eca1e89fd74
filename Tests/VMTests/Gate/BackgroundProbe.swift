import CVMSupport
import Linux

/// A program that runs beside the case.
final class BackgroundProbe {
  private let process: Int32
  private let output: String

  init(_ probe: Probe, _ word: String, _ other: String) throws {
    output = "\(try Machine.temporaryDirectory())/output"
    process = vm_start(probe.path, word, other, output)
    try expect(process > 0, "no process")
  }

  /// What it says, when it has come to its end.
  func finish() throws -> Probe.Answer {
    let status = vm_wait(process)
    return Probe.answer(status: Int(status), text: try Machine.text(output))
  }
}
