public import Base

/// What a `root-verity-sig` partition holds (UAPI.2): a JSON object, filled up with NUL bytes.
public struct SignatureRecord: Equatable, Sendable {
  /// The root hash that is signed: lower-case hexadecimal digits, and these digits are what the signature is over.
  public let rootHash: String
  /// Detached PKCS#7, DER.
  public let signature: [UInt8]
  /// SHA-256 of the signer's certificate in DER; a hint which one to take.
  public let certificateFingerprint: Digest?

  /// Bytes that a partition of this kind may have, or a file with a signature alone.
  public static let limit = 1 << 20

  public init(rootHash: Digest, signature: [UInt8], certificateFingerprint: Digest?) {
    self.rootHash = RootHashFile.text(rootHash)
    self.signature = signature
    self.certificateFingerprint = certificateFingerprint
  }

  /// Reads a partition's bytes.
  ///
  /// - Throws: ``LayoutError/signatureRecord(found:)`` when they are no such record, or something follows it.
  public init(parsing bytes: [UInt8]) throws(LayoutError) {
    let text = bytes.prefix { $0 != 0 }
    guard bytes[text.endIndex...].allSatisfy({ $0 == 0 }) else {
      throw .signatureRecord(found: "bytes other than NUL behind the text")
    }
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue.parse(Array(text))
    } catch {
      throw .signatureRecord(found: "\(error)")
    }
    guard case .object(let members) = value else { throw .signatureRecord(found: "no JSON object") }
    func member(_ name: String) -> String? {
      guard case .string(let text)? = members.first(where: { $0.name == name })?.value else { return nil }
      return text
    }
    guard let hash = member("rootHash"), let digest = Hex.decode(hash), [32, 64].contains(digest.count),
      hash == Hex.encode(digest)
    else { throw .signatureRecord(found: "no `rootHash` of 64 or 128 lower-case digits") }
    guard let encoded = member("signature"), let signature = Base64.decode(encoded), !signature.isEmpty else {
      throw .signatureRecord(found: "no `signature` in base64")
    }
    rootHash = hash
    self.signature = signature
    certificateFingerprint = member("certificateFingerprint").flatMap { Hex.decode($0) }.flatMap {
      Digest(.sha256, bytes: $0)
    }
  }

  /// The partition's bytes: a multiple of 4096.
  public var partition: [UInt8] {
    var members: [JSONValue.Member] = [.init("rootHash", .string(rootHash))]
    if let certificateFingerprint {
      members.append(.init("certificateFingerprint", .string(certificateFingerprint.hex)))
    }
    members.append(.init("signature", .string(Base64.encode(signature))))
    var bytes = Array(JSONValue.object(members).compact.utf8)
    bytes += repeatElement(0, count: (4096 - bytes.count % 4096) % 4096)
    return bytes
  }
}
