import Admission
import BPFObject
import Linux
import Loader
import Trust

/// `verity-bpf load`: an object from its image into the kernel.
struct LoadCommand: Command {
  static let all = Key.flag(
    "--all",
    "Load the image as a whole, or nothing of it: the objects of its load list, in that order and attached as it says; without a "
      + "list all of them, in the order of their names.")
  static let policy: Key<String?> = .optional(
    "--policy", takes: .file, "The policy that decides. (default: the active policy of the store)")
  static let pinPath: Key<String?> = .optional(
    "--pin-path", takes: .directory, "Pin programs and maps below this directory of a BPF file system.")
  static let replace = Key.flag(
    "--replace",
    "Take the place of the object that is pinned below --pin-path: its maps are carried over, its links and pins pass to the new "
      + "object at once, and on failure it stays.")
  static let freshMaps = Key.flag(
    "--fresh-maps", "With --replace: make all maps anew, and leave behind what is in the old ones.")
  static let attach = Key.flag(
    "--attach",
    "Attach each program to what its section names, or to --interface or --cgroup; register struct_ops. Links are pinned "
      + "too.")
  static let interface: Key<String?> = .optional(
    "--interface", takes: .interface, "Attach XDP, tcx and netkit programs here.")
  static let cgroup: Key<String?> = .optional(
    "--cgroup", takes: .directory, "Attach cgroup programs here: a cgroup2 directory.")
  static let target: Key<String?> = .optional(
    "--target", takes: .place("TARGET"),
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
  static let link: Key<LinkMethod?> = .optional(
    "--link",
    "In which process objects are linked: in-process, this one; helper, verity-bpf-link, which has no rights. (default: as "
      + "`config show` says, or in-process)")
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

      With --replace the object takes the place of the one that is pinned below --pin-path. Maps of the same name, size and types are \
      carried over, links on interfaces, cgroups and network namespaces get the new program without a moment without one, and \
      others (probes, tracepoints) are made before the old ones go, so that an event in between may be counted twice. When \
      anything fails, the old object is in place.

      With --all the image is loaded as a whole: each object is decided and recorded by itself, and pinned in a directory of its own \
      below --pin-path. Where one is refused, those before it are taken away again. With --replace, objects that are pinned there \
      and that the image does not have any more are taken away when all others are in place. Its load list (`build-image --load-list`) says \
      what is attached; --interface and --cgroup are for entries that name none.

      Of several objects (--fd, or --object, given more than once) each is decided, recorded and pinned by itself, \
      below --pin-path in a directory named like the object. A failure of one does not keep out the others; the exit \
      code is that of the first. They are loaded on all processors, and one after another with --attach, --target or \
      --verifier-log.
      """,
    examples: [
      "verity-bpf load --fd 3 --policy demo.pol --pin-path /sys/fs/bpf/demo 3< /mnt/progs/xdp_counter.bpf.o",
      "verity-bpf load --image progs.raw --object xdp_counter.bpf.o --policy demo.pol",
      "verity-bpf load --image progs-2.raw --object xdp_counter.bpf.o --pin-path /sys/fs/bpf/demo --attach --interface eth0 --replace",
      "verity-bpf load --image progs.raw --all --policy demo.pol --pin-path /sys/fs/bpf/progs",
      "verity-bpf load --object signed.bpf.o --policy signed.pol --trust-anchors /etc/verity-bpf/trust",
    ],
    options: ObjectChoice.keys + [all] + optionsOfObjects(attach: [attach]))
  /// The options that do not name objects.
  ///
  /// - Parameter attach: what asks for attaching, where that is left open.
  static func optionsOfObjects(attach: [any AnyKey]) -> [any AnyKey] {
    TrustedRootHash.keys + [CommonOptions.trustAnchors, policy, pinPath, replace, freshMaps, program, withoutProgram]
      + attach
      + [
        attachProgram, interface, cgroup, target, sectionType, set, mapEntries, resolveCore, link, keyring, verifierLog,
        CommonOptions.auditDirectory, CommonOptions.auditSync, dryRun, json,
      ]
  }
  static let schema = "verity-bpf/load/1"

  let objects: ObjectChoice
  /// Whether the image is loaded as a whole.
  let all: Bool
  let trusted: TrustedRootHash
  /// The directory of trust anchors; this machine's by default.
  let trustAnchors: String?
  let policy: String?
  let pinPath: String?
  let replace: Bool
  let freshMaps: Bool
  let attach: Bool
  let interface: String?
  let cgroup: String?
  let target: String?
  /// What is to differ from what the objects say themselves.
  let objectOptions: ObjectOptions
  let resolveCore: CoreResolver?
  let link: LinkMethod?
  /// The keys with which the kernel is to check signatures; nil asks for no such check.
  let keyring: KernelKeyring?
  let verifierLog: String?
  let auditDir: String?
  let auditSync: AuditSync?
  let dryRun: Bool
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    let all = try words[Self.all]
    try self.init(
      words, objects: try ObjectChoice(words, isWhole: all), isWhole: all, attaches: try words[Self.attach])
  }

  /// Reads the options that name no objects (``optionsOfObjects``).
  init(_ words: Words, objects: ObjectChoice, isWhole: Bool, attaches: Bool) throws(UsageError) {
    all = isWhole
    self.objects = objects
    trusted = try TrustedRootHash(words)
    trustAnchors = try words[CommonOptions.trustAnchors]
    policy = try words[Self.policy]
    pinPath = try words[Self.pinPath]
    replace = try words[Self.replace]
    freshMaps = try words[Self.freshMaps]
    var options = ObjectOptions()
    options.choice.only = try words[Self.program].map { FileNamePattern($0) }
    options.choice.without = try words[Self.withoutProgram].map { FileNamePattern($0) }
    options.choice.attached = try words[Self.attachProgram].map { FileNamePattern($0) }
    options.sectionTypes = try words[Self.sectionType]
    options.mapEntries = try words[Self.mapEntries]
    options.variables = try words[Self.set]
    objectOptions = options
    attach = attaches || !options.choice.attached.isEmpty
    interface = try words[Self.interface]
    cgroup = try words[Self.cgroup]
    target = try words[Self.target]
    resolveCore = try words[Self.resolveCore]
    link = try words[Self.link]
    keyring = try words[Self.keyring]
    verifierLog = try words[Self.verifierLog]
    auditDir = try words[CommonOptions.auditDirectory]
    auditSync = try words[CommonOptions.auditSync]
    dryRun = try words[Self.dryRun]
    json = try words[Self.json]
    if replace, pinPath == nil { throw UsageError("--replace is about what is pinned: give --pin-path too.") }
    if freshMaps, !replace { throw UsageError("--fresh-maps is about what is replaced: give --replace too.") }
    // --target also names the program that an extension replaces a function of, which is settled at the load.
    if all, !options.isEmpty || target != nil {
      throw UsageError(
        "With --all the image's load list says which programs are loaded and attached, and the sizes of maps.")
    }
    if !all, !attach, interface != nil || cgroup != nil {
      throw UsageError("--interface and --cgroup say where to attach: give --attach too.")
    }
    if resolveCore == .user, keyring != nil {
      throw UsageError("--resolve-core user changes instructions, whose signatures --keyring has checked.")
    }
    if let map = Self.twice(options.mapEntries.map(\.map)) {
      throw UsageError("--map-entries is given twice for map `\(map)`.")
    }
    if let section = SectionType.givenTwice(options.sectionTypes) {
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

extension LinkMethod: ArgumentChoice {}

extension KernelKeyring: ArgumentValue {
  static var expectation: String { "builtin, secondary, platform, session, or a keyring's serial in decimal" }
  static var kind: ValueKind { .word("KEYRING") }
  init?(argument: String) { self.init(argument) }
  var argument: String { name }
}
