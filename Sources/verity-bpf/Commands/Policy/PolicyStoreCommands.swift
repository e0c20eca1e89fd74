import ArgumentParser
import AuditText
import ByteKit
import Diagnostics
import JSONText
import LinuxSys
import PolicyStore
import Policy

/// The options of the verbs that work on the store.
struct StoreOptions: ParsableArguments {
  @Option(name: .customLong("store"), help: "The directory of installed policies.")
  var directory = PolicyStore.standardDirectory
  @Option(help: "The directory of the audit log.") var auditDir = "/var/log/verity-bpf"

  var store: PolicyStore { PolicyStore(directory: directory) }
}

struct PolicyInitCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make an empty store, and say whose signatures count.",
    discussion: "Done once a machine. A store that was lost is not made again by itself, because its versions are gone."
  )
  static let schema = "verity-bpf/policy-init/1"

  @OptionGroup var options: StoreOptions
  @Option(help: "The trusted certificates, in PEM; one file with all of them.") var certificate: String

  var wantsJSON: Bool { false }

  func execute() throws -> Int32 {
    try options.store.create(trusting: try CertificateOption.read(certificate))
    try Output.line("made    \(options.directory)")
    return 0
  }
}

struct PolicyInstallCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "install", abstract: "Check a signed policy and put it into the store.",
    discussion:
      "The version must be above the highest the policy ever had. An update of the active policy is active at once.")
  static let schema = "verity-bpf/policy-install/1"

  @Argument(help: "The signed policy (.p7b).") var message: String
  @OptionGroup var options: StoreOptions
  @Flag(help: "One object.") var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let bytes = try PolicyFile.read(message)
    let log = try PolicyAudit.open(options.auditDir)
    let installed: (policy: PolicyStore.StoredPolicy, result: StoreState.Installation)
    do throws(PolicyStoreError) {
      installed = try options.store.install(bytes) { (policy, state) throws(SystemError) in
        try log.write(.load(PolicyAudit.loaded(policy)), serial: state.serial)
      }
    } catch {
      try? log.write(.load(PolicyAudit.refused(error)), serial: 0)
      throw error
    }
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
        "message": .string(installed.policy.entry.message.description),
        "signer": .string(installed.policy.signer.description),
      ])
    } else {
      try Output.line(
        "\(word)  \(header?.nameText ?? "") \(installed.policy.entry.version)  signed by \(installed.policy.signer)")
    }
    return 0
  }
}

struct PolicyActivateCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "activate", abstract: "Make an installed policy the one that decides.",
    discussion: "Its version must not be below that of the policy that was active last, whatever their names.")
  static let schema = "verity-bpf/policy-activate/1"

  @Argument(help: "The policy's name.") var name: String
  @OptionGroup var options: StoreOptions
  @Flag(help: "One object.") var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let log = try PolicyAudit.open(options.auditDir)
    let previous = try options.store.activate(name) { (old, new, state) throws(SystemError) in
      try log.write(
        .activation(
          ActivationRecord(old: old.map { PolicyAudit.named($0) }, new: PolicyAudit.named(new), subject: log.subject)),
        serial: state.serial)
    }
    let active = try options.store.policy(name)
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

struct PolicyRemoveCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove a policy that is not active; its lowest version is remembered.")
  static let schema = "verity-bpf/policy-remove/1"

  @Argument(help: "The policy's name.") var name: String
  @OptionGroup var options: StoreOptions

  var wantsJSON: Bool { false }

  func execute() throws -> Int32 {
    try options.store.remove(name)
    try Output.line("removed  \(name)")
    return 0
  }
}

struct PolicyListCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the installed policies, and which one decides.")
  static let schema = "verity-bpf/policy-list/1"

  @OptionGroup var options: StoreOptions
  @Flag(help: "One object a policy.") var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let state = try options.store.state()
    for (name, entry) in state.policies.sorted(by: { $0.key < $1.key }) {
      let policy = try options.store.policy(name)
      let isActive = state.active == name
      let enforcing = policy.document.header?.enforcing ?? true
      if json {
        try Output.json([
          "schema": .string(Self.schema), "name": .string(name), "version": .string(entry.version.description),
          "active": .bool(isActive), "enforcing": .bool(enforcing), "signer": .string(policy.signer.description),
          "message": .string(entry.message.description),
        ])
      } else {
        let marks = (isActive ? "active  " : "        ") + (enforcing ? "" : "PERMISSIVE  ")
        try Output.line("\(marks)\(name) \(entry.version)  signed by \(policy.signer)")
      }
    }
    if state.policies.isEmpty, !json { try Output.line("no policy is installed") }
    return 0
  }
}
