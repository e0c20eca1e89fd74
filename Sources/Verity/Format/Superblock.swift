internal import Base

/// The dm-verity superblock: 512 little-endian bytes that say how a tree was made.
///
/// Written and read by libcryptsetup (`lib/verity/verity.c`, `struct verity_sb`); the kernel never sees it. Nothing
/// in it is under the root hash. A wrong value makes the proof fail, except for ``uuid``, which is only a name.
///
/// | offset | field |
/// |---|---|
/// | 0 | signature `verity\0\0` |
/// | 8 | u32 version, 1 |
/// | 12 | u32 hash type, 1 |
/// | 16 | UUID, 16 bytes |
/// | 32 | algorithm, 32 bytes, NUL-padded |
/// | 64, 68 | u32 data block size, u32 hash block size |
/// | 72 | u64 data blocks |
/// | 80 | u16 salt size, then 6 zero bytes |
/// | 88 | salt, 256 bytes, then 168 zero bytes |
public struct Superblock: Hashable, Sendable {
  /// Bytes a superblock has; its offset is a multiple of this too.
  public static let byteCount = 512

  /// Algorithm, block sizes, number of data blocks and salt: all that the proof depends on.
  public let parameters: VerityParameters
  /// A name; no proof depends on it.
  public let uuid: VolumeUUID

  /// What a superblock begins with.
  public static let signature = Array("verity\0\0".utf8)

  /// A superblock for an image that is being built.
  ///
  /// - Parameter uuid: by default the one derived from the salt, so that equal images have equal bytes.
  public init(parameters: VerityParameters, uuid: VolumeUUID) {
    self.parameters = parameters
    self.uuid = uuid
  }

  /// Reads a superblock, strictly: every byte is accounted for.
  ///
  /// - Parameters:
  ///   - bytes: at least 512; what follows them is not looked at.
  ///   - offset: where in its source the superblock lies, for the error's text.
  /// - Throws: ``VerityError/noSuperblock(offset:)``, ``VerityError/superblock(_:offset:)`` naming the first field
  ///   that is not acceptable, ``VerityError/unsupported(_:offset:)`` naming the first that is and is not taken here, or ``VerityError/truncated(_:expected:actual:)``.
  public init(parsing bytes: borrowing RawSpan, offset: UInt64 = 0) throws(VerityError) {
    let fields: Fields
    do throws(ByteError) {
      fields = try Fields(reading: bytes)
    } catch {
      throw .truncated(.superblock, expected: UInt64(Self.byteCount), actual: UInt64(bytes.byteCount))
    }
    guard fields.signature == Self.signature else { throw .noSuperblock(offset: offset) }
    do throws(VerityError) {
      parameters = try fields.parameters()
    } catch {
      if case .parameter(let fault) = error { throw .superblock(fault, offset: offset) }
      if case .unsupported(let fault, _) = error { throw .unsupported(fault, offset: offset) }
      throw error
    }
    uuid = VolumeUUID(fields.uuid)
  }

  /// The superblock's 512 bytes.
  public func serialized() -> [UInt8] {
    var bytes = Self.signature
    bytes.reserveCapacity(Self.byteCount)
    bytes.appendLittleEndian(UInt32(1))
    bytes.appendLittleEndian(UInt32(1))
    bytes += uuid.bytes
    bytes += Array(parameters.algorithm.rawValue.utf8)
    bytes += repeatElement(0, count: 64 - bytes.count)
    bytes.appendLittleEndian(UInt32(parameters.dataBlockSize))
    bytes.appendLittleEndian(UInt32(parameters.hashBlockSize))
    bytes.appendLittleEndian(parameters.dataBlockCount)
    bytes.appendLittleEndian(UInt16(parameters.salt.count))
    bytes += repeatElement(0, count: 6)
    bytes += parameters.salt
    bytes += repeatElement(0, count: Self.byteCount - bytes.count)
    return bytes
  }

  /// The UUID that this project gives the images it builds: the first 16 bytes of
  /// SHA-256(`verity-bpf superblock uuid`, NUL, salt), marked as version 8 (RFC 9562, section 5.8).
  ///
  /// The root hash does not cover the UUID. Deriving it takes away the choice, and with it the room to hide
  /// something in it.
  public static func derivedUUID(salt: [UInt8]) throws(VerityError) -> VolumeUUID {
    let input = Array("verity-bpf superblock uuid\0".utf8) + salt
    do throws(HashingError) {
      let digest = try Digest.of(input.rawSpan)
      var bytes = Array(digest.bytes.prefix(16))
      bytes[6] = bytes[6] & 0x0f | 0x80
      bytes[8] = bytes[8] & 0x3f | 0x80
      return VolumeUUID(bytes)
    } catch {
      throw .hashing(error)
    }
  }
}

