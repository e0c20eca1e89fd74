internal import CLinuxShim
internal import Glibc

/// A key of type `user` in the calling thread's keyring, which is how a signature is handed to the dm-verity target:
/// the table names the key by its description, and the kernel looks for it in the caller's keyrings.
public enum ThreadKey {
  /// Lends the key to a call on the same thread, then unlinks it.
  public static func with<R>(
    _ description: String, _ payload: [UInt8], _ body: () throws(SystemError) -> R
  ) throws(SystemError) -> R {
    let serial = unsafe payload.withUnsafeBytes { bytes in
      unsafe vb_add_thread_key(description, bytes.baseAddress, bytes.count)
    }
    guard serial >= 0 else { throw .current("add_key", path: description) }
    defer { _ = vb_unlink_thread_key(serial) }
    return try body()
  }
}
