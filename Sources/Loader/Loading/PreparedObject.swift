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
  /// Whether options have changed it, so that it is not what its bytes and its image say alone.
  public let isConfigured: Bool
  /// The constants that were given other values.
  public let variables: [SetVariable]
  /// What a helper says of the programs, which counts only where a verified manifest says the same; nil when the object was
  /// linked in this process.
  public let claims: LinkClaims?

  private init(
    digest: Digest, evidence: Evidence, linked: LinkedObject, handover: KernelHandover?, isConfigured: Bool = false,
    variables: [SetVariable] = [], claims: LinkClaims? = nil
  ) {
    self.claims = claims
    self.isConfigured = isConfigured
    self.variables = variables
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

  /// The same by a helper that has none of this process's rights. What only the object's types say is unknown then, or the
  /// worst, see ``BPFObject/LinkedObject/isLinkedByHelper``.
  ///
  /// - Throws: ``BPFLoadError/helper(_:)`` besides.
  public static func linking(
    _ examined: consuming ExaminedObject, name: String, keyring: KernelKeyring?, by helper: inout LinkHelper
  ) throws(BPFLoadError) -> PreparedObject {
    let (linked, claims) = try helper.link(
      examined.bytes, objectName: name, volume: examined.evidence.verity?.rootHash.bytes)
    var handover: KernelHandover?
    if let keyring { handover = try .confirmed(of: examined.bytes, linked, keyring: keyring) }
    return PreparedObject(
      digest: examined.digest, evidence: examined.evidence, linked: linked, handover: handover, claims: claims)
  }

  /// The same object with the types of sections that its image states: they are under the root hash as its bytes are, so
  /// nothing is configured by them.
  ///
  /// - Throws: ``BPFObjectError`` for a section that says its type itself, or is not there.
  public consuming func stating(_ types: [SectionType]) throws(BPFObjectError) -> PreparedObject {
    var linked = linked
    try linked.take(types)
    return PreparedObject(
      digest: digest, evidence: evidence, linked: linked, handover: handover, isConfigured: isConfigured,
      variables: variables, claims: claims)
  }

  /// The same object with the CO-RE records answered by the loader that the kernel does not follow.
  public consuming func answeringRecords() -> PreparedObject {
    var linked = linked
    linked.answerRecords()
    return PreparedObject(
      digest: digest, evidence: evidence, linked: linked, handover: handover, isConfigured: isConfigured,
      variables: variables, claims: claims)
  }

  /// Whether the loader answers CO-RE records in the kernel's place.
  public var answersRecords: Bool { linked.programs.contains { !$0.answered.isEmpty } }

  /// The same object as options of the load want it. What is judged afterwards has to be this one.
  ///
  /// - Throws: ``BPFLoadError/noSuchProgram(name:available:)``, ``BPFLoadError/nothingToLoad(optional:)``,
  ///   ``BPFLoadError/noMapToSize(map:open:)``, ``BPFLoadError/mapHasSize(map:entries:)``, and ``BPFLoadError/object(_:)``
  ///   for sections and constants that cannot have what they are given.
  public consuming func configured(by options: ObjectOptions) throws(BPFLoadError) -> PreparedObject {
    var linked = linked
    let variables: [SetVariable]
    do throws(BPFObjectError) {
      try linked.take(options.sectionTypes)
      variables = try linked.set(options.variables)
    } catch {
      throw .object(error)
    }
    try linked.choose(options.choice)
    try linked.size(options.mapEntries)
    return PreparedObject(
      digest: digest, evidence: evidence, linked: linked, handover: handover,
      isConfigured: isConfigured || !options.isEmpty, variables: self.variables + variables, claims: claims)
  }
}
