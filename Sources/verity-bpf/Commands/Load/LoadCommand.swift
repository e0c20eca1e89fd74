import Admission
import BPFObject
import Linux
import Loader
import Trust

/// `verity-bpf load`: an object from its image into the kernel.
struct LoadCommand: Command {
  static let policy: Key<String?> = .optional(
    "--policy", takes: .file, "The policy that decides. (default: the active policy of the store)")
  static let pinPath: Key<String?> = .optional(
    "--pin-path", takes: .directory, "Pin programs and maps below this directory of a BPF file system.")
  static let attach = Key.flag(
    "--attach",
    "Attach each program to what its section names, or to --interface or --cgroup; register struct_ops. Links are pinned "
      + "too.")
  static let interface: Key<String?> = .optional(
    "--interface", takes: .interface, "Attach XDP, tcx and netkit programs here.")
  static let cgroup: Key<String?> = .optional(
    "--cgroup", takes: .directory, "Attach cgroup programs here: a cgroup2 directory.")
  static let target: Key<String?> = .optional(
    "--target", takes: .word("TARGET"),
    "What a section leaves open: what could stand behind its slash, `ingress` or `egress`, a network namespace's file, "
      + "`cpu-clock@HZ`, `ipv4/local_in`, a sockmap of the object.")
  static let program: Key<[String]> = .repeated(
    "--program", takes: .word("NAME"),
    "Load only this program, which may be an optional one (`SEC(\"?xdp\")`): a name, or a pattern such as `handle_*`. Can be "
      + "given several times.")
  static let withoutProgram: Key<[String]> = .repeated(
    "--without-program", takes: .word("NAME"), "Load all programs but this one. Can be given several times.")
  static let attachProgram: Key<[String]> = .repeated(
    "--attach-program", takes: .word("NAME"),
    "Attach only this program of those that are loaded. Can be given several times.")
  static let mapEntries: Key<[MapEntries]> = .repeated(
    "--map-entries", "How many entries a map gets whose size the object leaves open. Can be given several times.")
  static let sectionType: Key<[SectionType]> = .repeated(
    "--section-type",
    "What the programs of a section are whose name does not say it, as one of libbpf's section names: `filter=socket`. Can be "
      + "given several times.")
  static let set: Key<[VariableSetting]> = .repeated(
    "--set",
    "Give a `const volatile` variable of the object this value before it is frozen: `targ_pid=7`, `enabled=true`, "
      + "`name=eth0`, `ports=[80,443]`, `filter.min_us=1000`. Can be given several times.")
  static let resolveCore: Key<CoreResolver?> = .optional(
    "--resolve-core",
    "Who answers CO-RE records that the kernel does not follow, and refuses the program for: the kernel (the default), or "
      + "`user`, this command, which lists the instructions that get an answer.")
  static let keyring: Key<KernelKeyring?> = .optional(
    "--keyring",
    "Have the kernel check each program's own signature with these keys: builtin, secondary, platform, session, or a "
      + "keyring's serial (Linux 6.18).")
  static let verifierLog: Key<String?> = .optional(
    "--verifier-log", takes: .file,
    "Where the verifier's whole log goes when it refuses. (default: the newest are kept below the audit directory, in "
      + "verifier-logs)")
  static let dryRun = Key.flag(
    "--dry-run", "Load nothing and write no record: decide, and look for all else that a load would need.")
  static let json = Key.flag("--json", "Print one JSON object for each object.")

  static let declaration = Declaration(
    "Prove objects, ask the policy, and load their programs.",
    discussion: """
      The object is proven up to its image's root hash, judged by the policy, and only then handed to the kernel, \
      which applies its CO-RE records itself. Without --pin-path the programs live as long as this command.

      An object on no image (--object without --image) is judged by its own signature, made with `verity-bpf sign file` \
      by somebody among the trust anchors; the policy says which signer is enough.

      Of several objects (--fd, or --object, given more than once) each is decided, recorded and pinned by itself, \
      below --pin-path in a directory named like the object. A failure of one does not keep out the others; the exit \
      code is that of the first. They are loaded on all processors, and one after another with --attach, --target or \
      --verifier-log.
      """,
    examples: [
      "verity-bpf load --fd 3 --policy demo.pol --pin-path /sys/fs/bpf/demo 3< /mnt/progs/xdp_counter.bpf.o",
      "verity-bpf load --image progs.raw --object xdp_counter.bpf.o --policy demo.pol",
      "verity-bpf load --object signed.bpf.o --policy signed.pol --trust-anchors /etc/verity-bpf/trust",
    ],
    options: ObjectChoice.keys + TrustedRootHash.keys
      + [
        CommonOptions.trustAnchors, policy, pinPath, program, withoutProgram, attach, attachProgram, interface, cgroup,
        target, sectionType, set, mapEntries, resolveCore, keyring, verifierLog,
        CommonOptions.auditDirectory, CommonOptions.auditSync, dryRun, json,
      ])
  static let schema = "verity-bpf/load/1"

