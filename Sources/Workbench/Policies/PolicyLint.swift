public import KernelABI
public import Policy

/// What is wrong with a policy that can be used: rules that are never reached, and rules that nothing can satisfy.
public struct PolicyLint {
  private let document: PolicyDocument
  private var findings: [PolicyDiagnostic] = []
  /// Where the first finding is that is not kept, and how many those are.
  private var omitted: (first: SourceRange, count: Int)?

  /// The most findings that are kept.
  private static let findingLimit = 1000

  /// Rules of which it is not known whether they are reached.
  private var undecided: [PolicyDocument.Statement] = []

  private init(_ document: PolicyDocument) { self.document = document }

  /// Everything there is to say about the policy beyond its own diagnostics, in the order of its lines.
  ///
  /// - Parameters:
  ///   - config: the kernel that will evaluate it; nil leaves out what depends on it.
  ///   - fileName: the name of its file without directories; nil leaves out the comparison with `policy_name`.
  public static func findings(
    _ document: PolicyDocument, config: KernelConfiguration? = nil, fileName: String? = nil
  ) -> [PolicyDiagnostic] {
    var lint = PolicyLint(document)
    lint.checkReach()
    lint.checkKnowledge()
    lint.checkAbsence()
    lint.checkHelpers()
    lint.checkDefaults()
    lint.checkSize()
    if let config { lint.checkKernel(config) }
    if let fileName { lint.checkName(fileName) }
    let findings = lint.findings.sorted { ($0.range.start, $0.code) < ($1.range.start, $1.code) }
    return findings + (lint.omitted.map { [.notListed($0.count, from: $0.first, in: document.text)] } ?? [])
  }

  private mutating func add(
    _ severity: PolicyDiagnostic.Severity, _ code: String, _ message: String, at range: SourceRange, hint: String?
  ) {
    guard findings.count < Self.findingLimit else {
      omitted = (omitted?.first ?? range, (omitted?.count ?? 0) + 1)
      return
    }
    findings.append(PolicyDiagnostic(severity, code, message, at: range, in: document.text, hint: hint))
  }

  // MARK: - Rules that are never reached

  /// A rule is never reached when no facts that can be are decided by it (``RuleReach``).
  private mutating func checkReach() {
    guard let policy = try? CompiledPolicy(document) else { return }
    for operation in document.dialect.operations {
      var reach = RuleReach(document, policy, operation)
      for number in reach.rules.indices {
        switch reach.answer(number) {
        case .decides: break
        case .never(let causes): report(number, causes, &reach)
        case .unknown:
          undecided.append(reach.rules[number])
        }
      }
    }
    guard let first = undecided.first else { return }
    let others = undecided.count == 1 ? "" : ", and \(undecided.count - 1) later ones"
    add(
      .note, "policy.not-compared",
      "it would take too long to find out whether this rule is ever reached\(others)", at: first.range, hint: nil)
  }

  private mutating func report(_ number: Int, _ causes: [Int]?, _ reach: inout RuleReach) {
    let rule = reach.rules[number]
    guard let causes, let first = causes.first else {
      let isAlone = causes != nil
      return add(
        .warning, isAlone ? "policy.never-matches" : "policy.shadowed",
        isAlone
          ? "nothing has all that this rule asks for: it never matches"
          : "never reached: the rules before it together decide all that this rule matches", at: rule.range,
        hint: isAlone ? "write two rules, or remove it" : "move it up, or remove it")
    }
    let earlier = reach.rules[first]
    let operation = rule.operation?.rawValue ?? ""
    if causes.count > 1 {
      let lines = causes.map { String(reach.rules[$0].line) }
      add(
        .warning, "policy.shadowed",
        "never reached: lines \(lines.dropLast().joined(separator: ", ")) and \(lines.last ?? "") together decide all "
          + "that this rule matches", at: rule.range, hint: "move it above line \(earlier.line), or remove it")
    } else if earlier.action != rule.action, reach.isCovered(first, by: number) {
      add(
        .warning, "policy.conflict",
        "never reached: line \(earlier.line) asks for the same and says \(earlier.action.rawValue)",
        at: rule.range, hint: "remove one of the two")
    } else if earlier.properties.isEmpty {
      add(
        .warning, "policy.unreachable", "never reached: line \(earlier.line) already decides every \(operation)",
        at: rule.range, hint: "move it above line \(earlier.line), or remove it")
    } else {
      add(
        .warning, "policy.shadowed",
        "never reached: line \(earlier.line) matches all that this rule matches, and says \(earlier.action.rawValue)",
        at: rule.range, hint: "move it above line \(earlier.line), or remove it")
    }
  }

  // MARK: - Rules about what nobody finds out

  /// A rule about what is never known never matches, whatever else it asks for.
  private mutating func checkKnowledge() {
    guard document.dialect == .verityBPF else { return }
    for statement in document.statements where statement.kind == .rule {
      guard let operation = statement.operation else { continue }
      for property in statement.properties {
        guard let why = property.whyNeverKnown(for: operation) else { continue }
        // A value that is another one each time fails; what is never known cannot be ruled out.
        let isUnknown = operation == .bpfProgLoad && property.name.producer == .none
        let effect =
          switch statement.action {
          case .allow: "never allows"
          case .deny: isUnknown ? "lets no later rule allow" : "never denies"
          }
        let instead = property.name.substitute.map { ", or ask for \($0.rawValue) instead" } ?? ""
        add(
          .error, "policy.never-known", "\(why), so this rule \(effect)", at: property.range,
          hint: "remove the rule\(instead)")
      }
    }
  }

