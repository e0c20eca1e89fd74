public import Base
public import Policy

/// What came of running test cases against a policy.
public struct CaseRun: Sendable {
  public private(set) var results: [Result] = []
  /// The lines of the policy that no case's decision came from.
  public private(set) var uncovered: [PolicyDocument.Statement] = []
  private var statements = 0

  public struct Result: Sendable {
    public let file: String
    public let name: String
    public let line: Int
    public let decision: Decision
    /// What was expected and did not come; nil when the case passed.
    public let failure: String?
  }

  /// Runs every case of every file.
  public init(_ files: [(name: String, cases: PolicyCases)], policy: CompiledPolicy, document: PolicyDocument) {
    var used: Set<Int> = []
    for file in files {
      for example in file.cases.cases {
        guard let facts = example.facts, let expectation = example.expectation else { continue }
        let decision = policy.decide(facts)
        // A rule that is merely not ruled out was not tried.
        if decision.reason != .notRuledOut,
          let place = decision.statement.flatMap({ document.statements.firstIndex(of: $0) })
        {
          used.insert(place)
        }
        results.append(
          Result(
            file: file.name, name: example.name, line: example.line, decision: decision,
            failure: Self.failure(decision, expectation)))
      }
    }
    statements = document.statements.count
    uncovered = document.statements.indices.filter { !used.contains($0) }.map { document.statements[$0] }
  }

  private static func failure(_ decision: Decision, _ expected: PolicyCases.Expectation) -> String? {
    let isExpected =
      switch expected.reason {
      case .any: true
      case .line(let line): decision.line == line
      case .fallback: decision.reason == .operationDefault || decision.reason == .globalDefault
      case .rule(let text): decision.ruleText == text
      }
    guard decision.action != expected.action || !isExpected else { return nil }
    let wanted =
      switch expected.reason {
      case .any: ""
      case .line(let line): " at line \(line)"
      case .fallback: " by DEFAULT"
      case .rule(let text): " by \(text)"
      }
    return "expected \(expected.action.rawValue)\(wanted), got \(decision.summary): \(decision.ruleText)"
  }

  public var failures: [Result] { results.filter { $0.failure != nil } }

  /// How many of a hundred lines (rules and defaults) decided at least one case.
  public var coverage: Int { statements == 0 ? 100 : (statements - uncovered.count) * 100 / statements }

  /// `verity-bpf/policy-test/1`.
  public var json: JSONValue {
    [
      "schema": "verity-bpf/policy-test/1",
      "passed": .integer(Int64(results.count - failures.count)),
      "failed": .integer(Int64(failures.count)),
      "coverage": .integer(Int64(coverage)),
      "uncovered": .array(
        uncovered.map { ["line": .integer(Int64($0.line)), "text": .string($0.canonicalText)] }),
      "cases": .array(
        results.map { result in
          .object(
            [
              .init("file", .string(result.file)), .init("line", .integer(Int64(result.line))),
              .init("name", .string(result.name)), .init("passed", .bool(result.failure == nil)),
              .init("decision", .string(result.decision.action.rawValue.lowercased())),
              .init("failure", .optional(result.failure)),
            ] + result.decision.unknownDenials.jsonMembers)
        }),
    ]
  }

  /// The results as JUnit's XML, which CI systems show.
  public var junit: String {
    var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    xml += "<testsuite name=\"policy\" tests=\"\(results.count)\" failures=\"\(failures.count)\">\n"
    for result in results {
      xml += "  <testcase classname=\"\(Self.escaped(result.file))\" name=\"\(Self.escaped(result.name))\""
      if let failure = result.failure {
        xml += "><failure message=\"\(Self.escaped(failure))\"/></testcase>\n"
      } else {
        xml += "/>\n"
      }
    }
    return xml + "</testsuite>\n"
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      // XML 1.0 has no way to say control characters.
      case _ where scalar.value < 0x20: result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
