public import Base
public import Linux

/// Why the settings of this host cannot be used, or what they refuse.
public enum SettingsError: Error, Equatable, Sendable {
  case system(SystemError)
  /// Others than root can change a file or a directory on the way to it.
  case foreign(path: String, reason: String)
  case notAFile(path: String, kind: String)
  case tooLarge(path: String, limit: Int)
  case line(Settings.Origin, String)
  case unknown(Settings.Origin, String)
  case value(Settings.Origin, SettingName, String)
  /// A caller gave an option that the settings do not leave to callers, by the line that says so.
  case binding(option: String, given: String, expected: String?, SettingName, Settings.Origin)
}

extension SettingsError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .system(let error):
      var diagnostic = error.diagnostic
      diagnostic.code = "settings.unreadable"
      diagnostic.category = .invalid
      diagnostic.message = "the settings of this host cannot be read: \(diagnostic.message)"
      diagnostic.why = "what stands there could bind this command"
      return diagnostic
    case .foreign(let path, let reason):
      return .foreign(
        "settings.permissions", .invalid, "`\(path)` can be changed by others than root: \(reason)", reason,
        owner: "root", next: "verity-bpf config show")
    case .notAFile(let path, let kind):
      return Diagnostic(
        "settings.not-a-file", .invalid, "`\(path)` is a \(kind) and no file", expected: "a regular file", found: kind)
    case .tooLarge(let path, let limit):
      return Diagnostic(
        "settings.too-large", .invalid, "`\(path)` is too large to be a file of settings",
        expected: "at most \(limit) bytes")
    case .line(let origin, let reason):
      return Diagnostic(
        "settings.syntax", .invalid, "`\(origin.path)`, line \(origin.line): \(reason)",
        expected: "NAME = VALUE, or a remark after #", why: "the line could be the one that matters")
    case .unknown(let origin, let word):
      return Diagnostic(
        "settings.unknown", .invalid, "`\(origin.path)`, line \(origin.line): there is no setting `\(word)`",
        expected: SettingName.allCases.map(\.rawValue).joined(separator: ", "), found: word,
        why: "a misspelt setting would bind nobody", next: "verity-bpf config show")
    case .value(let origin, let name, let text):
      return Diagnostic(
        "settings.value", .invalid, "`\(origin.path)`, line \(origin.line): `\(text)` is no value of \(name.rawValue)",
        expected: name.kind.expectation, found: text)
    case .binding(let option, let given, let expected, let name, let origin):
      let setting = SettingName.requireActivePolicy.rawValue
      return Diagnostic(
        "settings.binding", .usage,
        "\(option) `\(given)` is refused: \(setting) is set in `\(origin.path)`, line \(origin.line)",
        expected: Self.expectation(of: name, option: option, expected),
        found: given, why: "on this host the settings decide, and not who calls",
        next: "leave \(option) out; verity-bpf config show")
    }
  }

  /// What an option may say where settings bind.
  private static func expectation(of name: SettingName, option: String, _ expected: String?) -> String {
    switch name {
    case .requireActivePolicy: "no \(option): the active policy of the store decides"
    case .auditSync: "\(name.rawValue) as it is set, or a word that waits for more records: \(expected ?? "")"
    case .link: "\(name.rawValue) as it is set: \(expected ?? "")"
    case .policyStore, .auditDirectory, .trustAnchors:
      "\(name.rawValue) as it is set: \(expected ?? "the standard places")"
    }
  }
}
