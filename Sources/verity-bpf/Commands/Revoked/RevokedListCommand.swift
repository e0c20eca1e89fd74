import Base
import Linux
import Trust

/// `verity-bpf revoked list`: which lists of what was revoked are in force here.
struct RevokedListCommand: Command {
  static let json = Key.flag("--json", "One object a list.")

  static let declaration = Declaration(
    "List the signed lists of what was revoked, and whether each can be relied on.",
    discussion: "Exit codes: 0 each of them can; 4 one of them cannot, so that nothing is judged on this machine.",
    examples: ["verity-bpf revoked list"], options: [RevokedOptions.anchors, json])
  static let schema = "verity-bpf/revoked-list/1"

  let options: RevokedOptions
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    options = try RevokedOptions(words)
    json = try words[Self.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let lists = try options.lists().all()
    for installed in lists {
      if json {
        var members: [JSONValue.Member] = [.init("schema", .string(Self.schema))]
        members += installed.list?.jsonMembers ?? [.init("name", .string(installed.name))]
        members += [
          .init("signer", .optional(installed.signer?.description)), .init("file", .string(installed.path)),
          .init("in_force", .bool(installed.problem == nil)),
        ]
        if let problem = installed.problem { members.append(.init("error", problem.diagnostic.json)) }
        try Output.json(.object(members))
      } else {
        let signer = installed.signer.map { "  signed by \($0)" } ?? ""
        let problem = installed.problem.map { "  CANNOT BE RELIED ON: \($0.diagnostic.message)" } ?? ""
        try Output.line("\(installed.list?.line ?? installed.name)\(signer)\(problem)")
      }
    }
    if lists.isEmpty, !json { try Output.line("no list is installed") }
    return lists.contains { $0.problem != nil } ? Diagnostic.Category.integrity.rawValue : 0
  }
}
