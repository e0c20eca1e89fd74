import Base
import KernelABI
import Workbench
import Linux
import Trust
import Policy

/// The options of the verbs that work on the store.
struct StoreOptions {
  static let keys: [any AnyKey] = [CommonOptions.store, CommonOptions.auditDirectory]

  private let givenStore: String?
  private let givenAuditDir: String?

  init(_ words: Words) throws(UsageError) {
    givenStore = try words[CommonOptions.store]
    givenAuditDir = try words[CommonOptions.auditDirectory]
  }

  /// Where the store is; nil when the settings that say so cannot be read.
  var directory: String? { try? Site.store(givenStore) }

  /// The store, which asks this machine's list of revocations too.
  func store() throws -> PolicyStore { PolicyStore(directory: try Site.store(givenStore), trust: try Site.trust(nil)) }

  /// Does something with the store. The log of it is open before anything is done; what does not come to its end leaves one
  /// record that says so, and none that says otherwise.
  ///
  /// - Parameters:
  ///   - refused: records that it failed, and with which errno.
  ///   - body: does it, and records it just before it counts.
  func recorded<Done>(
    refused: (PolicyStore, PolicyAudit, Errno) throws(SystemError) -> Void,
    _ body: (PolicyStore, PolicyAudit) throws -> Done
  ) throws -> Done {
    let (store, log) = (try self.store(), try PolicyAudit.open(try Site.auditDirectory(givenAuditDir)))
    do {
      return try body(store, log)
    } catch {
      do throws(SystemError) {
        try refused(store, log, Self.errno(of: error))
      } catch let failure {
        Output.report(failure.diagnostic)
      }
      throw error
    }
  }

  /// The errno of a failure, for its record; of files that are not what they are to be, EINVAL.
  private static func errno(of failure: any Error) -> Errno {
    switch failure {
    case let error as PolicyStoreError: error.errno
    case let error as SystemError: error.code ?? .eio
    default: .einval
    }
  }

  /// Changes the store by what a file says.
  func change<Done>(
    by file: String, refused: (PolicyStore, PolicyAudit, [UInt8], Errno) throws(SystemError) -> Void,
    _ change: (PolicyStore, [UInt8], PolicyAudit) throws(PolicyStoreError) -> Done
  ) throws -> Done {
    var bytes: [UInt8] = []
    do {
      return try recorded(
        refused: { (store, log, errno) throws(SystemError) in try refused(store, log, bytes, errno) },
        { store, log in
          bytes = try PolicyFile.bytes(of: file)
          return try change(store, bytes, log)
        })
    } catch let error as PolicyStoreError {
      guard PolicyDocument.parse(bytes, dialect: .verityBPF).header != nil else { throw error }
      var diagnostic = error.diagnostic
      diagnostic.found = "the text of a policy, which is not signed"
      diagnostic.next =
        "sign it first: verity-bpf policy sign \(file) --certificate CERTIFICATE --private-key KEY"
      throw DiagnosedFailure(diagnostic)
    }
  }

  /// What most of these verbs work on.
  static let name: Key<String> = .required("NAME", takes: .policyName, "The policy's name.")
  static let json = Key.flag("--json", "One object.")
}

extension PolicyStore.StoredPolicy {
  /// Tells that the policy decides by the word of a certificate that is out of date.
  func warnOfExpiredSigner() {
    if !isSignerValid {
      Output.warnOfExpired("policy `\(document.header?.nameText ?? "")`: the certificate of its signer \(signer)")
    }
  }
}

extension Output {
  /// Tells that certificates which may sign policies from now on are out of date.
  static func warnOfExpiredSigners(_ expired: [Voucher]) {
    for voucher in expired { warnOfExpired("the certificate of `\(voucher.subject)`, \(voucher.signer),") }
  }

  static func warnOfExpired(_ certificate: String) {
    warning("signature.expired", "\(certificate) is not valid today")
  }
}

