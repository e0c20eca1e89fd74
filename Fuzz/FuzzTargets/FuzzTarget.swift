/// What is fuzzed. Each target takes any bytes, and holds the code that reads them to its promises.
///
/// libFuzzer calls a target with inputs that it makes (`tools/fuzz`); the tests call it with every file of its corpus.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// Policy text, facts and audit records as text.
  case policy
  /// A BPF object: ELF, BTF, linking, analysis, description.
  case object
  /// A program's instructions, as they are after linking.
  case program
  /// A file system under a hash tree that fits it.
  case filesystem
  /// What opening an image reads before anything is verified.
  case disk
  /// PKCS#7 messages, and objects with signatures.
  case signature
  /// Certificates and the text around them.
  case certificate
  /// What an image says of its contents.
  case manifest
  /// The files of trust: the policy store's state, statements about signers, revocations.
  case store
  /// The audit log's files, plain and compressed.
  case audit
  /// The messages between a loader and its linking helper, with the object that they are about.
  case link

  /// Bytes that an input has at most. Limits of the product that are larger than this are the unit tests' work.
  public var maximumByteCount: Int {
    switch self {
    case .policy, .certificate, .store: 1 << 13
    case .manifest, .audit, .disk: 1 << 14
    case .program: 1 << 12
    case .signature: 1 << 14
    case .object, .filesystem, .link: 1 << 16
    }
  }

  /// Gives an input to everything that reads such bytes.
  ///
  /// - Returns: whether something took it for what it is about: a target of which no input is taken reaches nothing.
  /// - Throws: ``BrokenPromise``.
  @discardableResult
  public func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    switch self {
    case .policy: try PolicyTarget.check(bytes)
    case .object: try ObjectTarget.check(bytes)
    case .program: try ProgramTarget.check(bytes)
    case .filesystem: try FileSystemTarget.check(bytes)
    case .disk: try DiskTarget.check(bytes)
    case .signature: try SignatureTarget.check(bytes)
    case .certificate: try CertificateTarget.check(bytes)
    case .manifest: try ManifestTarget.check(bytes)
    case .store: try StoreTarget.check(bytes)
    case .audit: try AuditTarget.check(bytes)
    case .link: try LinkTarget.check(bytes)
    }
  }
}

/// Something that the code promises for any input, and that did not hold for one.
public struct BrokenPromise: Error, Equatable, CustomStringConvertible {
  /// The promise, with what was found.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Throws unless a promise holds.
func require(_ holds: Bool, _ promise: @autoclosure () -> String) throws(BrokenPromise) {
  guard !holds else { return }
  throw BrokenPromise(promise())
}

/// What is there, or a broken promise.
func unwrap<Value>(_ value: Value?, _ promise: @autoclosure () -> String) throws(BrokenPromise) -> Value {
  guard let value else { throw BrokenPromise(promise()) }
  return value
}

/// What must not fail: its error is a broken promise.
func keep<Value, Failure: Error>(
  _ promise: @autoclosure () -> String, _ body: () throws(Failure) -> Value
) throws(BrokenPromise) -> Value {
  do throws(Failure) { return try body() } catch { throw BrokenPromise("\(promise()): \(error)") }
}
