internal import Glibc

extension FileStatus {
  /// Why others than root and this process's user can change the file, or what is in the directory; nil when they cannot.
  ///
  /// - Parameter allowsSticky: whether a directory that all may write to will do when nobody can take away what others
  ///   put there, as /tmp: for those above the one that counts.
  public func foreignControl(allowsSticky: Bool = false) -> String? {
    guard owner == 0 || owner == UInt64(geteuid()) else { return "it belongs to user \(owner)" }
    let isSticky = kind == .directory && mode & 0o1000 != 0
    guard mode & 0o022 == 0 || (allowsSticky && isSticky) else {
      return "its mode \(String(mode, radix: 8)) lets others write"
    }
    return nil
  }
}
