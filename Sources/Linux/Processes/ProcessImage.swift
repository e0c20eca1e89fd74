internal import Glibc

/// The program that this process runs.
public enum ProcessImage {
  /// Ends the process.
  public static func end(_ status: Int32) -> Never { exit(status) }
}