struct PolicyInitCommand: Command {
  static let certificate: Key<String> = .required(
    "--certificate", takes: .file, "The trusted certificates, in PEM; one file with all of them.")

  static let declaration = Declaration(
    "Make an empty store, and say whose signatures count.",
    discussion:
      "Done once a machine. A store that was lost is not made again by itself, because its versions are gone.",
    examples: ["verity-bpf policy init --certificate cert.pem"],
    options: StoreOptions.keys + [certificate, StoreOptions.json])
  static let schema = "verity-bpf/policy-init/1"

  let options: StoreOptions
  let certificate: String
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    options = try StoreOptions(words)
    certificate = try words[Self.certificate]
    json = try words[StoreOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { options.directory.map { "the store `\($0)` is made" } }

  func execute() throws -> Int32 {
    let (directory, expired) = try options.recorded(
      refused: { (store, log, errno) throws(SystemError) in
        try log.write(log.refused(.initialization, store.directory, errno), serial: 0)
      },
      { store, log in
        let expired = try store.create(trusting: try CertificateOption.read(certificate)) {
          (state) throws(SystemError) in
          try log.write(log.done(.initialization, store.directory), serial: state.serial)
        }
        return (store.directory, expired)
      })
    Output.warnOfExpiredSigners(expired)
    if json {
      let state = try options.store().state()
      try Output.json([
        "schema": .string(Self.schema), "directory": .string(directory), "store": .optional(state.id),
        "signers": .array(try options.store().signers().map { .string($0.fingerprint.description) }),
      ])
    } else {
      try Output.line("made    \(directory)")
    }
    return 0
  }
}

struct PolicyInstallCommand: Command {
  static let message: Key<String> = .required("FILE", takes: .file, "The signed policy (.p7b).")
  static let shadow = Key.flag(
    "--shadow", "Have it judged and recorded beside the active policy, without a say; it is no installed policy then.")

  static let declaration = Declaration(
    "Check a signed policy and put it into the store.",
    discussion: """
      The version must be above the highest the policy ever had. An update of the active policy is active at once.

      With --shadow it is what the next loads are judged by as well, which their records and answers say; what happens, the \
      active policy alone decides. Installed and activated without --shadow, it ends to be the shadow.
      """,
    examples: [
      "verity-bpf policy install bpf.p7b && verity-bpf policy activate bpf",
      "verity-bpf policy install next.p7b --shadow",
    ], arguments: [message],
    options: StoreOptions.keys + [shadow, StoreOptions.json])
  static let schema = "verity-bpf/policy-install/1"

  let message: String
  let shadow: Bool
  let options: StoreOptions
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    message = try words[Self.message]
    shadow = try words[Self.shadow]
    options = try StoreOptions(words)
    json = try words[StoreOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "the policy of `\(message)` is in the store\(shadow ? " as the shadow" : "")" }

  func execute() throws -> Int32 {
    let installed = try options.change(
      by: message,
      refused: { (store, log, bytes, errno) throws(SystemError) in
        try log.write(log.refused(try? store.check(bytes), errno), serial: 0)
      }
    ) { (store, bytes, log) throws(PolicyStoreError) in
      let record = { (policy: PolicyStore.StoredPolicy, state: StoreState) throws(SystemError) in
        try log.write(.load(PolicyAudit.loaded(policy, asShadow: shadow)), serial: state.serial)
      }
      return shadow ? try store.installShadow(bytes, record: record) : try store.install(bytes, record: record)
    }
    installed.policy.warnOfExpiredSigner()
    let word =
      switch installed.result {
      case .added: "installed"
      case .updated: "updated"
      case .unchanged: "unchanged"
      }
    let header = installed.policy.document.header
    if json {
      try Output.json([
        "schema": .string(Self.schema), "result": .string(word), "name": .optional(header?.nameText),
        "version": .optional(header?.version.description), "enforcing": .bool(header?.enforcing ?? true),
        "message": .string(installed.policy.entry.message.description), "shadow": .bool(shadow),
        "signer": .string(installed.policy.signer.description),
      ])
    } else {
      try Output.line(
        "\(word)  \(header?.nameText ?? "") \(installed.policy.entry.version)  signed by \(installed.policy.signer)"
          + (shadow ? "  SHADOW: it is judged and recorded, and decides nothing" : ""))
    }
    return 0
  }
}

struct PolicyActivateCommand: Command {
  static let declaration = Declaration(
    "Make an installed policy the one that decides.",
    discussion: "Its version must not be below that of the policy that was active last, whatever their names.",
    examples: ["verity-bpf policy activate bpf"], arguments: [StoreOptions.name],
    options: StoreOptions.keys + [StoreOptions.json])
  static let schema = "verity-bpf/policy-activate/1"

