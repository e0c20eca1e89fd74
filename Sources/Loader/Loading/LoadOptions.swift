public import KernelABI
public import Linux

/// What a load may be told besides the object.
public struct LoadOptions: Sendable {
  /// The directory in a BPF file system that gets `prog/<name>` and `map/<name>`; nil pins nothing, and then the
  /// programs live as long as the ``LoadedObject`` does.
  public var pinPath: String?
  /// The programs to attach, by their names or patterns of them; empty for all.
  public var attachedPrograms: [FileNamePattern] = []
  /// Whether each program is attached, with its link pinned as `link/<name>`: to what its section names (`raw_tp/…`,
  /// `tp_btf/…`, `fentry/…`, `lsm/…`, `iter/…`), or to ``interface`` or ``cgroup``. Structures of functions are
  /// registered. A program that nothing says a place for is refused then.
  public var attaches = false
  /// The network interface for XDP, tcx and netkit programs, by name.
  public var interface: String?
  /// The cgroup's directory, for programs that are attached to a cgroup.
  public var cgroup: String?
  /// What the section leaves open: what could stand behind its slash, `ingress` or `egress`, the file of a network
  /// namespace (this process's own when it is nil), the pinned program whose function is replaced … (docs/loading.md
  /// has them all).
  public var attachTarget: String?
  /// Capabilities that the analysis of instructions and maps found to be needed, beside those of the programs' types.
  public var capabilities: Set<Capability> = []
  /// Whether what is pinned at ``pinPath`` is replaced: its maps are carried over and its links moved, see ``ReplacedObject``.
  public var replaces = false
  /// The pins of objects that are taken away when this load has taken its place, by their directories: their links may be taken over.
  public var endedObjects: [String] = []
  /// Whether the maps of what is replaced are left behind, with all that is in them.
  public var freshMaps = false
  /// Called after each step of a replacement, which fails with what it throws. For tests.
  var fault: Fault?
  /// Where the verifier's whole log goes when it refuses; nil keeps it among the newest in ``logDirectory``.
  public var verifierLog: String?
  /// Where the newest logs are kept that have no name given; nil keeps none.
  public var logDirectory: String?

  typealias Fault = @Sendable (ReplacementStep) throws(BPFLoadError) -> Void

  public init() {}

  /// Whether a program of this name is attached.
  func attaches(_ program: String) -> Bool {
    attaches && (attachedPrograms.isEmpty || attachedPrograms.contains { $0.matches(program) })
  }
}
