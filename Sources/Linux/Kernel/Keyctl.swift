internal import CLinuxShim
internal import Glibc

/// The kernel's key retention service (keyrings(7)).
public enum Keyctl {
  /// The serials of what is linked to a keyring (KEYCTL_READ).
  ///
  /// - Throws: EACCES when the ring's permissions keep the caller from reading it.
  public static func contents(of serial: Int32) throws(SystemError) -> [Int32] {
    // A ring of ten thousand keys; the largest real one, `.blacklist`, has some hundreds.
    var serials = [Int32](repeating: 0, count: 10_000)
    let size = unsafe serials.withUnsafeMutableBytes { bytes in
      unsafe vb_keyring_read(serial, bytes.baseAddress, bytes.count)
    }
    guard size >= 0 else { throw .current("keyctl KEYCTL_READ", path: "\(serial)") }
    return Array(serials.prefix(size / 4))
  }

  /// `type;uid;gid;permissions;description` (KEYCTL_DESCRIBE).
  public static func description(of serial: Int32) throws(SystemError) -> String {
    var text = [CChar](repeating: 0, count: 4096)
    let size = unsafe text.withUnsafeMutableBufferPointer { buffer in
      unsafe vb_key_describe(serial, buffer.baseAddress, buffer.count)
    }
    guard size >= 0 else { throw .current("keyctl KEYCTL_DESCRIBE", path: "\(serial)") }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
