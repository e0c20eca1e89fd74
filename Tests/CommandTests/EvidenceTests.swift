import Base
import Linux
import Testing

@testable import Provenance
@testable import verity_bpf

/// Evidence as text and as JSON: neither tells what the other leaves out.
@Suite struct EvidenceTests {
  private let verity: Digest
  private let signer: Digest

  init() throws {
    verity = try Self.digest(2)
    signer = try Self.digest(3)
  }

  private static func digest(_ byte: UInt8) throws -> Digest {
    try #require(Digest(.sha256, bytes: [UInt8](repeating: byte, count: 32)))
  }

  private func text(_ evidence: Evidence) -> String { evidence.lines.map { $0 + "\n" }.joined() }

  private func evidence(_ signature: FileVerityFacts.Signature?, salt: [UInt8] = []) throws -> Evidence {
    var evidence = Evidence()
    evidence.file = FileFacts(path: "/usr/lib/bpf/a.bpf.o", size: 100, digest: try Self.digest(1))
    evidence.fileVerity = FileVerityFacts(
      digest: verity, blockSize: 4096, salt: salt, signature: signature)
    return evidence
  }

  @Test func fsVerityIsTold() throws {
    let plain = try evidence(nil)
    #expect(text(plain).contains("fs-verity   \(verity), blocks of 4096 bytes\n"))
    #expect(text(plain).contains("signed      fs-verity digest: no signature\n"))
    let json = JSONValue.object(plain.json)
    #expect(json["fsverity"]?["digest"] == .string("\(verity)"))
    #expect(json["fsverity"]?["signature"] == .null)
    let salted = text(try evidence(nil, salt: [0xca, 0xfe]))
    #expect(salted.contains("bytes, salt cafe\n"))
  }

  @Test(arguments: [true, false])
  func fsVeritySignatures(isCheckedByKernel: Bool) throws {
    let kernel = isCheckedByKernel ? "the kernel took it" : "the kernel checks none"
    let anchored = text(
      try evidence(
        .init(isCheckedByKernel: isCheckedByKernel, signer: signer, anchors: "bpf", refusal: nil)))
    #expect(anchored.contains(kernel) && anchored.contains("\(signer)") && anchored.contains("`bpf`"))
    let refused = text(
      try evidence(
        .init(isCheckedByKernel: isCheckedByKernel, signer: nil, anchors: nil, refusal: "signature.untrusted")))
    #expect(refused.contains(kernel) && refused.contains("no trust anchor") && refused.contains("signature.untrusted"))
  }

  /// Every digest that is in one answer is in the other, whatever the evidence consists of.
  @Test func digestsAreInBothAnswers() throws {
    var evidence = try evidence(
      .init(isCheckedByKernel: true, signer: signer, anchors: "bpf", refusal: nil))
    evidence.object = ObjectFacts(path: "a.bpf.o", nid: 1, size: 2, digest: try Self.digest(4), described: nil)
    evidence.unproven = UnprovenFacts(size: 3, digest: try Self.digest(5), reason: "nobody could", verifiedBlocks: nil)
    evidence.verity = VerityProof(
      rootHash: try Self.digest(6), dataBlockSize: 4096, hashBlockSize: 4096, dataBlockCount: 1, levels: 1, salt: [],
      wasExpected: false)
    let json = JSONValue.object(evidence.json).compact
    for byte in UInt8(1)...6 {
      let hex = try Self.digest(byte).hex
      #expect(text(evidence).contains(hex) && json.contains(hex), "\(hex)")
    }
  }
}
