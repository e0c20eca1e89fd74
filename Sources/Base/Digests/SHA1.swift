/// SHA-1 by OpenSSL, for one purpose: the kernel's tag of a program is eight bytes of it before Linux 6.18. Nothing is trusted
/// by it.
public enum SHA1 {
  /// The 20 bytes of the digest; nil where OpenSSL does not provide it.
  public static func digest(of bytes: [UInt8]) -> [UInt8]? {
    guard let hash = OpenSSLHash(named: "SHA1", prefix: [UInt8]().rawSpan) else { return nil }
    var output = [UInt8](repeating: 0, count: 20)
    let isDone =
      unsafe bytes.withUnsafeBytes { unsafe hash.update($0) }
      && output.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return false }
        return unsafe hash.finish(into: start)
      }
    return isDone ? output : nil
  }
}
