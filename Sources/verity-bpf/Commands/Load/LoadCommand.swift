import ArgumentParser
import BPFLoad
import LinuxSys

/// `verity-bpf load`: the whole way of an object into the kernel.
struct LoadCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: LoadRun.name,
    abstract: "Prove objects, ask the policy, and load their programs.",
    discussion: """
      The object is proven up to its image's root hash, judged by the policy, and only then handed to the kernel, \
      which applies its CO-RE records itself. Without --pin-path the programs live as long as this command.

      An object on no image (--object without --image) is judged by its own signature, made with `verity-bpf sign file` \
      by somebody among the trust anchors; the policy says which signer is enough.

      Of several objects (--fd, or --object, given more than once) each is decided, recorded and pinned by itself, \
      below --pin-path in a directory named like the object. A failure of one does not keep out the others; the exit \
      code is that of the first. They are loaded on all processors, and one after another with --attach, --target or \
      --verifier-log.

      Examples:
        verity-bpf load --fd 3 --policy demo.pol --pin-path /sys/fs/bpf/demo 3< /mnt/progs/xdp_counter.bpf.o
        verity-bpf load --image progs.raw --object xdp_counter.bpf.o --policy demo.pol
        verity-bpf load --object signed.bpf.o --policy signed.pol --trust-anchors /etc/verity-bpf/trust
      """)
  static let schema = LoadRun.schema

  @OptionGroup var object: ObjectOptions
  @OptionGroup var trust: RootHashOptions
  @OptionGroup var anchors: TrustOptions

  @Option(
    name: .long,
    help: ArgumentHelp("The policy that decides. (default: the active policy of the store)", valueName: "file"))
  var policy: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Pin programs and maps below this directory of a BPF file system.", valueName: "dir"))
  var pinPath: String?

  @Flag(
    name: .long,
    help:
      "Attach each program to what its section names, or to --interface or --cgroup; register struct_ops. Links are pinned too."
  )
  var attach = false

  @Option(name: .long, help: ArgumentHelp("Attach XDP, tcx and netkit programs here.", valueName: "iface"))
  var interface: String?

  @Option(name: .long, help: ArgumentHelp("Attach cgroup programs here: a cgroup2 directory.", valueName: "path"))
  var cgroup: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What a section leaves open: what could stand behind its slash, `ingress` or `egress`, a network namespace's file, `cpu-clock@HZ`, `ipv4/local_in`, a sockmap of the object.",
      valueName: "target"))
  var target: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How many entries a map gets whose size the object leaves open. Can be given several times.",
      valueName: "map=n"))
  var mapEntries: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Have the kernel check each program's own signature with these keys: builtin, secondary, platform, session, or a keyring's serial (Linux 6.18).",
      valueName: "keyring"))
  var keyring: String?

  @Option(name: .long, help: ArgumentHelp("Where the verifier's whole log goes when it refuses.", valueName: "file"))
  var verifierLog: String?

  @Option(name: .long, help: ArgumentHelp("The directory of the audit log.", valueName: "dir"))
  var auditDir = LoadRun.standardAuditDirectory

  @Flag(name: .long, help: "Decide only: load nothing and write no record.")
  var dryRun = false

  @Flag(name: .long, help: "Print one JSON object for each object.")
  var json = false

  var wantsJSON: Bool { json }

  func validate() throws {
    // --target also names the program that an extension replaces a function of, which is settled at the load.
    if !attach, interface != nil || cgroup != nil {
      throw ValidationError("--interface and --cgroup say where to attach: give --attach too.")
    }
    for text in mapEntries where MapEntries(text) == nil {
      throw ValidationError("--map-entries takes MAP=N with N from 1 to \(UInt32.max), not '\(text)'.")
    }
    let sized = mapEntries.compactMap { MapEntries($0)?.map }
    if let twice = sized.first(where: { name in sized.count { $0 == name } > 1 }) {
      throw ValidationError("--map-entries is given twice for map '\(twice)'.")
    }
    if let keyring, KernelKeyring(keyring) == nil {
      throw ValidationError("--keyring takes builtin, secondary, platform, session, or a keyring's serial in decimal.")
    }
  }

  func execute() throws -> Int32 { try loadRun.execute() }

  /// What the arguments say.
  var loadRun: LoadRun {
    var run = LoadRun(objects: object.choice, trusted: trust.trusted)
    run.policy = policy
    run.pinPath = pinPath
    run.attach = attach
    run.interface = interface
    run.cgroup = cgroup
    run.target = target
    run.verifierLog = verifierLog
    run.auditDir = auditDir
    run.dryRun = dryRun
    run.json = json
    run.trustAnchors = anchors.trustAnchors
    run.keyring = keyring.flatMap { KernelKeyring($0) }
    run.mapEntries = mapEntries.compactMap { MapEntries($0) }
    return run
  }
}
