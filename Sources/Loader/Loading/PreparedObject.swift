public import BPFObject
public import Base
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
  /// How the kernel is to check the programs' signatures; nil when it is not asked to.
  public let handover: KernelHandover?
  /// Whether programs were chosen or maps sized, so that it is not what its bytes say alone.
  public let isConfigured: Bool

  private init(
    digest: Digest, evidence: Evidence, linked: LinkedObject, handover: KernelHandover?, isConfigured: Bool = false
  ) {
    self.isConfigured = isConfigured
    self.digest = digest
    self.evidence = evidence
    self.linked = linked
    self.handover = handover
  }

  /// Links an examined object.
  ///
  /// - Parameters:
  ///   - name: the object's file name, of which the part before the first dot goes into the kernel's names of data maps.
  ///   - keyring: the keys with which the kernel is to check the programs' signatures; nil asks for no such check.
  /// - Throws: ``BPFLoadError/object(_:)``; with a keyring also what ``KernelHandover`` throws.
  public static func linking(
    _ examined: consuming ExaminedObject, name: String, keyring: KernelKeyring?
  ) throws(BPFLoadError) -> PreparedObject {
    let linked: LinkedObject
    do throws(BPFObjectError) {
      linked = try BPFObject.link(bytes: examined.bytes, objectName: name, allowsExterns: true)
    } catch {
      throw .object(error)
    }
    var handover: KernelHandover?
    if let keyring { handover = try .confirmed(of: examined.bytes, linked, keyring: keyring) }
    return PreparedObject(digest: examined.digest, evidence: examined.evidence, linked: linked, handover: handover)
  }

  /// The same object with the programs that were chosen, and no others. What is judged afterwards has to be this one.
  ///
  /// - Throws: ``BPFLoadError/noSuchProgram(name:available:)``, ``BPFLoadError/nothingToLoad(optional:)``.
  public consuming func choosing(_ choice: ProgramChoice) throws(BPFLoadError) -> PreparedObject {
    var linked = linked
    try linked.choose(choice)
    return PreparedObject(
      digest: digest, evidence: evidence, linked: linked, handover: handover,
      isConfigured: isConfigured || !choice.isEmpty)
  }

  /// The same object with maps sized that it leaves open. What is judged afterwards has to be the sized object.
  ///
  /// - Throws: ``BPFLoadError/noMapToSize(map:open:)``, ``BPFLoadError/mapHasSize(map:entries:)``.
  public consuming func sizing(_ sizes: [MapEntries]) throws(BPFLoadError) -> PreparedObject {
    var linked = linked
    try linked.size(sizes)
    return PreparedObject(
      digest: digest, evidence: evidence, linked: linked, handover: handover,
      isConfigured: isConfigured || !sizes.isEmpty)
  }
}