  let objects: ObjectChoice
  let trusted: TrustedRootHash
  /// The directory of trust anchors; this machine's by default.
  let trustAnchors: String?
  let policy: String?
  let pinPath: String?
  let attach: Bool
  let interface: String?
  let cgroup: String?
  let target: String?
  /// What is to differ from what the objects say themselves.
  let objectOptions: ObjectOptions
  let resolveCore: CoreResolver?
  /// The keys with which the kernel is to check signatures; nil asks for no such check.
  let keyring: KernelKeyring?
  let verifierLog: String?
  let auditDir: String?
  let auditSync: AuditSync?
  let dryRun: Bool
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    objects = try ObjectChoice(words)
    trusted = try TrustedRootHash(words)
    trustAnchors = try words[CommonOptions.trustAnchors]
    policy = try words[Self.policy]
    pinPath = try words[Self.pinPath]
    var options = ObjectOptions()
    options.choice.only = try words[Self.program].map { FileNamePattern($0) }
    options.choice.without = try words[Self.withoutProgram].map { FileNamePattern($0) }
    options.choice.attached = try words[Self.attachProgram].map { FileNamePattern($0) }
    options.sectionTypes = try words[Self.sectionType]
    options.mapEntries = try words[Self.mapEntries]
    options.variables = try words[Self.set]
    objectOptions = options
    attach = try words[Self.attach] || !options.choice.attached.isEmpty
    interface = try words[Self.interface]
    cgroup = try words[Self.cgroup]
    target = try words[Self.target]
    resolveCore = try words[Self.resolveCore]
    keyring = try words[Self.keyring]
    verifierLog = try words[Self.verifierLog]
    auditDir = try words[CommonOptions.auditDirectory]
    auditSync = try words[CommonOptions.auditSync]
    dryRun = try words[Self.dryRun]
    json = try words[Self.json]
    // --target also names the program that an extension replaces a function of, which is settled at the load.
    if !attach, interface != nil || cgroup != nil {
      throw UsageError("--interface and --cgroup say where to attach: give --attach too.")
    }
    if resolveCore == .user, keyring != nil {
      throw UsageError("--resolve-core user changes instructions, whose signatures --keyring has checked.")
    }
    if let map = Self.twice(options.mapEntries.map(\.map)) {
      throw UsageError("--map-entries is given twice for map `\(map)`.")
    }
    if let section = Self.twice(options.sectionTypes.map(\.section)) {
      throw UsageError("--section-type is given twice for section `\(section)`.")
    }
    if let place = Self.twice(options.variables.map(\.place)) {
      throw UsageError("--set is given twice for `\(place)`.")
    }
  }

  var wantsJSON: Bool { json }

  /// The first name that is there before already.
  private static func twice(_ names: [String]) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0).inserted }
  }
}

extension SectionType: ArgumentValue {
  static var expectation: String { "SECTION=TYPE with one of libbpf's section names as TYPE, such as filter=socket" }
  static var kind: ValueKind { .word("SECTION=TYPE") }
  init?(argument: String) { self.init(argument) }
  var argument: String { "\(section)=\(type)" }
}

extension VariableSetting: ArgumentValue {
  static var expectation: String { "VARIABLE=VALUE with a NAME, NAME.MEMBER or NAME[INDEX] as VARIABLE" }
  static var kind: ValueKind { .word("VARIABLE=VALUE") }
  init?(argument: String) { self.init(argument) }
  var argument: String { "\(place)=\(value)" }
}

extension MapEntries: ArgumentValue {
  static var expectation: String { "MAP=N with N from 1 to \(UInt32.max)" }
  static var kind: ValueKind { .word("MAP=N") }
  init?(argument: String) { self.init(argument) }
  var argument: String { "\(map)=\(entries)" }
}

/// Who answers the CO-RE records that the kernel does not follow.
enum CoreResolver: String, ArgumentChoice, CaseIterable {
  case kernel
  case user
}

extension KernelKeyring: ArgumentValue {
  static var expectation: String { "builtin, secondary, platform, session, or a keyring's serial in decimal" }
  static var kind: ValueKind { .word("KEYRING") }
  init?(argument: String) { self.init(argument) }
  var argument: String { name }
}
