internal import Base
internal import Glibc

/// The program that this process runs.
public enum ProcessImage {
  /// What the program was called with, without its own name. `CommandLine.arguments` replaces what is no UTF-8, and a path
  /// would be another file's then.
  public static func words() -> [String] {
    (0..<Int(CommandLine.argc)).dropFirst().compactMap { index in
      unsafe CommandLine.unsafeArgv[index].map { unsafe String(systemCString: $0) }
    }
  }

  /// Ends the process.
  public static func end(_ status: Int32) -> Never { exit(status) }
}
