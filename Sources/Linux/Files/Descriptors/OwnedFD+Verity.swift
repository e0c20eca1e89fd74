internal import CLinuxShim
internal import Glibc

/// What the kernel says of an open file with fs-verity (Documentation/filesystems/fsverity.rst).
public struct VerityMeasurement: Equatable, Sendable {
  /// FS_VERITY_HASH_ALG_*: 1 for SHA-256, 2 for SHA-512.
  public let algorithm: UInt16
  public let digest: [UInt8]
}

extension OwnedFD {
  /// FS_IOC_MEASURE_VERITY: the digest the file was given when fs-verity was enabled. It says nothing about the bytes
  /// that are read now.
  ///
  /// - Throws: ENODATA without fs-verity on this file, ENOTTY on file systems that have none, EOPNOTSUPP on kernels.
  public borrowing func measureVerity() throws(SystemError) -> VerityMeasurement {
    var algorithm: UInt16 = 0
    var digest = [UInt8](repeating: 0, count: 64)
    let size = withRaw { fd in
      unsafe digest.withUnsafeMutableBytes { bytes in
        unsafe vb_verity_measure(fd, &algorithm, bytes.baseAddress, bytes.count)
      }
    }
    guard size >= 0 else { throw .current("ioctl FS_IOC_MEASURE_VERITY") }
    return VerityMeasurement(algorithm: algorithm, digest: Array(digest.prefix(Int(size))))
  }

  /// FS_IOC_READ_VERITY_METADATA of the descriptor, without the signature behind it (5.12 and later).
  public borrowing func verityDescriptor() throws(SystemError) -> [UInt8] {
    try verityMetadata(UInt64(VB_VERITY_METADATA_DESCRIPTOR), limit: 4096)
  }

  /// FS_IOC_READ_VERITY_METADATA of the builtin signature, a PKCS#7 message in DER. ENODATA when there is none.
  public borrowing func veritySignature() throws(SystemError) -> [UInt8] {
    // FS_VERITY_MAX_SIGNATURE_SIZE of the kernel is 16128 bytes.
    try verityMetadata(UInt64(VB_VERITY_METADATA_SIGNATURE), limit: 1 << 16)
  }

  private borrowing func verityMetadata(_ type: UInt64, limit: Int) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: limit)
    while bytes.count < limit {
      let got = withRaw { fd in
        unsafe chunk.withUnsafeMutableBytes { buffer in
          unsafe vb_verity_metadata(fd, type, UInt64(bytes.count), buffer.baseAddress, buffer.count)
        }
      }
      if got < 0, Glibc.errno == EINTR { continue }
      guard got >= 0 else { throw .current("ioctl FS_IOC_READ_VERITY_METADATA") }
      if got == 0 { break }
      bytes += chunk.prefix(Int(got))
    }
    return bytes
  }
}
