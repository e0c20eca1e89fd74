import Base
import Trust

/// `verity-bpf config show`: the settings of this host.
struct ConfigShowCommand: Command {
  static let declaration = Declaration(
    "Print each setting of this host, and the line that it comes from.",
    discussion: """
      The settings are in verity-bpf.conf and in verity-bpf.conf.d/*.conf, below /etc/verity-bpf, /run/verity-bpf, \
      /usr/local/lib/verity-bpf and /usr/lib/verity-bpf. A file that is damaged, or that others than root can change, is \
      an error here and for every command that the settings are for.
      """,
    examples: ["verity-bpf config show"], options: [CommonOptions.json])
  static let schema = "verity-bpf/config-show/1"

  let json: Bool

  init(_ words: Words) throws(UsageError) { json = try words[CommonOptions.json] }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let settings = try Site.settings()
    if json {
      try Output.json([
        "schema": .string(Self.schema),
        "settings": .array(SettingName.allCases.map { Self.json($0, settings) }),
        "files": .array(settings.files.map { .string($0) }),
      ])
      return 0
    }
    let width = (SettingName.allCases.map { $0.rawValue.count }.max() ?? 0) + 2
    for name in SettingName.allCases {
      let (value, origin) = settings.value(name)
      let blanks = String(repeating: " ", count: width - name.rawValue.count)
      let place = origin.map { "\($0.path), line \($0.line)" } ?? "default"
      try Output.line("\(name.rawValue)\(blanks)\(value.text ?? "not set")  (\(place))")
    }
    return 0
  }

  private static func json(_ name: SettingName, _ settings: Settings) -> JSONValue {
    let (value, origin) = settings.value(name)
    let shown: JSONValue =
      switch value {
      case .directory(let path): .optional(path)
      case .flag(let isSet): .bool(isSet)
      case .auditSync(let sync): .string(sync.rawValue)
      case .link(let method): .string(method.rawValue)
      }
    return [
      "name": .string(name.rawValue), "value": shown, "file": .optional(origin?.path),
      "line": origin.map { .integer(Int64($0.line)) } ?? .null,
    ]
  }
}
