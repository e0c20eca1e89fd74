internal import Base
internal import Glibc

/// Network interfaces of this process's network namespace.
public enum NetworkInterface {
  /// The index of the interface of that name (if_nametoindex(3)). ENODEV: there is none.
  public static func index(named name: String) throws(SystemError) -> UInt32 {
    let index = name.withSystemPath { unsafe if_nametoindex($0) }
    guard index != 0 else { throw .current("if_nametoindex", path: name) }
    return index
  }
}
