internal import CLinuxShim
internal import Glibc

/// A file descriptor with one owner; it is closed when the owner goes.
///
/// Members are not `@inlinable` on purpose: inlined non-copyable destructors have met compiler faults across modules.
public struct OwnedFD: ~Copyable, Sendable {
  private let raw: CInt

  /// Takes ownership of a descriptor that nobody else will close.
  public init(adopting raw: CInt) { self.raw = raw }

  deinit { _ = vb_close(raw) }

  /// Closes and reports what close(2) said, which on a written file can be a lost write.
  public consuming func close() throws(SystemError) {
    let descriptor = raw
    discard self
    if vb_close(descriptor) != 0 { throw .current("close") }
  }

  /// Gives the descriptor up without closing it.
  public consuming func release() -> CInt {
    let descriptor = raw
    discard self
    return descriptor
  }

  /// Lends the number for a call; it must not outlive the closure.
  public borrowing func withRaw<R: ~Copyable, E: Error>(_ body: (CInt) throws(E) -> R) throws(E) -> R {
    try body(raw)
  }

  /// Another descriptor of the same open file, numbered 3 or more, close-on-exec.
  public borrowing func duplicate() throws(SystemError) -> OwnedFD {
    try OwnedFD.duplicating(raw)
  }

  /// A descriptor of the open file that the process inherited under `number`, numbered 3 or more, close-on-exec.
  public static func duplicating(_ number: CInt) throws(SystemError) -> OwnedFD {
    let copy = vb_fcntl_dupfd_cloexec(number)
    guard copy >= 0 else { throw .current("fcntl F_DUPFD_CLOEXEC") }
    return OwnedFD(adopting: copy)
  }
}
