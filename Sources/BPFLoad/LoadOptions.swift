/// What a load may be told besides the object.
public struct LoadOptions: Sendable {
  /// The directory in a BPF file system that gets `prog/<name>` and `map/<name>`; nil pins nothing, and then the
  /// programs live as long as the ``LoadedObject`` does.
  public var pinPath: String?
  /// The programs to load, by name; nil loads all that the object does not mark optional (`SEC("?…")`).
  public var programs: [String]?
  /// Whether each program is attached to what its section names (`raw_tp/…`, `tp_btf/…`, `fentry/…`, `lsm/…`,
  /// `iter/…`), with its link pinned as `link/<name>`. A program whose target is not in its section is refused then.
  public var attaches = false
  /// Where the verifier's whole log goes when it refuses; nil chooses a new file in ``logDirectory``.
  public var verifierLog: String?
  /// Where logs go that have no name given: a directory that only root writes to, or one with the sticky bit.
  public var logDirectory = "/tmp"

  public init() {}
}
