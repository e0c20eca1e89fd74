internal import ByteKit

/// CRC-32C (Castagnoli polynomial, reflected) as EROFS uses it: seed of all ones and no inversion at the end
/// (fs/erofs/super.c, erofs_superblock_csum_verify).
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { (index: UInt32) in
    var remainder = index
    for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0x82f6_3b78 : remainder >> 1 }
    return remainder
  }

  /// The checksum of the bytes.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var remainder = UInt32.max
    for byte in bytes { remainder = remainder >> 8 ^ table[Int((remainder ^ UInt32(byte)) & 0xff)] }
    return remainder
  }
}
