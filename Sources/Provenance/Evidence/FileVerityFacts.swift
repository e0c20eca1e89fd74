internal import KernelABI
public import Base
internal import Verity
internal import Linux
internal import Signatures
internal import Trust

/// A file with fs-verity: what the kernel says of it, and our own proof that the bytes are those it means.
public struct FileVerityFacts: Equatable, Sendable {
  /// A builtin signature of the digest, put to the file when fs-verity was enabled.
  public struct Signature: Equatable, Sendable {
    /// Whether the kernel checked it when the file was opened: it does where it was built with
    /// CONFIG_FS_VERITY_BUILTIN_SIGNATURES, against the keys in `.fs-verity`, which root may fill.
    public let isCheckedByKernel: Bool
    /// SHA-256 of the signer's certificate, when it is one of the trust anchors and valid now; checked here.
    public let signer: Digest?
    /// The set of trust anchors it is in.
    public let anchors: String?
    /// Why no anchor vouches for it, as the code of a diagnostic.
    public let refusal: String?
  }

  /// The file's digest (`fsverity_digest=`), named by the kernel for the open file, and computed by us over the bytes.
  public let digest: Digest
  /// Bytes of a block.
  public let blockSize: Int
  public let salt: [UInt8]
  /// Nil when there is none.
  public let signature: Signature?
}

extension FileVerityFacts {
  /// The file systems whose own code answers for fs-verity (Documentation/filesystems/fsverity.rst). On any other a
  /// process or a machine elsewhere may answer: FUSE passes the questions on (Linux 6.10).
  private static let answering: Set<UInt64> = Set(
    [FileSystemMagic.ext4, .f2fs, .btrfs].map(\.rawValue))

  /// Proves the bytes that were read from a descriptor.
  ///
  /// - Parameters:
  ///   - bytes: read once, in memory that nobody else writes to.
  ///   - time: seconds since 1970-01-01T00:00:00Z, against which the certificate's dates are held.
  /// - Returns: nil when the file has no fs-verity.
  static func prove(
    _ bytes: RawSpan, of descriptor: borrowing OwnedFD, trust: Trust, time: Int64
  ) throws(ProvenanceError) -> FileVerityFacts? {
    guard let measured = try measure(descriptor) else { return nil }
    let description: VerityDescriptor
    do throws(FSVerityError) {
      description = try describe(descriptor, bytes, algorithm: measured.algorithm)
      try description.prove(bytes, measured: measured)
    } catch {
      throw .fileVerity(error)
    }
    return FileVerityFacts(
      digest: measured, blockSize: description.blockSize, salt: description.salt,
      signature: try signature(of: descriptor, measured, trust: trust, time: time))
  }

  /// The digest that the kernel names; nil when it has none for this file.
  static func measure(_ descriptor: borrowing OwnedFD) throws(ProvenanceError) -> Digest? {
    let measurement: VerityMeasurement
    do throws(SystemError) {
      guard answering.contains(try descriptor.fileSystemType()) else { return nil }
      measurement = try descriptor.measureVerity()
    } catch {
      // No fs-verity on the file, on the file system, in the kernel.
      guard ![.enodata, .enotty, .eopnotsupp].contains(error.code) else { return nil }
      throw .system(error)
    }
    guard let algorithm = VerityDescriptor.algorithm(number: measurement.algorithm),
      let digest = Digest(algorithm, bytes: measurement.digest)
    else { throw .fileVerity(.parameter("hash algorithm of the number \(measurement.algorithm)")) }
    return digest
  }

  /// The descriptor, from the kernel; where it does not give it (before 5.12), that of a file without salt and with
  /// blocks of 4096 bytes, which then has to hash to the digest.
  private static func describe(
    _ descriptor: borrowing OwnedFD, _ bytes: RawSpan, algorithm: HashAlgorithm
  ) throws(FSVerityError) -> VerityDescriptor {
    guard let raw = try? descriptor.verityDescriptor() else { return try .describing(bytes, algorithm: algorithm) }
    return try VerityDescriptor(parsing: raw)
  }

  private static func signature(
    of descriptor: borrowing OwnedFD, _ digest: Digest, trust: Trust, time: Int64
  ) throws(ProvenanceError) -> Signature? {
    guard let message = try? descriptor.veritySignature(), !message.isEmpty else { return nil }
    // The kernel has the switch only where it can check signatures.
    let isChecked = KernelFile.text(.fileVeritySignatures) != nil
    func refused(_ refusal: any Diagnosable) -> Signature {
      Signature(isCheckedByKernel: isChecked, signer: nil, anchors: nil, refusal: refusal.diagnostic.code)
    }
    return switch trust.judge(.file(digest, signature: message), at: time) {
    case .trusted(let voucher):
      Signature(isCheckedByKernel: isChecked, signer: voucher.signer, anchors: voucher.anchors, refusal: nil)
    case .expired(let voucher): refused(SignatureError.expired(subject: voucher.subject))
    case .wrongPurpose(let voucher): refused(SignatureError.purpose(subject: voucher.subject))
    case .unsigned: nil
    case .nobodyTrusted: refused(SignatureError.untrustedSigner)
    case .untrusted(let refusal), .malformed(let refusal), .unchecked(let refusal): refused(refusal)
    case .revoked(let revocation): throw .revoked(revocation)
    }
  }
}
