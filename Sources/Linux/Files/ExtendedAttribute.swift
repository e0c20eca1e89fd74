internal import Base
internal import CLinuxShim
internal import Glibc
internal import KernelABI

/// Attributes of files by name (xattr(7)).
public enum ExtendedAttribute {
  /// The value of an attribute of the file that a path leads to; nil when there is no such file or attribute, or the file
  /// system has none.
  ///
  /// - Parameter limit: the bytes that a value may have.
  /// - Throws: `SystemError`; ERANGE when it has more.
  public static func read(_ name: String, of path: String, limit: Int) throws(SystemError) -> [UInt8]? {
    var value = [UInt8](repeating: 0, count: limit)
    let count = path.withSystemPath { path in
      unsafe value.withUnsafeMutableBytes { unsafe vb_getxattr(path, name, $0.baseAddress, UInt($0.count)) }
    }
    guard count < 0 else { return Array(value.prefix(count)) }
    let error = SystemError.current("getxattr \(name)", path: path)
    guard [.enodata, .enoent, .enotdir, .eopnotsupp].contains(error.code) else { throw error }
    return nil
  }
}
