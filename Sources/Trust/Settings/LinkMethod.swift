/// In which process objects are linked before they are loaded.
public enum LinkMethod: String, CaseIterable, Comparable, Sendable {
  /// In the loader's own, which reads all of an object's types and relocations.
  case inProcess = "in-process"
  /// In `verity-bpf-link`, which has no rights; the loader reads tables, and checks each edit.
  case helper

  /// The one with fewer rights is the greater.
  public static func < (left: LinkMethod, right: LinkMethod) -> Bool { left == .inProcess && right == .helper }
}
