public import Base
public import Policy

/// What came of running test cases against a policy.
public struct CaseRun: Sendable {
  public private(set) var results: [Result] = []
  /// The lines of the policy that no case's decision came from.
  public private(set) var uncovered: [PolicyDocument.Statement] = []
  private var statements = 0
  /// What the cases notice of changes to the policy; nil where that was not asked for.
  public private(set) var mutations: MutationRun?

  public struct Result: Sendable {
    public let file: String
    public let name: String
    public let line: Int
    public let decision: Decision
    /// What was expected and did not come; nil when the case passed.
    public let failure: String?
  }

  /// Runs every case of every file.
  ///
  /// - Parameters:
  ///   - mutating: which parts of the policy are changed in turn, to see whether a case notices; nil for none.
  ///   - effort: steps that are taken for that at most; tests of the bound take few.
  public init(
    _ files: [(name: String, cases: PolicyCases)], policy: CompiledPolicy, document: PolicyDocument,
    mutating: PolicyMutant.Extent? = nil, effort: Int? = nil
  ) {
    var tried: [(facts: Facts, expectation: PolicyCases.Expectation)] = []
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
        let failure = Self.failure(decision, expectation)
        // A case that fails shows nothing.
        if failure == nil { tried.append((facts, expectation)) }
        results.append(
          Result(file: file.name, name: example.name, line: example.line, decision: decision, failure: failure))
      }
    }
    statements = document.statements.count
    uncovered = document.statements.indices.filter { !used.contains($0) }.map { document.statements[$0] }
    if let mutating { mutations = MutationRun(document, policy, mutating, cases: tried, effort: effort) }
  }

  private static func failure(_ decision: Decision, _ expected: PolicyCases.Expectation) -> String? {
    let isExpected =
      switch expected.reason {
      case .any: true
      case .line(let line): decision.line == line
      case .fallback: decision.reason.isDefault
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
    guard case .object(let members) = plainJSON, let mutations else { return plainJSON }
    return .object(
      members + [
        .init("part_coverage", .integer(Int64(mutations.coverage))),
        .init("parts_complete", .bool(mutations.isComplete)),
        .init(
          "mutants",
          [
            "noticed": .integer(Int64(mutations.noticedCount)),
            "unnoticed": .integer(Int64(mutations.unnoticed.count)),
            "equivalent": .integer(Int64(mutations.equivalent.count)),
            "undecided": .integer(Int64(mutations.undecidedCount)), "cut": .bool(mutations.isCut),
          ]),
        .init("unnoticed", .array(mutations.unnoticed.map { $0.json })),
      ])
  }

  private var plainJSON: JSONValue {
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