  let name: String
  let options: StoreOptions
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    name = try words[StoreOptions.name]
    options = try StoreOptions(words)
    json = try words[StoreOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "policy `\(name)` is the active one" }

  func execute() throws -> Int32 {
    let previous = try options.recorded(
      refused: { (_, log, errno) throws(SystemError) in
        try log.write(log.refused(.activation, name, errno), serial: 0)
      },
      { store, log in
        try store.activate(name) { (old, new, state) throws(SystemError) in
          try log.write(
            .activation(
              ActivationRecord(
                old: old.map { PolicyAudit.named($0) }, new: PolicyAudit.named(new), subject: log.subject)),
            serial: state.serial)
        }
      })
    let active = try options.store().policy(name)
    active.warnOfExpiredSigner()
    let enforcing = active.document.header?.enforcing ?? true
    if json {
      try Output.json([
        "schema": .string(Self.schema), "name": .string(name), "version": .string(active.entry.version.description),
        "enforcing": .bool(enforcing), "previous": .optional(previous?.document.header?.nameText),
      ])
    } else {
      try Output.line(
        "active  \(name) \(active.entry.version)" + (enforcing ? "" : "  PERMISSIVE: denials are only recorded"))
    }
    return 0
  }
}

struct PolicyRemoveCommand: Command {
  static let name: Key<String?> = .optional("NAME", takes: .policyName, "The policy's name.")
  static let shadow = Key.flag("--shadow", "Take the shadow policy away, in place of an installed one.")

  static let declaration = Declaration(
    "Remove a policy that is not active; its lowest version is remembered.",
    examples: ["verity-bpf policy remove bpf", "verity-bpf policy remove --shadow"], arguments: [name],
    options: StoreOptions.keys + [shadow, StoreOptions.json])
  static let schema = "verity-bpf/policy-remove/1"

  /// Nil for the shadow.
  let name: String?
  let options: StoreOptions
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    name = try words[Self.name]
    options = try StoreOptions(words)
    json = try words[StoreOptions.json]
    guard try words[Self.shadow] == (name == nil) else { throw UsageError("Give a policy's NAME, or --shadow.") }
  }

  var wantsJSON: Bool { json }
  var done: String? { "\(name.map { "policy `\($0)`" } ?? "the shadow policy") is removed" }

  func execute() throws -> Int32 {
    let operation: StoreRecord.Operation = name == nil ? .shadowRemoval : .removal
    let removed = try options.recorded(
      refused: { (_, log, errno) throws(SystemError) in
        try log.write(log.refused(operation, name ?? "", errno), serial: 0)
      },
      { store, log in
        guard let name else {
          return try store.removeShadow { (name, state) throws(SystemError) in
            try log.write(log.done(operation, name), serial: state.serial)
          }
        }
        try store.remove(name) { (state) throws(SystemError) in
          try log.write(log.done(operation, name), serial: state.serial)
        }
        return name
      })
    if json {
      try Output.json(["schema": .string(Self.schema), "name": .string(removed), "shadow": .bool(name == nil)])
    } else {
      try Output.line("removed  \(name ?? "the shadow policy")")
    }
    return 0
  }
}
