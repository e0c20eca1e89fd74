internal import Base

/// What of this program's own is in force on a host beside the active policy: lists of what was revoked, and a shadow policy.
public struct InstalledTrust: Equatable, Sendable {
  /// Why nothing is judged on this host, with its code; nil when trust anchors and lists can be relied on.
  public var refusal: String?
  /// The signed lists of what was revoked: name, version, and how many entries.
  public var lists: [String] = []
  /// The policy that is judged beside the active one, by name and version; nil when there is none.
  public var shadow: String?
  /// Why it cannot be used; nil when it can.
  public var shadowRefusal: String?

  public init() {}

  var json: JSONValue {
    [
      "refusal": .optional(refusal), "lists": .array(lists.map { .string($0) }), "shadow": .optional(shadow),
      "shadow_refusal": .optional(shadowRefusal),
    ]
  }

  init(_ value: JSONValue) throws(HostFactsError) {
    func text(_ name: String) throws(HostFactsError) -> String? {
      switch value[name] {
      case .string(let text)?: return text
      case .null?: return nil
      case .bool?, .integer?, .number?, .array?, .object?, nil: throw HostFactsError(reason: "installed.\(name)")
      }
    }
    refusal = try text("refusal")
    shadow = try text("shadow")
    shadowRefusal = try text("shadow_refusal")
    guard case .array(let names)? = value["lists"] else { throw HostFactsError(reason: "installed.lists") }
    for name in names {
      guard case .string(let text) = name else { throw HostFactsError(reason: "installed.lists") }
      lists.append(text)
    }
  }
}

extension HostFacts {
  /// Whether trust can be judged here, and what is watched. Nil where there is neither list nor shadow, and nothing is wrong.
  var installedTrust: Finding? {
    let (id, title) = ("trust", "revocations")
    guard let installed else { return nil }
    var details = installed.lists.map { "list \($0)" }
    if let shadow = installed.shadow {
      details.append("shadow policy \(shadow)\(installed.shadowRefusal.map { " cannot be used: \($0)" } ?? "")")
    }
    if let refusal = installed.refusal {
      return Finding(
        id, title, .gap, "nothing is judged: \(refusal)", details: details,
        loses: "loads, mounts and verification are refused", close: "verity-bpf revoked list")
    }
    if installed.shadowRefusal != nil {
      return Finding(
        id, title, .weak, "the shadow policy cannot be used", details: details,
        loses: "a change is not watched before it counts", close: "verity-bpf policy install --shadow FILE")
    }
    guard !details.isEmpty else { return nil }
    return Finding(id, title, .good, "can be relied on", details: details)
  }
}
