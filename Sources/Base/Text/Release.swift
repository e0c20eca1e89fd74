/// The release of everything that is built here together.
public enum Release {
  /// What `--version` prints.
  public static let current = "0.1.0"
}
