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
          "has_trials": .bool(policy.hasTrials),
          "signer": .string(policy.signer.description), "message": .string(policy.entry.message.description),
          "revoked": .bool(policy.revocation != nil),
        ])
      } else {
        let marks =
          (policy.isActive ? "active  " : "        ")
          + (policy.isEnforcing ? policy.hasTrials ? "PARTLY PERMISSIVE  " : "" : "PERMISSIVE  ")
        let revoked = policy.revocation.map { ", REVOKED by line \($0.line) of \($0.path)" } ?? ""
        try Output.line("\(marks)\(policy.name) \(version)  signed by \(policy.signer)\(revoked)")
      }
    }
    if policies.isEmpty, !json { try Output.line("no policy is installed") }
    try listShadow(store)
    return 0
  }

  /// The policy that is judged beside the active one, also where it cannot be used.
  private func listShadow(_ store: PolicyStore) throws {
    guard let named = try store.state().shadow else { return }
    var found: PolicyStore.StoredPolicy?
    var refusal: Diagnostic?
    do throws(PolicyStoreError) { found = try store.shadow() } catch { refusal = error.diagnostic }
    let enforcing = found?.document.header?.enforcing
    if json {
      var members: [JSONValue.Member] = [
        .init("schema", .string(Self.schema)), .init("name", .string(named.name)),
        .init("version", .string(named.entry.version.description)), .init("active", false), .init("shadow", true),
        .init("enforcing", enforcing.map { .bool($0) } ?? .null), .init("signer", .optional(found?.signer.description)),
        .init("message", .string(named.entry.message.description)),
        .init("revoked", .bool(refusal?.code == "provenance.revoked")),
      ]
      if let refusal { members.append(.init("error", refusal.json)) }
      return try Output.json(.object(members))
    }
    let standing = found.map { "signed by \($0.signer)" } ?? "CANNOT BE USED: \(refusal?.message ?? "")"
    let permissive = enforcing == false ? "PERMISSIVE  " : ""
    try Output.line("shadow  \(permissive)\(named.name) \(named.entry.version)  \(standing)")
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
