import BPFAnalysis
import BPFObject
import Base
import Linux
import Policy
import TestSupport
import Testing

@testable import Admission
@testable import Provenance

/// What evidence becomes for the policy: nothing that is in doubt is a fact.
@Suite struct FactsTests {
  /// A program of the demo; which one does not matter here.
  private let program: ProgramReport
  private let rootHash: Digest
  private let object: Digest
  private let signer: Digest

  init() throws {
    let directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.path)
    let bytes = try directory.read("xdp_counter.bpf.o")
    program = try #require(try BPFObject.report(bytes: bytes.rawSpan).programs.first)
    rootHash = try Self.digest(1)
    object = try Self.digest(2)
    signer = try Self.digest(3)
  }

  private static func digest(_ byte: UInt8) throws -> Digest {
    try #require(Digest(.sha256, bytes: [UInt8](repeating: byte, count: 32)))
  }

  private func facts(_ evidence: Evidence) -> Facts {
    Facts(about: program, evidence: evidence, requester: .current())
  }

  /// An object on a signed volume, proven here; the volume as the kernel describes it.
  private func evidence(doubts: [VolumeFacts.Doubt] = [], isKeyringUnsealed: Bool = false) -> Evidence {
    var evidence = Evidence()
    evidence.verity = VerityProof(
      rootHash: rootHash, dataBlockSize: 4096, hashBlockSize: 4096, dataBlockCount: 8, levels: 1, salt: [],
      wasExpected: false)
    evidence.object = ObjectFacts(
      path: "xdp_counter.bpf.o", nid: 40, size: 100, digest: object, described: nil)
    let number = DeviceNumber(major: 254, minor: 0)
    evidence.volume = VolumeFacts(
      device: number, name: "demo", uuid: "", rootHash: rootHash, salt: [], dataDevice: number,
      hashDevice: number, mode: "EIO", ignoresZeroBlocks: false, correctsErrors: false, isSigned: true,
      keyring: isKeyringUnsealed ? .unsealed : .sealed, doubts: doubts, hasPendingTable: false, eventNumber: 0,
      diskSequence: 1,
      table: "")
    return evidence
  }

  @Test func twoWitnesses() {
    let facts = facts(evidence())
    #expect(facts.dmverityRoothash == DigestLiteral(rootHash) && facts.witnesses == .both)
    #expect(facts.dmveritySignature == true && facts.signatureSources == .kernel)
  }

  @Test(arguments: VolumeFacts.Doubt.allCases)
  func aKernelInDoubtGivesNoRootHash(doubt: VolumeFacts.Doubt) {
    let facts = facts(evidence(doubts: [doubt]))
    #expect(facts.dmverityRoothash == nil && facts.witnesses == .userspace)
    #expect(facts.dmveritySignature == false && facts.signatureSources == nil)
    // What was proven here stays one.
    #expect(facts.object == DigestLiteral(object))
  }

  @Test func aKeyringThatRootFillsSignsNothing() {
    let facts = facts(evidence(isKeyringUnsealed: true))
    #expect(facts.dmverityRoothash != nil && facts.witnesses == .both)
    #expect(facts.dmveritySignature == false && facts.signatureSources == nil)
  }

  /// Only a signature that holds, by a certificate that is valid now, has a signer.
  @Test(arguments: SignatureFacts.Verdict.allCases)
  func whoCountsAsASigner(verdict: SignatureFacts.Verdict) {
    var evidence = Evidence()
    evidence.signature = SignatureFacts(
      verdict: verdict, signer: signer, subject: "CN=alice", keyring: "bpf", format: "companion",
      content: object, refusal: nil)
    let facts = facts(evidence)
    let counts = verdict == .ok
    #expect(facts.signers == (counts ? [DigestLiteral(signer)] : []))
    #expect(facts.signatureSources == (counts ? .userspace : nil))
    #expect((facts.bpfKeyring != nil) == (verdict == .ok || verdict == .expired))
    #expect(facts.bpfSignature?.rawValue == verdict.rawValue)
  }
}
