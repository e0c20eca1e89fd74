import TestSupport
import Testing

@testable import verity_bpf

/// What `--help` prints, held against the files of Tests/Fixtures/command-line/help.
@Suite struct HelpTests {
  @Test func isAsReviewed() throws {
    for path in CommandFixture.paths(groups: true) {
      let text = Help.text(of: path) + "\n"
      let name = "help/\(path.words.joined(separator: "-")).txt"
      try CommandFixture.rewrite(name, text)
      #expect(try CommandFixture.read(name) == text, "\(path.text)")
      for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(path.text): \(line)") }
    }
  }

  /// Help and refusals come from the built program as they are made here.
  @Test func isPrinted() throws {
    let help = try VerityBPFCommand.run(["policy", "check", "--help"])
    #expect(help.status == 0 && help.errors.isEmpty)
    #expect(help.output == (try CommandFixture.read("help/verity-bpf-policy-check.txt")))
    #expect(try VerityBPFCommand.run(["help", "policy", "check"]).output == help.output)
    let refusal = try VerityBPFCommand.run(["policy", "generate"])
    #expect(refusal.status == 64 && refusal.output.isEmpty)
    #expect(refusal.errors.contains("Usage: verity-bpf policy generate "), "\(refusal.errors)")
  }

  /// An example can be pasted: as it is printed, it is a command with arguments that are understood.
  @Test func examplesAreUnderstood() throws {
    for path in CommandFixture.paths() {
      guard case .command(let command) = path.verb.meaning else { continue }
      #expect(!command.declaration.examples.isEmpty, "\(path.text) has no example")
      for example in command.declaration.examples {
        #expect(example.hasPrefix(path.text), "\(example)")
        for words in CommandFixture.commands(in: example) {
          #expect(words.first == "verity-bpf")
          let answer = ReplayTests.answer(to: Array(words.dropFirst()))
          #expect(answer.status == 0, "\(example): \(answer.meaning)")
        }
      }
      // The printed form is the same words, with a line's end behind a backslash.
      let printed = Help.text(of: path).split(separator: "\n").drop { $0 != "Examples:" }.dropFirst()
      #expect(
        CommandFixture.commands(in: printed.joined(separator: " ")).flatMap { $0 }
          == command.declaration.examples.flatMap { CommandFixture.commands(in: $0) }.flatMap { $0 })
    }
  }

  /// A declaration is one that can be parsed: no spelling twice, what is repeated stands last, each default is a value.
  @Test func declarationsHold() throws {
    for path in CommandFixture.paths() {
      guard case .command(let command) = path.verb.meaning else { continue }
      let (arguments, options) = (command.declaration.arguments, command.declaration.options)
      let spellings = options.flatMap { [$0.name, $0.short].compactMap { $0 } }
      #expect(Set(spellings).count == spellings.count, "\(path.text)")
      #expect(Set(arguments.map(\.name)).count == arguments.count, "\(path.text)")
      for option in options { #expect(option.name.hasPrefix("--") && option.short.map { $0.count == 2 } ?? true) }
      for argument in arguments.dropLast() { #expect(argument.occurrence == .required, "\(path.text)") }
      for parameter in arguments + options {
        #expect(parameter.help.hasSuffix(".") || parameter.help.hasSuffix(")"), "\(path.text) \(parameter.name)")
        if let standard = parameter.standard { #expect(parameter.refusal(standard) == nil, "\(parameter.name)") }
      }
    }
  }

  /// What can be had as JSON is described by a schema, and every command of `policy` has it.
  @Test func jsonIsDescribed() throws {
    for path in CommandFixture.paths() {
      guard case .command(let command) = path.verb.meaning else { continue }
      let hasJSON = command.declaration.options.contains { $0.name == "--json" }
      #expect(hasJSON || !path.words.contains("policy"), "\(path.text) has no --json")
      guard hasJSON else { continue }
      let name = command.schema.dropFirst("verity-bpf/".count).dropLast("/1".count)
      #expect(throws: Never.self, "\(path.text)") { try SchemaTests.schema(String(name)) }
    }
  }
}
