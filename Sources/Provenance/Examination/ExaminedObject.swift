public import Base
internal import Linux
internal import Trust

/// An object's private bytes, read once, together with the evidence about exactly these bytes.
///
/// Only this module makes one. Where nothing could be proven the evidence is empty, and only a policy rule written
/// for that lets the object pass.
public struct ExaminedObject: ~Copyable {
  /// SHA-256 of ``bytes``.
  public let digest: Digest
  /// What is known about where the bytes come from.
  public let evidence: Evidence
  private let storage: [UInt8]

  fileprivate init(bytes: [UInt8], digest: Digest, evidence: Evidence) {
    storage = bytes
    self.digest = digest
    self.evidence = evidence
  }

  /// The object file. Nothing else than these bytes is ever parsed or loaded.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get { storage.rawSpan }
  }

  /// The same object with what the kernel's IPE says of executing it, and whether it was.
  consuming func with(_ execution: ExecutionFacts?, isExecuted: Bool = false) -> ExaminedObject {
    var evidence = evidence
    evidence.execution = execution
    evidence.isExecuted = isExecuted
    return ExaminedObject(bytes: storage, digest: digest, evidence: evidence)
  }

  /// The same object as an overlay shows it.
  consuming func with(_ descriptor: DescriptorFacts, _ layer: LayerFacts) -> ExaminedObject {
    var evidence = evidence
    evidence.descriptor = descriptor
    evidence.layer = layer
    return ExaminedObject(bytes: storage, digest: digest, evidence: evidence)
  }
}

extension Evidence {
  /// The object with this evidence and what there is to say of its signature, unless something of it was revoked.
  consuming func examined(
    _ bytes: [UInt8], digest: Digest, trust: Trust
  ) throws(ProvenanceError) -> ExaminedObject {
    var complete = self
    complete.revokesSigners = trust.revokesSigners
    complete.signature = try SignatureFacts.judge(bytes, digest: digest, trust: trust, at: Timestamp.now().seconds)
    return ExaminedObject(bytes: bytes, digest: digest, evidence: complete)
  }
}
