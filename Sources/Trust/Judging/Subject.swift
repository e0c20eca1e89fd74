public import Base
public import Signatures

/// What ``Trust/judge(_:at:)`` is asked about.
public enum Subject: Sendable {
  /// The root hash of an image or a volume.
  ///
  /// - signature: detached PKCS#7 as it came with the image; nil when none came with it. It has to be one DER message with
  ///   one signer, over SHA-256 or more, without attributes, over the root hash's lower-case digits without a line feed, as
  ///   in the device-mapper's table (drivers/md/dm-verity-verify-sig.c).
  case rootHash(Digest, signature: [UInt8]?)
  /// A BPF object: its file's bytes, with the signatures that are in and behind them, and their SHA-256.
  case object([UInt8], digest: Digest)
  /// The fs-verity digest of a file, with its builtin signature (Documentation/filesystems/fsverity.rst).
  case file(Digest, signature: [UInt8])
  /// A certificate by itself, by the SHA-256 of its DER form, that was named as one of somebody who may sign.
  case signer(Digest, CertificateFacts)
  /// A list of what was revoked, inside the PKCS#7 message that signs it.
  case revocations([UInt8])
  /// A policy inside the PKCS#7 message that signs it.
  case policy([UInt8])
}
