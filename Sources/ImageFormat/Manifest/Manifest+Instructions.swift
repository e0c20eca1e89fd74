internal import BPFAnalysis
public import Base

extension Manifest {
  /// A program's instructions as they are submitted to the kernel, where they follow from the object alone.
  ///
  /// So a list of permitted instructions can be made from manifests. Like everything here it is worked out anew from
  /// the object before it is used.
  public struct Instructions: Equatable, Sendable {
    /// SHA-256 over all instructions, eight bytes each.
    public var digest: Digest
    public var count: UInt64
    /// CO-RE records, by which the kernel changes instructions after it was given them.
    public var coreRelocations: UInt64

    public init(digest: Digest, count: UInt64, coreRelocations: UInt64) {
      self.digest = digest
      self.count = count
      self.coreRelocations = coreRelocations
    }

    init(_ submitted: SubmittedInstructions) {
      self.init(
        digest: submitted.digest, count: UInt64(submitted.count), coreRelocations: UInt64(submitted.coreRelocations))
    }

    init(_ reader: MemberReader) throws(ManifestError) {
      try reader.allow(["sha256", "count", "core_relocation_count"])
      let hex = try reader.string("sha256")
      guard let digest = Digest(.sha256, hex: hex), digest.hex == hex else {
        throw reader.error("sha256", expected: "64 lower-case hexadecimal digits", found: hex)
      }
      self.digest = digest
      count = try reader.unsigned("count")
      coreRelocations = try reader.unsigned("core_relocation_count")
    }

    var json: JSONValue {
      [
        "sha256": .string(digest.hex), "count": .unsigned(count), "core_relocation_count": .unsigned(coreRelocations),
      ]
    }

    var text: String { "\(digest), \(count) instructions, \(coreRelocations) CO-RE records" }
  }
}
