internal import CHashKernels

/// CRC-32C (Castagnoli polynomial, reflected) as EROFS and ext4 use it: seed of all ones and no inversion at the end
/// (fs/erofs/super.c, erofs_superblock_csum_verify; fs/ext4/ext4.h, ext4_chksum).
public enum CRC32C {
  /// The checksum of the bytes, by the processor's own instruction where there is one.
  ///
  /// - Parameter seed: the checksum of what comes before them.
  public static func checksum(_ bytes: [UInt8], from seed: UInt32 = .max) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { unsafe vb_crc32c(seed, $0.baseAddress, $0.count) }
  }

  /// The same without that instruction.
  static func portableChecksum(_ bytes: [UInt8]) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { unsafe vb_crc32c_portable(.max, $0.baseAddress, $0.count) }
  }
}
