import Base
import Linux
import Trust
import Workbench

/// `verity-bpf policy trust`: other signers of policies, by the word of one who counts already.
struct PolicyTrustCommand: Command {
  static let statement: Key<String> = .required(
    "FILE", takes: .file, "The signed statement, as `policy sign-trust` makes it.")

  static let declaration = Declaration(
    "Trust and retire signers of policies, as a signed statement says.",
    discussion: """
      The statement is of this store and has a number above every one before, so that neither another store's nor an old \
      one counts. It is signed by somebody whose policies count. The last signer who counts cannot be retired, nor who \
      signed the active policy. Policies and their lowest versions stay as they are.
      """,
    examples: ["verity-bpf policy trust signers.p7b"], arguments: [statement],
    options: StoreOptions.keys + [StoreOptions.json])
  static let schema = "verity-bpf/policy-trust/1"

  let statement: String
  let options: StoreOptions
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    statement = try words[Self.statement]
    options = try StoreOptions(words)
    json = try words[StoreOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "what the statement `\(statement)` says is in force" }

  func execute() throws -> Int32 {
    let change = try options.change(
      by: statement,
      refused: { (_, log, _, errno) throws(SystemError) in try log.write(log.unchanged(errno), serial: 0) }
    ) { (store, bytes, log) throws(PolicyStoreError) in
      try store.trust(bytes) { (change, state) throws(SystemError) in
        try log.write(.signers(PolicyAudit.changed(change)), serial: state.serial)
      }
    }
    if !change.isSignerValid { Output.warnOfExpired("the certificate of the statement's signer \(change.signer)") }
    Output.warnOfExpiredSigners(change.expired)
    if json {
      try Output.json([
        "schema": .string(Self.schema), "counter": .unsigned(change.counter),
        "added": .array(change.added.map { .string($0.description) }),
        "retired": .array(change.retired.map { .string($0.description) }),
        "signer": .string(change.signer.description),
      ])
    } else {
      try Printout.print(
        change.added.map { Output.row("trusted", "\($0)") } + change.retired.map { Output.row("retired", "\($0)") }
          + [Output.row("statement", "\(change.counter), signed by \(change.signer)")])
    }
    return 0
  }
}
