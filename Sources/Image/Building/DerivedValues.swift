internal import Base
internal import Verity

/// The numbers that name an image and salt its tree. All of them follow from what is packed and the user's seed, so
/// that equal input gives equal images; the fixed words in front keep them from being of use for anything else.
enum DerivedValues {
  /// The file system's UUID: SHA-256(`verity-bpf erofs uuid 2`, NUL, SHA-256(seed), SHA-256(manifest)), cut to 16 bytes
  /// and marked as version 8 (RFC 9562, section 5.8). The manifest names every file by its SHA-256.
  static func fileSystemUUID(seed: [UInt8], manifest: Digest) throws(HashingError) -> VolumeUUID {
    marked(try digest("verity-bpf erofs uuid 2", seed: seed, manifest: manifest))
  }

  /// A UUID for a part of the disk around an image: SHA-256(`domain`, NUL, root hash), cut and marked as above.
  static func uuid(_ domain: String, of rootHash: Digest) throws(HashingError) -> VolumeUUID {
    marked(try Digest.of((Array(domain.utf8) + [0] + rootHash.bytes).rawSpan).bytes)
  }

  /// The first 16 bytes, marked as version 8.
  private static func marked(_ digest: [UInt8]) -> VolumeUUID {
    var bytes = Array(digest.prefix(16))
    bytes[6] = bytes[6] & 0x0f | 0x80
    bytes[8] = bytes[8] & 0x3f | 0x80
    return VolumeUUID(bytes)
  }

  /// The tree's salt: SHA-256(`verity-bpf salt 2`, NUL, SHA-256(seed), SHA-256(manifest)).
  ///
  /// Who could choose content knowing the salt could put hash blocks of a second image into the first one, and have one
  /// signature for both. The manifest names every file by path and SHA-256, and everything else in the file system
  /// follows from these: with any other byte the salt is another.
  static func salt(seed: [UInt8], manifest: Digest) throws(HashingError) -> [UInt8] {
    try digest("verity-bpf salt 2", seed: seed, manifest: manifest)
  }

  private static func digest(_ domain: String, seed: [UInt8], manifest: Digest) throws(HashingError) -> [UInt8] {
    let input = Array(domain.utf8) + [0] + (try Digest.of(seed.rawSpan)).bytes + manifest.bytes
    return try Digest.of(input.rawSpan).bytes
  }
}
