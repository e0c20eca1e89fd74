import Base
import KernelABI
import Linux
import Policy
import Trust
import Workbench

/// `verity-bpf revoked install`: a signed list in force.
struct RevokedInstallCommand: Command {
  static let list: Key<String> = .required("FILE", takes: .file, "The signed list (.p7b).")
  static let json = Key.flag("--json", "One object.")

  static let declaration = Declaration(
    "Take a signed list of what was revoked into force.",
    discussion: """
      It counts at once, wherever trust is judged: for loads, mounts, verification and policies. Its version must be above every one \
      that the list of its name had. A list in force that is damaged, gone or past its last day stops all that asks about \
      trust; a newer version of it, or the same file again, puts that right.
      """,
    examples: ["verity-bpf revoked install fleet.p7b"], arguments: [list],
    options: [RevokedOptions.anchors, CommonOptions.auditDirectory, json])
  static let schema = "verity-bpf/revoked-install/1"

  let list: String
  let options: RevokedOptions
  let auditDir: String?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    list = try words[Self.list]
    options = try RevokedOptions(words)
    auditDir = try words[CommonOptions.auditDirectory]
    json = try words[Self.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "the list of `\(list)` is in force" }

  func execute() throws -> Int32 {
    let bytes = try PolicyFile.read(list)
    let lists = try options.lists()
    let log = try PolicyAudit.open(try Site.auditDirectory(auditDir))
    let installed: (checked: RevocationLists.Checked, result: StoreState.Installation)
    do throws(TrustError) {
      installed = try lists.install(bytes, from: list) { (checked) throws(SystemError) in
        try log.write(.revocations(Self.record(checked, errno: 0, log)), serial: 0)
      }
    } catch {
      try? log.write(.revocations(Self.record(nil, errno: -error.errno.rawValue, log)), serial: 0)
      throw error
    }
    let checked = installed.checked
    if !checked.isSignerValid { Output.warnOfExpired("the certificate of the list's signer \(checked.signer)") }
    let word =
      switch installed.result {
      case .added: "installed"
      case .updated: "updated"
      case .unchanged: "unchanged"
      }
    if json {
      try Output.json(
        .object(
          [.init("schema", .string(Self.schema)), .init("result", .string(word))] + checked.list.jsonMembers + [
            .init("message", .string(checked.message.description)),
            .init("signer", .string(checked.signer.description)),
          ]))
    } else {
      try Output.line("\(word)  \(checked.list.line)  signed by \(checked.signer)")
    }
    return 0
  }

  private static func record(
    _ checked: RevocationLists.Checked?, errno: Int32, _ log: PolicyAudit
  ) -> RevocationListRecord {
    RevocationListRecord(
      name: checked?.list.identity.name, version: checked?.list.identity.version.description,
      message: checked?.message.description, signer: checked?.signer.description, count: checked?.list.count ?? 0,
      subject: log.subject, errno: errno)
  }
}
