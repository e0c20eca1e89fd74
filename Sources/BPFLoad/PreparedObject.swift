public import BPFObject
public import ByteKit
public import Provenance

/// An examined object together with what its bytes were linked into.
///
/// Only linking an ``Provenance/ExaminedObject`` makes one, and that consumes it: what a policy judges and what the
/// kernel is given are one value, made of the proven bytes once.
public struct PreparedObject: ~Copyable {
  /// SHA-256 of the examined bytes.
  public let digest: Digest
  /// What is known about where the bytes come from.
  public let evidence: Evidence
  /// The arrays that bpf(2) takes.
  public let linked: LinkedObject

  /// Links an examined object.
  ///
  /// - Parameter name: the object's file name, of which the part before the first dot goes into the kernel's names of
  ///   data maps.
  public init(linking examined: consuming ExaminedObject, name: String) throws(BPFObjectError) {
    linked = try BPFObject.link(bytes: examined.bytes, objectName: name, allowsExterns: true)
    digest = examined.digest
    evidence = examined.evidence
  }
}
