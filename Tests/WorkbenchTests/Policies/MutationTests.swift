import Base
import Policy
import PolicyTestSupport
import Testing
import Workbench

/// What cases notice of changes to a policy, against all facts of a small vocabulary: see ``BruteForceTests``.
@Suite struct MutationTests {
  /// The mutants are those that are made here word by word; what is said of each holds of all facts.
  @Test func bruteForce() throws {
    var counts = (noticed: 0, unnoticed: 0, equivalent: 0)
    for seed in BruteForceTests.rounds(25) {
      var generator = SeededGenerator(seed: seed &+ 2 << 32)
      let vocabulary = SmallVocabulary(&generator)
      let document = vocabulary.policy(rules: Int.random(in: 1...4, using: &generator), &generator)
      let policy = try CompiledPolicy(document)
      let facts = vocabulary.allFacts()
      var text = ""
      for number in 0..<Int.random(in: 1...5, using: &generator) {
        guard let chosen = facts.randomElement(using: &generator) else { continue }
        let decision = policy.decide(chosen)
        let line = generator.isOne(in: 3) ? decision.line.map { " at line \($0)" } ?? "" : ""
        text += "case \"\(number)\"\n  given \(Self.words(chosen))\n  expect \(decision.action.rawValue)\(line)\n"
      }
      let report = "seed \(seed)\n\(String(decoding: document.text.bytes, as: UTF8.self))\n\(text)"
      let run = try Self.run(document, text, report)
      #expect(run.isComplete, "\(report)")
      let cases = PolicyCases(Array(text.utf8)).cases
      let mutants = try Self.mutants(of: document, met: cases.compactMap { $0.facts })
      #expect(run.results.map { Self.key($0.mutant) } == mutants.map { $0.key }, "\(report)")
      for (result, mutant) in zip(run.results, mutants) {
        let other = try CompiledPolicy(mutant.document)
        let isNoticed = cases.contains { example in
          guard let facts = example.facts, let expectation = example.expectation else { return false }
          let (was, becomes) = (policy.decide(facts), other.decide(facts))
          return was.action != becomes.action || expectation.reason != .any && was.line != becomes.line
        }
        let what = "\(report)\n\(mutant.key)"
        switch result.outcome {
        case .noticed:
          counts.noticed += 1
          #expect(isNoticed, "\(what)")
        case .unnoticed(let missing):
          let (shown, action) = (missing.facts, missing.action)
          counts.unnoticed += 1
          #expect(!isNoticed, "\(what)")
          #expect(policy.decide(shown).action == action && other.decide(shown).action != action, "\(what)")
          let read = PolicyCases(Array(missing.caseText.utf8))
          #expect(read.diagnostics.isEmpty && read.cases.first?.facts == shown, "\(what)\n\(missing.caseText)")
          let expected = read.cases.first?.expectation
          #expect(expected?.action == action && expected?.reason == .any, "\(what)")
        case .equivalent:
          counts.equivalent += 1
          let differing = facts.first { policy.decide($0).action != other.decide($0).action }
          #expect(!isNoticed && differing == nil, "\(what)\n\(differing?.json.compact ?? "")")
        case .undecided: Issue.record("\(what)")
        }
      }
    }
    #expect(
      counts.noticed > 10 && counts.unnoticed > 10 && counts.equivalent > 10 || BruteForceTests.rounds(1).count < 25,
      "\(counts)")
  }

  private static func run(
    _ document: PolicyDocument, _ text: String, _ report: String = "", effort: Int? = nil
  ) throws -> MutationRun {
    let cases = PolicyCases(Array(text.utf8))
    #expect(cases.diagnostics.isEmpty, "\(report)\n\(cases.diagnostics)")
    let run = CaseRun(
      [("t.cases", cases)], policy: try CompiledPolicy(document), document: document, mutating: .everything,
      effort: effort)
    #expect(run.failures.isEmpty, "\(report)")
    return try #require(run.mutations)
  }

  /// Facts as `given` takes them.
  private static func words(_ facts: Facts) -> String {
    let known = PropertyName.allCases.compactMap { name in facts.text(of: name).map { "\(name.factName)=\($0)" } }
    let notes = facts.notes.map { "\($0.name)=\($0.words.joined(separator: ","))" }
    return (["op=\(facts.operation?.rawValue ?? "UNKNOWN")"] + known + notes).joined(separator: " ")
  }

  // MARK: - Mutants, made here from the words of each line

  private static func key(_ mutant: PolicyMutant) -> String {
    let what = mutant.replacement.map { "says \($0) instead of \(mutant.part)" } ?? "lacks \(mutant.part)"
    return "\(mutant.line) \(what)"
  }

  private static func mutants(
    of document: PolicyDocument, met: [Facts]
  ) throws -> [(key: String, document: PolicyDocument)] {
    let lines = String(decoding: document.text.bytes, as: UTF8.self).split(separator: "\n").map { String($0) }
    var made: [(key: String, document: PolicyDocument)] = []
    func add(_ line: Int, _ words: [String], _ difference: String) {
      var changed = lines
      changed[line] = words.joined(separator: " ")
      let mutant = PolicyDocument.parse(Array((changed.joined(separator: "\n") + "\n").utf8), dialect: document.dialect)
      if mutant.isValid { made.append(("\(line + 1) \(difference)", mutant)) }
    }
    for line in lines.indices.dropFirst() {
      let words = lines[line].split(separator: " ").map { String($0) }
      let isRule = words[0] != "DEFAULT"
      let conditions = isRule ? Array(1..<(words.count - 1)) : []
      if isRule { add(line, [], "lacks the rule") }
      for place in conditions {
        add(line, words.indices.filter { $0 != place }.map { words[$0] }, "lacks \(words[place])")
        let (name, members) = split(words[place])
        guard members.count > 1 else { continue }
        for member in members.indices {
          let rest = members.indices.filter { $0 != member }.map { members[$0] }.joined(separator: ",")
          var changed = words
          changed[place] = "\(name)=\(rest)"
          add(line, changed, "lacks \(members[member]) of \(name)")
        }
      }
      for place in conditions {
        let statement = try #require(document.statements.first { $0.line == line + 1 })
        let property = statement.properties[place - 1]
        var seen: Set<String> = []
        let texts = met.compactMap { $0.text(of: property.name) }.filter { seen.insert($0).inserted }
        for value in property.name.wider(property.value, met: texts) {
          var changed = words
          changed[place] = "\(property.name.rawValue)=\(value.description)"
          add(line, changed, "says \(changed[place]) instead of \(words[place])")
        }
      }
      let (action, other) =
        words.last == "action=ALLOW" ? ("action=ALLOW", "action=DENY") : ("action=DENY", "action=ALLOW")
      add(line, words.dropLast() + [other], "says \(other) instead of \(action)")
    }
    return made
  }

  /// The members of a list; one for what is none.
  private static func split(_ word: String) -> (name: String, members: [String]) {
    let parts = word.split(separator: "=", maxSplits: 1).map { String($0) }
    let isList = PropertyName(named: parts[0]).map { name in
      switch name.shape {
      case .words, .helpers, .numbers: true
      case .flag, .digest, .word, .pattern, .text, .version: false
      }
    }
    return (parts[0], isList == true ? parts[1].split(separator: ",").map { String($0) } : [parts[1]])
  }

  // MARK: - Single changes

  /// What is wider of each form.
  @Test(arguments: [
    ("x_path=/progs/a*.o", ["/*/a*.o", "/progs/*"]), ("x_path=/*", ["/**"]), ("x_path=/**", []),
    ("x_image_version_min=1.4", ["1.3"]), ("x_image_version_min=1.0", ["0.0"]), ("x_image_version_min=0", []),
    ("x_class=RESTRICTED", ["FULL"]), ("x_class=FULL", []), ("x_reads=NONE", ["DECLARED", "UNDECLARED"]),
    ("x_witness=BOTH", ["KERNEL", "USERSPACE"]), ("x_requester_uid=0,1", ["0,1,2"]), ("dmverity_signature=TRUE", []),
    ("x_dmverity_mode=EIO,RESTART", ["EIO,RESTART,PANIC,LOGGING"]), ("x_image_name=a", []),
    ("x_helpers=a", ["a,probe_write_user"]),
  ])
  func wider(condition: String, expected: [String]) throws {
    let document = parse("op=BPF_PROG_LOAD \(condition) action=ALLOW")
    let property = try #require(document.statements.last?.properties.first)
    #expect(property.name.wider(property.value, met: []).map { $0.description } == expected)
  }

  /// Lists without an end are widened by what the cases are about.
  @Test func listsWithoutAnEnd() throws {
    let document = parse("op=BPF_PROG_LOAD x_requester_uid=0 action=ALLOW")
    let cases = "case \"a\"\n given op=BPF_PROG_LOAD x_requester_uid=1000\n expect DENY\n"
    let widened = try Self.run(document, cases).results.filter { $0.mutant.change == .widened }
    #expect(widened.map { $0.mutant.replacement } == ["x_requester_uid=0,1000"])
    guard case .noticed? = widened.first?.outcome else { throw Unexpected() }
  }

  private struct Unexpected: Error {}

  /// With the cases that are proposed nothing goes unnoticed, and a quote in a value does not end a case's name.
  @Test func proposedCasesAreEnough() throws {
    let document = parse(
      "op=BPF_PROG_LOAD x_image_name=a\"b x_image_version_min=1.4 action=DENY\n"
        + "op=BPF_PROG_LOAD x_path=/progs/*.o x_class=RESTRICTED action=ALLOW\nop=EXECUTE action=ALLOW")
    var text = "case \"none\"\n given op=BPF_PROG_LOAD\n expect DENY\n"
    let first = try Self.run(document, text)
    #expect(first.unnoticed.count > 5 && first.isComplete)
    for one in first.unnoticed { text += one.caseText }
    let second = try Self.run(document, text, text)
    #expect(second.unnoticed.isEmpty && second.coverage == 100 && second.count == first.count)
  }

  /// Changes that are not tried, or not compared to the end, are taken neither for noticed nor for none.
  @Test func tooManyChanges() throws {
    let document = parse("op=EXECUTE action=ALLOW\nop=BPF_PROG_LOAD x_path=/progs/* action=ALLOW")
    var (undecided, cut) = (0, 0)
    for effort in stride(from: 400, to: 3_000, by: 100) {
      let run = try Self.run(document, "case \"a\"\n given op=EXECUTE\n expect ALLOW\n", effort: effort)
      #expect(run.coverage < 100 && run.equivalent.isEmpty)
      #expect(run.isComplete == (!run.isCut && run.undecidedCount == 0))
      undecided += run.undecidedCount
      cut += run.isCut ? 1 : 0
    }
    #expect(undecided > 0 && cut > 0)
  }
}
