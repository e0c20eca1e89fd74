public import Policy

/// A policy with everything taken out that the mainline kernel's parser refuses.
public struct DialectConversion {
  /// The text; a policy that the kernel takes, unless ``error`` says why there is none.
  public let bytes: [UInt8]
  /// What was lost, line by line.
  public let losses: [Loss]
  /// Why the result is no policy for the kernel; nil when it is one.
  public let error: KernelError?

  /// One line that is not in the result.
  public struct Loss {
    public let line: Int
    public let text: String
    public let reason: String
    /// Whether the result allows more than the original did for the kernel's own operations.
    public let widens: Bool
  }

  /// Converts a valid policy.
  ///
  /// A rule with an `x_` or `bpf_` property is dropped as a whole: without the property an ALLOW would allow more.
  /// A dropped DENY for one of the kernel's operations denies less, which ``Loss/widens`` says.
  public init(_ document: PolicyDocument) {
    var output: [UInt8] = []
    var losses: [Loss] = []
    var next = document.statements.startIndex
    var sawHeader = false
    for line in document.syntax.lines {
      var isKept = true
      var replacement: [UInt8]?
      if !line.significant.isEmpty, sawHeader, next < document.statements.endIndex {
        let statement = document.statements[next]
        next += 1
        if let reason = Self.reason(statement) {
          isKept = false
          losses.append(
            Loss(
              line: statement.line, text: statement.canonicalText, reason: reason,
              widens: statement.action == .deny && statement.operation != .bpfProgLoad
                && statement.enforcing != false))
        } else if let word = statement.enforcing {
          replacement = statement.withoutEnforcement
          losses.append(
            Loss(
              line: statement.line, text: "x_enforcing=\(word ? "TRUE" : "FALSE")",
              reason: "the kernel switches enforcement outside the policy", widens: false))
        }
      } else if !line.significant.isEmpty, !sawHeader {
        sawHeader = true
        if let header = document.header, document.syntax.words(of: line).count > 2 {
          replacement = Array("policy_name=\(header.nameText) policy_version=\(header.version)".utf8)
          if !header.enforcing {
            losses.append(
              Loss(
                line: document.text.position(of: Int(line.significant.start)).line, text: "x_enforcing=FALSE",
                reason: "the kernel switches enforcement outside the policy", widens: false))
          }
        }
      }
      guard isKept else {
        // The rule's own comment goes with it.
        continue
      }
      output += replacement ?? Array(document.text[line.significant])
      output += document.text[SourceRange(Int(line.significant.end), Int(line.terminator.end))]
    }
    self.losses = losses
    bytes = output
    error = KernelAnswer(to: PolicyDocument.parse(output, dialect: .kernel)).error
  }

  private static func reason(_ statement: PolicyDocument.Statement) -> String? {
    if statement.operation == .bpfProgLoad { return "no mainline kernel has op=BPF_PROG_LOAD" }
    if statement.kind == .rule, statement.enforcing == false {
      return "no mainline kernel only records what a rule denies"
    }
    let foreign = statement.properties.first { !$0.name.isKernel }
    return foreign.map { "no mainline kernel has `\($0.name.rawValue)`" }
  }
}

extension PolicyDocument.Statement {
  /// Its text as the kernel knows it.
  fileprivate var withoutEnforcement: [UInt8] {
    let words = canonicalText.utf8.split(separator: 0x20).filter { !$0.starts(with: "x_enforcing=".utf8) }
    return Array(words.joined(separator: [0x20]))
  }
}
