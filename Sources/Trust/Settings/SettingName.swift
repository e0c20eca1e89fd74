/// The settings of a host: the one table of them, from which the parser, `config show`, `docs/configuration.md` and the manual
/// page follow.
public enum SettingName: String, CaseIterable, Sendable {
  case policyStore = "policy-store"
  case auditDirectory = "audit-dir"
  case auditSync = "audit-sync"
  case link
  case trustAnchors = "trust-anchors"
  case requireActivePolicy = "require-active-policy"

  /// What a value has to be.
  public enum Kind: Sendable {
    /// An absolute path.
    case directory
    /// `yes` or `no`; also `true`, `on`, `1` and `false`, `off`, `0`, as systemd reads them.
    case flag
    /// One of the words of ``AuditSync``.
    case auditSync
    /// One of the words of ``LinkMethod``.
    case link

    public var expectation: String {
      switch self {
      case .directory: "an absolute path without `..`"
      case .flag: "yes or no"
      case .auditSync: "one of " + AuditSync.allCases.map(\.rawValue).joined(separator: ", ")
      case .link: "one of " + LinkMethod.allCases.map(\.rawValue).joined(separator: ", ")
      }
    }
  }

  public var kind: Kind {
    switch self {
    case .policyStore, .auditDirectory, .trustAnchors: .directory
    case .auditSync: .auditSync
    case .link: .link
    case .requireActivePolicy: .flag
    }
  }

  /// The value where no file sets it; nil for a directory that need not be one.
  public var standard: SettingValue {
    switch self {
    case .policyStore: .directory(PolicyStore.standardDirectory)
    case .auditDirectory: .directory("/var/log/verity-bpf")
    case .auditSync: .auditSync(.none)
    case .link: .link(.inProcess)
    case .trustAnchors: .directory(nil)
    case .requireActivePolicy: .flag(false)
    }
  }

  /// What it does, in sentences.
  public var summary: String {
    switch self {
    case .policyStore:
      "The directory of installed policies, whose active one decides where `load` is given no --policy."
    case .auditDirectory: "The directory of the audit log."
    case .auditSync:
      "Which records of a load are on the disk before the run goes on: none; decision, those before anything is loaded; "
        + "always, all of them. Records about the policy store always are."
    case .link:
      "In which process `load` links objects: in-process, its own; helper, verity-bpf-link, which has no rights (docs/relocation.md)."
    case .trustAnchors:
      "The only directory of trust anchors and of the list `revoked`. Where it is not set, these are /etc/verity-bpf/trust, the "
        + "VOA hierarchy and verity.d."
    case .requireActivePolicy:
      "Whether the settings of this host bind the callers of its commands: `load` takes no --policy and no --audit-sync that "
        + "waits for fewer records, no --link in-process where the setting says helper, and `load`, `mount` and the commands of the policy store no other --trust-anchors and "
        + "--audit-dir than those set here."
    }
  }
}

/// The value of a setting.
public enum SettingValue: Equatable, Sendable {
  case directory(String?)
  case flag(Bool)
  case auditSync(AuditSync)
  case link(LinkMethod)

  /// The words for yes and no, as systemd's files have them (systemd.syntax(7)).
  private static let flags = [
    "yes": true, "true": true, "on": true, "1": true, "no": false, "false": false, "off": false, "0": false,
  ]

  /// Reads what stands behind the `=`; nil when it is not what the setting takes.
  init?(_ text: String, _ kind: SettingName.Kind) {
    switch kind {
    case .directory:
      let parts = text.split(separator: "/")
      guard text.hasPrefix("/"), !parts.contains(".."), !parts.isEmpty else { return nil }
      self = .directory("/" + parts.filter { $0 != "." }.joined(separator: "/"))
    case .flag:
      guard let value = Self.flags[text] else { return nil }
      self = .flag(value)
    case .auditSync:
      guard let value = AuditSync(rawValue: text) else { return nil }
      self = .auditSync(value)
    case .link:
      guard let value = LinkMethod(rawValue: text) else { return nil }
      self = .link(value)
    }
  }

  /// As a file would have it; nil for a directory that is not set.
  public var text: String? {
    switch self {
    case .directory(let path): path
    case .flag(let isSet): isSet ? "yes" : "no"
    case .auditSync(let sync): sync.rawValue
    case .link(let method): method.rawValue
    }
  }
}
