import Base
import Linux
import Trust

/// `verity-bpf revoked check`: whether a list can be signed, or installed.
struct RevokedCheckCommand: Command {
  static let list: Key<String> = .required("FILE", takes: .file, "The list: its text, or signed.")
  static let json = Key.flag("--json", "One object.")

  static let declaration = Declaration(
    "Check a list of what was revoked.",
    discussion: """
      Of a text its head and every line are read. Of a signed list it is also checked whether this machine would install it: \
      who signed it, and whether its version is above every one before. Nothing is changed.
      """,
    examples: ["verity-bpf revoked check fleet.list"], arguments: [list], options: [RevokedOptions.anchors, json])
  static let schema = "verity-bpf/revoked-check/1"

  let list: String
  let options: RevokedOptions
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    list = try words[Self.list]
    options = try RevokedOptions(words)
    json = try words[Self.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let bytes = try PolicyFile.read(list)
    // A signed list is a message in DER, which begins with the byte of a sequence.
    let checked = bytes.first == 0x30 ? try options.lists().check(bytes, from: list) : nil
    let found = try checked?.list ?? RevocationList(bytes, path: list)
    if let checked, !checked.isSignerValid {
      Output.warnOfExpired("the certificate of the list's signer \(checked.signer)")
    }
    if json {
      try Output.json(
        .object(
          [.init("schema", .string(Self.schema))] + found.jsonMembers + [
            .init("signer", .optional(checked?.signer.description))
          ]))
    } else {
      try Output.line("valid  \(found.line)" + (checked.map { "  signed by \($0.signer)" } ?? "  not signed yet"))
    }
    return 0
  }
}
