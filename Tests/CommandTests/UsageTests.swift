import JSONText
import TestSupport
import Testing

/// What is a mistake on the command line is told as one, whatever else stands there.
@Suite struct UsageTests {
  /// Every command's words below `verity-bpf`, and the names of its own options, as the parser knows them.
  private static func commands() throws -> [(words: [String], options: [String])] {
    let dump = try VerityBPFCommand.run(["--experimental-dump-help"])
    guard let root = try dump.json()["command"] else { return [] }
    var found: [(words: [String], options: [String])] = []
    func visit(_ command: JSONValue, _ words: [String]) {
      var options: [String] = []
      if case .array(let arguments)? = command["arguments"] {
        for argument in arguments {
          guard case .array(let names)? = argument["names"] else { continue }
          for name in names { if case .string(let text)? = name["name"] { options.append(text) } }
        }
      }
      found.append((words, options))
      guard case .array(let children)? = command["subcommands"] else { return }
      for child in children {
        if case .string(let name)? = child["commandName"], name != "help" { visit(child, words + [name]) }
      }
    }
    visit(root, [])
    return found
  }

  /// The parser looks for its own `--version` and `--help` behind every subcommand when something else is wrong there. An
  /// option of such a name, with its value, then made a success of a mistake.
  @Test func noMistakePassesForAQuestion() throws {
    let commands = try Self.commands()
    #expect(commands.count > 25)
    #expect(commands.contains { $0.words == ["build-image"] && $0.options.contains("version") })
    for command in commands where !command.words.isEmpty {
      // Help is the parser's own everywhere, so no command may mean something else by it.
      #expect(command.options.filter { $0 == "help" }.count <= 1, "\(command.words)")
      for arguments in [
        ["--version", "1.0"], ["--version=1.0"], ["--version"], ["--no-such-option", "--version", "1"],
      ] {
        let result = try VerityBPFCommand.run(command.words + arguments)
        #expect(result.status == 64, "\(command.words) \(arguments): \(result.status) \(result.output)")
        #expect(result.output.isEmpty && !result.errors.isEmpty, "\(command.words) \(arguments)")
      }
    }
  }

  @Test(arguments: [
    (["--name", "d", "--version", "1.0"], "--output"),
    (["-o", "x.raw", "--version", "1.0", "--certificate", "c.pem"], "--private-key"),
    (["-o", "x.raw", "--version", "1.0", "--salt", "xyz"], "--salt"),
  ])
  func namesWhatIsWrongInABuild(arguments: [String], named: String) throws {
    let directory = try BuildImageTests.sources()
    let result = try VerityBPFCommand.run(["build-image", "progs"] + arguments, in: directory.path)
    #expect(result.status == 64 && result.output.isEmpty, "\(result.output)")
    #expect(result.errors.contains(named), "\(result.errors)")
  }

  @Test func theVersionIsStillToBeHad() throws {
    let result = try VerityBPFCommand.run(["--version"])
    #expect(result.status == 0 && result.errors.isEmpty)
    #expect(result.output.contains(#/^[0-9]+\.[0-9]+\.[0-9]+\n$/#))
    #expect(try VerityBPFCommand.run(["--help"]).output.contains("--version"))
  }
}
