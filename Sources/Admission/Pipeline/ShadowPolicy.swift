public import Base
internal import Loader
public import Policy
internal import Workbench

/// A policy that is judged beside the one that decides, so that a change can be watched before it counts. Whatever it says, or
/// is wrong with it, is recorded, and changes nothing.
public enum ShadowPolicy: Sendable {
  /// Its text, as it was signed.
  case text([UInt8])
  /// It is installed and cannot be used: it is damaged, or its signature does not count any more.
  case unusable(name: String, version: PolicyVersion, Diagnostic)

  /// What it says of one object.
  public struct Answer: Sendable {
    public let name: String
    public let version: PolicyVersion
    public let ruling: Ruling?
    /// Why there is no ruling.
    public let refusal: Diagnostic?

    /// `allow`, `deny` or `unusable`.
    public var word: String { ruling.map { $0.lets ? "allow" : "deny" } ?? "unusable" }
  }
}

/// A shadow policy, read once for all objects of a run.
struct CompiledShadow: Sendable {
  private let name: String
  private let version: PolicyVersion
  private let policy: CompiledPolicy?
  private let refusal: Diagnostic?

  init(_ shadow: ShadowPolicy) {
    switch shadow {
    case .unusable(let name, let version, let diagnostic):
      (self.name, self.version, policy, refusal) = (name, version, nil, diagnostic)
    case .text(let text):
      let document = PolicyDocument.parse(text, dialect: .verityBPF)
      name = document.header?.nameText ?? "shadow"
      version = document.header?.version ?? PolicyVersion(0, 0, 0)
      do throws(InvalidPolicy) {
        policy = try CompiledPolicy(document)
        refusal = nil
      } catch {
        policy = nil
        refusal = error.diagnostic
      }
    }
  }

  func answer(_ facts: [Facts], objectDigest: Digest) -> ShadowPolicy.Answer {
    ShadowPolicy.Answer(
      name: name, version: version, ruling: policy?.ruling(on: facts, objectDigest: objectDigest), refusal: refusal)
  }
}

extension ShadowPolicy.Answer {
  /// What records and answers say of it: `shadow_decision`, the policy, and the line that decided or what is wrong.
  public var jsonMembers: [JSONValue.Member] {
    var members: [JSONValue.Member] = [
      .init("shadow_policy", ["name": .string(name), "version": .string(version.description)]),
      .init("shadow_decision", .string(word)),
    ]
    if let deciding = ruling?.deciding {
      members += [
        .init("shadow_rule", .string(deciding.ruleText)),
        .init("shadow_rule_line", deciding.line.map { .integer(Int64($0)) } ?? .null),
        .init("shadow_enforcing", .bool(deciding.enforcing)),
      ]
    }
    if let refusal { members.append(.init("shadow_error", .string(refusal.code))) }
    return members
  }

  /// The same in the text form.
  var record: AccessRecord.Shadow {
    AccessRecord.Shadow(decision: word, rule: ruling?.deciding.ruleText ?? refusal?.code ?? "")
  }

  /// For people, where it is worth a line: it would decide otherwise, or cannot be used.
  ///
  /// - Parameter isAllowed: what the active policy decided.
  public func line(isAllowed: Bool) -> String? {
    if let refusal { return "\(name) \(version) cannot be used, which changes nothing: \(refusal.message)" }
    guard let ruling, ruling.lets != isAllowed else { return nil }
    return "\(name) \(version) would \(ruling.lets ? "allow" : "deny") it: \(ruling.deciding.summary): "
      + ruling.deciding.ruleText
  }
}
