import TestSupport
import Testing

/// docs/policy-tutorial.md, typed as it is printed: what the commands say is what the page says.
@Suite struct TutorialTests {
  /// A command of the page, and what the page says that it prints.
  private struct Step {
    var command: String
    var output: [String] = []
  }

  @Test func whatThePageSaysHappens() throws {
    let directory = try TemporaryDirectory()
    let commands = try TemporaryDirectory()
    try Tools.run("ln", "-s", VerityBPFCommand.path, commands.file("verity-bpf"))
    let steps = try Self.steps()
    #expect(steps.count > 20)
    for step in steps {
      let script =
        "cd '\(directory.path)' && PATH='\(commands.path)':\"$PATH\" && export PATH && {\n\(step.command)\n} "
        + "> '\(commands.file("out"))' 2>&1"
      _ = try Subprocess.run(["sh", "-c", script])
      let printed = String(decoding: try commands.read("out"), as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }.dropLast()
      let isSame =
        printed.count == step.output.count && zip(printed, step.output).allSatisfy { Self.matches($0, $1) }
      #expect(isSame, "\(step.command)\n\(printed.joined(separator: "\n"))")
    }
  }

  /// Whether a line is as the page says; `…` on the page stands for anything.
  private static func matches(_ line: String, _ wanted: String) -> Bool {
    let parts = wanted.split(separator: "…", omittingEmptySubsequences: false).map { String($0) }
    guard parts.count > 1, let first = parts.first, let last = parts.last else { return line == wanted }
    guard line.hasPrefix(first) else { return false }
    var rest = line.dropFirst(first.count)
    for part in parts.dropFirst().dropLast() {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(last)
  }

  /// The commands of the page's consoles, each with the lines below it.
  private static func steps() throws -> [Step] {
    let page = String(
      decoding: try TemporaryDirectory().read("\(Tools.repository)/docs/policy-tutorial.md"), as: UTF8.self)
    var steps: [Step] = []
    var (isInside, isInput) = (false, false)
    for line in page.split(separator: "\n", omittingEmptySubsequences: false).map({ String($0) }) {
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, isInput {
        steps[steps.count - 1].command += "\n" + line
        isInput = line != "end"
      } else if isInside, line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2))))
        isInput = line.hasSuffix("<< 'end'")
      } else if isInside, !steps.isEmpty {
        steps[steps.count - 1].output.append(line)
      }
    }
    return steps
  }
}
