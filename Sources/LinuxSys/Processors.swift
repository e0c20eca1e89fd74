internal import Glibc

/// The machine's processors.
public enum Processors {
  /// How many are online (sysconf(3)); at least one.
  public static var online: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }
}
