/// The names of BPF helpers, by number.
public enum HelperNames {
  /// The helper's name without `bpf_`; nil for a number that no kernel has.
  public static func name(_ id: UInt32) -> String? { KnownHelper[id]?.name }

  /// All names; a number is its name's index.
  static var all: [String] { KnownHelper.all.map(\.name) }
}
