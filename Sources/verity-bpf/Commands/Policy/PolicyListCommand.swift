import Base
import Policy
import Trust

struct PolicyListCommand: Command {
  static let signers = Key.flag(
    "--signers", "List whose signatures count, the store's identifier and the number of the last statement, instead.")
  static let json = Key.flag("--json", "One object a policy; with --signers one object.")

  static let declaration = Declaration(
    "List the installed policies, and which one decides.", examples: ["verity-bpf policy list"],
    options: StoreOptions.keys + [signers, json])
  static let schema = "verity-bpf/policy-list/1"
  static let signersSchema = "verity-bpf/policy-signers-list/1"

  let options: StoreOptions
  let signers: Bool
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    options = try StoreOptions(words)
    signers = try words[Self.signers]
    json = try words[Self.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let store = try options.store()
    if signers { return try listSigners(store) }
    let policies = try store.list()
    for policy in policies {
      let version = policy.entry.version
      if json {
        try Output.json([
          "schema": .string(Self.schema), "name": .string(policy.name), "version": .string(version.description),
          "active": .bool(policy.isActive), "enforcing": .bool(policy.isEnforcing),
          "signer": .string(policy.signer.description), "message": .string(policy.entry.message.description),
          "revoked": .bool(policy.revocation != nil),
        ])
      } else {
        let marks = (policy.isActive ? "active  " : "        ") + (policy.isEnforcing ? "" : "PERMISSIVE  ")
        let revoked = policy.revocation.map { ", REVOKED by line \($0.line) of \($0.path)" } ?? ""
        try Output.line("\(marks)\(policy.name) \(version)  signed by \(policy.signer)\(revoked)")
      }
    }
    if policies.isEmpty, !json { try Output.line("no policy is installed") }
    return 0
  }

  private func listSigners(_ store: PolicyStore) throws -> Int32 {
    let state = try store.state()
    let signers = try store.signers()
    guard !json else {
      try Output.json([
        "schema": .string(Self.signersSchema), "store": .optional(state.id),
        "counter": .unsigned(state.signersCounter),
        "signers": .array(
          signers.map { ["fingerprint": .string($0.fingerprint.description), "subject": .string($0.subject)] }),
      ])
      return 0
    }
    try Output.line(Output.row("store", state.id ?? "no identifier yet; the next change gives it one"))
    try Output.line(Output.row("statement", "\(state.signersCounter)"))
    for signer in signers { try Output.line(Output.row("signer", "\(signer.fingerprint)  \(signer.subject)")) }
    return 0
  }
}
