internal import KernelABI
internal import Glibc

extension OwnedFD {
  /// Opens a regular file for reading. Nothing is waited for: a FIFO that nobody writes to would keep us for ever.
  ///
  /// A descriptor that was handed over, by the name that it has below /dev/fd, may be a pipe too: whoever hands it over
  /// writes to it.
  ///
  /// - Throws: `SystemError`; EINVAL when it is something else than a file.
  public static func openRegular(_ path: String) throws(SystemError) -> OwnedFD {
    if path == "/dev/stdin" || path.hasPrefix("/dev/fd/") || path.hasPrefix(KernelStatement.openFileName.place("")) {
      return try open(path, .readOnly)
    }
    let file = try open(path, [.readOnly, .nonBlocking])
    let kind = try file.status().kind
    guard kind == .regular else {
      throw SystemError("read a \(kind.rawValue) as a file", path: path, errno: EINVAL)
    }
    return file
  }
}
