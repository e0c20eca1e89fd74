/// The settings of this host, each with the place that it comes from.
public struct Settings: Sendable {
  /// A line of a file, counted from 1.
  public struct Origin: Equatable, Sendable {
    public let path: String
    public let line: Int
  }

  /// Those that a file sets.
  private var values: [SettingName: (value: SettingValue, origin: Origin)] = [:]
  /// The files that were read, in that order: of two that set the same, the later one counts.
  public private(set) var files: [String] = []

  /// What holds where no file says anything.
  public init() {}

  /// A value, and the line that sets it; nil for the standard value.
  public func value(_ name: SettingName) -> (value: SettingValue, origin: Origin?) {
    values[name].map { ($0.value, $0.origin) } ?? (name.standard, nil)
  }

  /// A directory; nil when none is set and there is no standard one.
  public func directory(_ name: SettingName) -> String? {
    switch value(name).value {
    case .directory(let path): path
    case .flag, .auditSync, .link: nil
    }
  }

  /// Which records of a load are on the disk before the run goes on.
  public var auditSync: AuditSync {
    switch value(.auditSync).value {
    case .auditSync(let sync): sync
    // No value of this setting reads as one of these; were one there, waiting for all records would be right.
    case .directory, .flag, .link: .always
    }
  }

  /// In which process objects are linked.
  public var link: LinkMethod {
    switch value(.link).value {
    case .link(let method): method
    // No value of this setting reads as one of these; were one there, the way with fewer rights would be right.
    case .directory, .flag, .auditSync: .helper
    }
  }

  /// The line that has these settings bind the callers; nil when they do not.
  public var binding: Origin? {
    let (value, origin) = value(.requireActivePolicy)
    return value == .flag(true) ? origin : nil
  }

  /// Takes over what a file says: lines `NAME = VALUE`, and remarks that begin with `#` or `;`.
  ///
  /// - Throws: ``SettingsError`` for a line that is not understood: it could be the one that matters.
  mutating func read(_ text: [UInt8], of path: String) throws(SettingsError) {
    files.append(path)
    var seen: Set<SettingName> = []
    var number = 0
    for bytes in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      let origin = Origin(path: path, line: number)
      guard let line = String(validating: bytes, as: UTF8.self).map(Self.trimmed),
        line.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f || $0 == "\t" })
      else { throw .line(origin, "it is no line of text") }
      if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
      guard let equals = line.firstIndex(of: "=") else { throw .line(origin, "no `NAME = VALUE`") }
      let word = Self.trimmed(String(line[..<equals]))
      guard let name = SettingName(rawValue: word) else { throw .unknown(origin, word) }
      guard seen.insert(name).inserted else { throw .line(origin, "`\(word)` is set twice in this file") }
      let rest = Self.trimmed(String(line[line.index(after: equals)...]))
      guard let value = SettingValue(rest, name.kind) else { throw .value(origin, name, rest) }
      values[name] = (value, origin)
    }
  }

  private static func trimmed(_ text: String) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" || character == "\r" }
    var rest = text[...]
    while let first = rest.first, isBlank(first) { rest.removeFirst() }
    while let last = rest.last, isBlank(last) { rest.removeLast() }
    return String(rest)
  }
}

extension Settings {
  /// The directory that counts for a setting when a caller names one: theirs, but where the settings bind and say another.
  ///
  /// - Parameter option: what the caller gave it with.
  public func chosen(
    _ name: SettingName, by option: String, _ given: String?
  ) throws(SettingsError) -> String? {
    guard let given else { return directory(name) }
    guard let binding else { return given }
    let expected = value(name)
    guard SettingValue(given, .directory) == expected.value else {
      throw .binding(option: option, given: given, expected: expected.value.text, name, binding)
    }
    return given
  }

  /// What counts for `audit-sync` when a caller gives a word: theirs, but where the settings bind and it waits for fewer records.
  ///
  /// - Parameter option: what the caller gave it with.
  public func chosenSync(by option: String, _ given: AuditSync?) throws(SettingsError) -> AuditSync {
    guard let given else { return auditSync }
    guard let binding, given < auditSync else { return given }
    throw .binding(option: option, given: given.rawValue, expected: auditSync.rawValue, .auditSync, binding)
  }

  /// What counts for `link` when a caller gives a word: theirs, but where the settings bind and say the helper.
  ///
  /// - Parameter option: what the caller gave it with.
  public func chosenLink(by option: String, _ given: LinkMethod?) throws(SettingsError) -> LinkMethod {
    guard let given else { return link }
    guard let binding, given < link else { return given }
    throw .binding(option: option, given: given.rawValue, expected: link.rawValue, .link, binding)
  }

  /// Throws when the settings leave no choice of a policy.
  public func requireChoiceOfPolicy(_ given: String, by option: String) throws(SettingsError) {
    guard let binding else { return }
    throw .binding(option: option, given: given, expected: nil, .requireActivePolicy, binding)
  }
}