/// Sixteen bytes that name a volume; the text form writes them in their order.
public struct VolumeUUID: Hashable, Sendable, CustomStringConvertible {
  /// Exactly 16.
  public let bytes: [UInt8]

  /// - Parameter bytes: longer input is cut, shorter filled with zeros.
  public init(_ bytes: [UInt8]) {
    self.bytes = Array((bytes + repeatElement(0, count: 16)).prefix(16))
  }

  /// Lower-case groups of 8, 4, 4, 4 and 12 digits.
  public var description: String {
    let digits = Array(Hex.encode(bytes))
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.separated(by: "-")
  }
}

/// The fields as they lie on disk, not judged yet.
private struct Fields {
  let signature: [UInt8]
  let version: UInt32
  let hashType: UInt32
  let uuid: [UInt8]
  let algorithm: [UInt8]
  let dataBlockSize: UInt32
  let hashBlockSize: UInt32
  let dataBlocks: UInt64
  let saltSize: UInt16
  let salt: [UInt8]
  let paddingIsZero: Bool

  init(reading bytes: borrowing RawSpan) throws(ByteError) {
    signature = try bytes.slice(at: 0, count: 8).copyBytes()
    version = try bytes.u32(at: 8)
    hashType = try bytes.u32(at: 12)
    uuid = try bytes.slice(at: 16, count: 16).copyBytes()
    algorithm = try bytes.slice(at: 32, count: 32).copyBytes()
    dataBlockSize = try bytes.u32(at: 64)
    hashBlockSize = try bytes.u32(at: 68)
    dataBlocks = try bytes.u64(at: 72)
    saltSize = try bytes.u16(at: 80)
    salt = try bytes.slice(at: 88, count: 256).copyBytes()
    let beforeSalt = try bytes.slice(at: 82, count: 6)
    let afterSalt = try bytes.slice(at: 344, count: 168)
    paddingIsZero = beforeSalt.isAllZero && afterSalt.isAllZero
  }

  func parameters() throws(VerityError) -> VerityParameters {
    guard version == 1 else { throw .parameter(FieldFault("version", found: "\(version)", allowed: "1")) }
    guard hashType <= 1 else {
      throw .parameter(FieldFault("hash type", found: "\(hashType)", allowed: "1 (salt before the block)"))
    }
    let name = algorithm.prefix { $0 != 0 }
    guard algorithm.dropFirst(name.count).allSatisfy({ $0 == 0 }), 1..<algorithm.count ~= name.count,
      name.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    else {
      throw .parameter(FieldFault("hash algorithm", found: printable(algorithm), allowed: "sha256 or sha512"))
    }
    guard Int(saltSize) <= salt.count else {
      throw .parameter(FieldFault("salt size", found: "\(saltSize)", allowed: "at most 256 bytes"))
    }
    guard paddingIsZero, salt.dropFirst(Int(saltSize)).allSatisfy({ $0 == 0 }) else {
      throw .parameter(FieldFault("padding", found: "bytes that are not zero", allowed: "zeros"))
    }
    // Every field is sound by now; what follows are those that this build knows and does not take.
    guard hashType == 1 else {
      throw .unsupported(
        FieldFault("hash type", found: "0 (salt behind the block, Chrome OS)", allowed: "1 (salt before the block)"),
        offset: 0)
    }
    guard let algorithm = VerityParameters.algorithms.first(where: { name.elementsEqual($0.rawValue.utf8) }) else {
      throw .unsupported(
        FieldFault("hash algorithm", found: printable(algorithm), allowed: "sha256 or sha512"), offset: 0)
    }
    for (field, size) in [("data block size", dataBlockSize), ("hash block size", hashBlockSize)] {
      let largest = UInt32(VerityParameters.blockSizes.upperBound)
      guard size <= largest || size > VerityParameters.largestBlockSize || size.nonzeroBitCount != 1 else {
        throw .unsupported(FieldFault(field, found: "\(size)", allowed: "at most \(largest)"), offset: 0)
      }
    }
    return try VerityParameters(
      algorithm: algorithm, dataBlockSize: Int(dataBlockSize), hashBlockSize: Int(hashBlockSize),
      dataBlockCount: dataBlocks, salt: Array(salt.prefix(Int(saltSize))))
  }

  /// The name for an error's text: a hostile superblock must not write to the terminal.
  private func printable(_ name: [UInt8]) -> String {
    let shown = name.prefix { $0 != 0 }
    guard !shown.isEmpty, shown.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      name.dropFirst(shown.count).allSatisfy({ $0 == 0 })
    else { return "hex \(Hex.encode(name))" }
    return String(decoding: shown, as: UTF8.self)
  }
}
