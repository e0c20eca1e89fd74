public import Base
internal import ImageFormat
public import Signatures

/// Who signs the root hash of a new image.
public struct RootHashSigning: Sendable {
  /// The signer's certificate, PEM.
  public let certificate: [UInt8]
  /// Its private key.
  public let privateKey: KeySource
  /// Where the signature goes: `NAME.roothash.p7s`.
  public let file: String

  public init(certificate: [UInt8], privateKey: KeySource, file: String) {
    self.certificate = certificate
    self.privateKey = privateKey
    self.file = file
  }

  /// The signature of a root hash: detached PKCS#7 in DER over its lower-case digits, without a line feed, without
  /// attributes and without certificates. That is what the kernel's dm-verity takes (`root_hash_sig_key_desc` in
  /// drivers/md/dm-verity-verify-sig.c), and with it veritysetup and systemd.
  ///
  /// - Throws: `SignatureError`; also when the signature does not check, as with a key that fails.
  public static func sign(
    _ rootHash: Digest, certificate: [UInt8], privateKey: KeySource
  ) throws(SignatureError) -> [UInt8] {
    let content = Array(RootHashFile.text(rootHash).utf8)
    let message = try SignedMessage.sign(
      content, certificate: certificate, key: try PrivateKey(privateKey), form: .rootHash)
    _ = try SignedMessage.verify(message, content: content, trusted: try Certificates(pem: certificate))
    return message
  }

  func sign(_ rootHash: Digest) throws(BuildError) -> RootHashSignature {
    do throws(SignatureError) {
      return RootHashSignature(
        message: try Self.sign(rootHash, certificate: certificate, privateKey: privateKey),
        signer: try Certificates(pem: certificate).fingerprints().first)
    } catch {
      throw .signing(error)
    }
  }
}

/// A new signature of a root hash.
public struct RootHashSignature: Sendable {
  /// Detached PKCS#7, DER.
  public let message: [UInt8]
  /// SHA-256 of the signer's certificate in DER.
  public let signer: Digest?
}