  // MARK: - Rules about what can be missing

  /// A DENY rule about what can be missing stands in the way of whatever has no such fact; an ALLOW rule that asks for
  /// evidence to be missing holds only where verified bytes say so.
  private mutating func checkAbsence() {
    var denials: [[PropertyName]: (first: PolicyDocument.Property, line: Int, others: Int)] = [:]
    for statement in document.statements where statement.kind == .rule && statement.operation == .bpfProgLoad {
      // What is never known has an error of its own.
      guard !statement.properties.contains(where: { $0.whyNeverKnown(for: .bpfProgLoad) != nil }) else { continue }
      switch statement.action {
      case .deny:
        let missing = statement.properties.filter { $0.name.canBeMissing }
        guard let first = missing.first else { continue }
        // One finding for all that ask for the same: a policy may revoke a hundred thousand root hashes.
        denials[missing.map { $0.name }, default: (first, statement.line, -1)].others += 1
      case .allow:
        for property in statement.properties where property.asksForAbsence {
          // Of what the kernel did no bytes say that it did not.
          let effect =
            property.value == .flag(false)
            ? "this rule never allows" : "this rule allows only where verified bytes say that there is none"
          add(
            .warning, "policy.allows-absence",
            "\(property.canonicalText) asks for evidence to be missing, which the caller of a load can bring about, so "
              + effect, at: property.range,
            hint: "leave the property out, or deny what has such evidence before this rule")
        }
      }
    }
    for (names, found) in denials {
      let what = names.map { $0.rawValue }.joined(separator: ", ")
      let others = found.others == 0 ? "" : "; so do \(found.others) more rules"
      add(
        .warning, "policy.deny-missing",
        "no rule after this one allows what its question about \(what) has no answer for, because the evidence could have "
          + "been left out\(others)", at: found.first.range,
        hint: "put rules that are to allow such objects before line \(found.line)")
    }
  }

  // MARK: - Words that no kernel has

  /// A helper that is not known here is most often misspelt: a list with it allows fewer programs than it seems to. It may
  /// also be one of a kernel that was patched, so the rule counts.
  private mutating func checkHelpers() {
    let names = Helper.allCases.dropFirst().map { $0.name }
    let known = Set(names)
    for statement in document.statements where statement.kind == .rule {
      for property in statement.properties where property.name == .helpers {
        guard case .words(let words) = property.value else { continue }
        for word in words where !known.contains(word) && UInt32(word) == nil {
          add(
            .warning, "policy.unknown-helper", "no kernel has a helper `\(word)`", at: property.range,
            hint: Suggestion.hint(for: word, among: names)
              ?? "helpers are called as in bpf-helpers(7), without bpf_; kernel functions are none")
        }
      }
    }
  }

  // MARK: - The policy as a whole

  private mutating func checkDefaults() {
    guard document.dialect == .verityBPF else { return }
    let fallbacks = document.statements.filter { $0.kind == .fallback }
    let deciding = fallbacks.first { $0.operation == .bpfProgLoad } ?? fallbacks.first { $0.operation == nil }
    if let deciding, deciding.action == .allow {
      add(
        .warning, "policy.default-allow", "BPF programs that no rule matches are allowed", at: deciding.range,
        hint: "add DEFAULT op=BPF_PROG_LOAD action=DENY")
    }
  }

  /// The kernel refuses a signed policy above 65,535 bytes, whatever it says.
  private mutating func checkSize() {
    let size = document.text.bytes.count
    guard document.dialect == .verityBPF, size + KernelAnswer.usualSignatureSize > KernelAnswer.messageLimit else {
      return
    }
    add(
      .note, "policy.too-large", "with its signature this policy has more than 65,535 bytes, which no kernel takes",
      at: SourceRange(0, 0), hint: "verity-bpf takes it all the same")
  }

  /// systemd loads the policies of /etc/ipe by name: the file must be called as the policy is (src/core/ipe-setup.c).
  private mutating func checkName(_ fileName: String) {
    guard let header = document.header else { return }
    let stem = fileName.lastIndex(of: ".").map { fileName[..<$0] } ?? fileName[...]
    guard !stem.utf8.elementsEqual(header.name) else { return }
    add(
      .note, "policy.file-name",
      "the file is called `\(stem)` and the policy `\(header.nameText)`; systemd loads only "
        + "files that are called as their policy", at: header.nameRange, hint: "rename one of the two")
  }

  // MARK: - The kernel at hand

  /// Properties that the kernel was not built to evaluate: their rules never match.
  private mutating func checkKernel(_ config: KernelConfiguration) {
    if document.dialect == .kernel, !config.has("CONFIG_SECURITY_IPE") {
      add(
        .warning, "policy.kernel-cannot", "this kernel is built without IPE (CONFIG_SECURITY_IPE)",
        at: SourceRange(0, 0), hint: nil)
    }
    for statement in document.statements where statement.kind == .rule {
      for property in statement.properties {
        guard let option = property.kernelOption(for: statement.operation), !config.has(option) else { continue }
        add(
          .warning, "policy.kernel-cannot", "\(property.canonicalText) cannot match: this kernel lacks \(option)",
          at: property.range, hint: nil)
      }
    }
  }
}
