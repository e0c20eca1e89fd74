public import Base
internal import Signatures

/// A statement about whose signatures of policies count: what is signed, as an attached PKCS#7 message, by a signer who
/// counts already.
///
///     {"schema": "verity-bpf/policy-signers/1", "store": ID, "counter": N, "trust": [PEM…], "retire": [SHA-256…]}
///
/// It is of one store, which its identifier says, and of one moment of it: each has a higher number than the one before.
public struct SignerStatement: Equatable, Sendable {
  public static let schema = "verity-bpf/policy-signers/1"

  /// The store's identifier.
  public var store: String
  /// Above the number of every statement before, and above 0.
  public var counter: UInt64
  /// Certificates in PEM, whose signatures count from then on.
  public var trusted: [[UInt8]]
  /// The SHA-256 of certificates in DER, whose signatures count no more.
  public var retired: [Digest]

  public init(store: String, counter: UInt64, trusted: [[UInt8]], retired: [Digest]) {
    self.store = store
    self.counter = counter
    self.trusted = trusted
    self.retired = retired
  }

  /// The text that is signed.
  public var text: [UInt8] {
    let value: JSONValue = [
      "schema": .string(Self.schema), "store": .string(store), "counter": .unsigned(counter),
      "trust": .array(trusted.map { .string(String(decoding: $0, as: UTF8.self)) }),
      "retire": .array(retired.map { .string($0.description) }),
    ]
    return Array("\(value.compact)\n".utf8)
  }

  /// Reads a text. What is not known could change what the rest means, so it is an error.
  ///
  /// - Throws: ``PolicyStoreError/statement(reason:)``.
  public init(_ text: [UInt8]) throws(PolicyStoreError) {
    guard let value = try? JSONValue.parse(text), case .object(let members) = value else {
      throw .statement(reason: "no JSON object")
    }
    let known = ["schema", "store", "counter", "trust", "retire"]
    guard members.map(\.name).sorted() == known.sorted() else {
      throw .statement(reason: "not the members \(known.joined(separator: ", "))")
    }
    guard value["schema"] == .string(Self.schema) else { throw .statement(reason: "another schema") }
    guard case .string(let store)? = value["store"], let counter = value["counter"]?.unsignedValue, counter > 0 else {
      throw .statement(reason: "no store, or no number")
    }
    guard case .array(let certificates)? = value["trust"], case .array(let digests)? = value["retire"] else {
      throw .statement(reason: "`trust` and `retire` are no lists")
    }
    var (trusted, retired): ([[UInt8]], [Digest]) = ([], [])
    for certificate in certificates {
      guard case .string(let pem) = certificate else { throw .statement(reason: "a certificate that is no text") }
      trusted.append(Array(pem.utf8))
    }
    for digest in digests {
      guard case .string(let text) = digest, let digest = Digest(text), digest.bytes.count == 32 else {
        throw .statement(reason: "a signer to retire that is no `sha256:` and 64 digits")
      }
      retired.append(digest)
    }
    guard !trusted.isEmpty || !retired.isEmpty else { throw .statement(reason: "it says nothing") }
    self.init(store: store, counter: counter, trusted: trusted, retired: retired)
  }
}
