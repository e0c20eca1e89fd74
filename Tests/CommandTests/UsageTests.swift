import TestSupport
import Testing

@testable import verity_bpf

/// What is a mistake on the command line is told as one, whatever else stands there.
@Suite struct UsageTests {
  /// An option of a name that is a question in the place of a command, with its value, must not make a success of a
  /// mistake behind one.
  @Test func noMistakePassesForAQuestion() throws {
    let paths = CommandFixture.paths(groups: true)
    #expect(paths.count > 25)
    for path in paths where path.words.count > 1 {
      for arguments in [
        ["--version", "1.0"], ["--version=1.0"], ["--version"], ["--no-such-option", "--version", "1"],
      ] {
        let result = try VerityBPFCommand.run(path.words.dropFirst() + arguments)
        #expect(result.status == 64, "\(path.text) \(arguments): \(result.status) \(result.output)")
        #expect(result.output.isEmpty && !result.errors.isEmpty, "\(path.text) \(arguments)")
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
