import Base
import BPFObject
@testable import Signatures
import Testing

/// As many records are read as are written.
@Suite struct SectionLimitTests {
  private static func section(records: Int) throws -> SignatureSection {
    SignatureSection(
      manifest: [1], message: [2],
      kernelSignatures: try (2..<records).map {
        try #require(KernelSignature(program: "p\($0)", form: .instructions, message: [3]))
      })
  }

  @Test func asManyRecordsAsThereMayBe() throws {
    let object = try Signer().object("core")
    let section = try Self.section(records: Int(SignatureSection.recordLimit))
    let signed = try section.attached(to: object.rawSpan)
    #expect(try SignatureSection.read(from: signed.rawSpan) == section)
  }

  @Test func oneRecordMore() throws {
    let object = try Signer().object("core")
    let section = try Self.section(records: Int(SignatureSection.recordLimit) + 1)
    let error = #expect(throws: ObjectSignatureError.self) { try section.attached(to: object.rawSpan) }
    #expect(error?.diagnostic.found?.contains("\(SignatureSection.recordLimit)") == true)
    // The reader says no more to it than that it is not what a signer writes.
    #expect(throws: ObjectSignatureError.self) { try SignatureSection(section.bytes) }
  }
}
