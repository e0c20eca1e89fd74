import BPFAnalysis
import BPFObject
import Base
import KernelABI
import Linux
import Policy
import TestSupport
import Testing

@testable import Admission
@testable import Provenance
@testable import Trust

/// What evidence becomes for the policy: what was verified is a fact, and what is in doubt allows nothing.
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

  private var voucher: Voucher {
    Voucher(signer: signer, subject: "CN=a", anchors: "image", object: nil, policy: nil)
  }

  private func policy(_ rules: String) throws -> CompiledPolicy {
    let text = "policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\n\(rules)\n"
    return try CompiledPolicy(PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF))
  }

  private func decide(_ rules: String, _ facts: Facts) throws -> Decision { try policy(rules).decide(facts) }

  private func facts(_ evidence: Evidence) -> Facts {
    Facts(about: program, evidence: evidence, requester: Requester(.current()))
  }

  /// What is not known of the executable that asks stays unknown: it is neither another's nor unsigned.
  @Test func factsAboutTheExecutableThatAsks() throws {
    func decide(_ asks: RequesterFacts, _ rule: String) throws -> Action {
      let facts = Facts(about: program, evidence: evidence(), requester: Requester(.current(), asks))
      return try policy("op=BPF_PROG_LOAD \(rule)").decide(facts).action
    }
    let signed = RequesterFacts(rootHash: rootHash, digest: object, isSigned: true)
    let nowhere = RequesterFacts(rootHash: nil, digest: nil, isSigned: false)
    for rule in [
      "x_requester_dmverity_roothash=\(rootHash)", "x_requester_object=\(object)",
      "x_requester_dmverity_signature=TRUE",
    ] {
      #expect(try decide(signed, "\(rule) action=ALLOW") == .allow)
      for asks in [nowhere, .unknown] {
        #expect(try decide(asks, "\(rule) action=ALLOW") == .deny)
        #expect(try decide(asks, "\(rule) action=DENY\nop=BPF_PROG_LOAD action=ALLOW") == .deny)
      }
    }
    // Whoever leaves evidence out gains nothing by it.
    for asks in [signed, nowhere, .unknown] {
      #expect(try decide(asks, "x_requester_dmverity_signature=FALSE action=ALLOW") == .deny)
    }
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

  /// What was verified stays a fact; nothing about the volume allows.
  @Test(arguments: VolumeFacts.Doubt.allCases)
  func aKernelInDoubt(doubt: VolumeFacts.Doubt) throws {
    var evidence = evidence(doubts: [doubt])
    evidence.image = ImageFacts(
      path: "a.raw", device: DeviceNumber(major: 8, minor: 0), inode: 1, size: 4096, name: "demo", version: "1.4")
    evidence.rootHashSignature = RootHashVerdict("a.p7s", voucher)
    let facts = facts(evidence)
    #expect(facts.dmverityRoothash == DigestLiteral(rootHash) && facts.witnesses == .userspace)
    #expect(facts.dmveritySignature == false && facts.signatureSources == nil)
    #expect(facts.object == DigestLiteral(object))
    #expect(facts.doubts.map(\.rawValue) == [doubt.rawValue])
    #expect(facts.signers == [] && facts.doubtedSigners == [DigestLiteral(signer)])
    for rule in [
      "dmverity_roothash=\(rootHash)", "x_signer=\(signer)", "x_image_name=demo", "x_image_version_min=1.0",
      "x_path=/**", "x_witness=USERSPACE", "x_dmverity_mode=EIO",
    ] {
      #expect(
        try decide("op=BPF_PROG_LOAD \(rule) action=DENY\nop=BPF_PROG_LOAD action=ALLOW", facts).line == 3, "\(rule)")
      let allowing = try policy("op=BPF_PROG_LOAD \(rule) action=ALLOW")
      #expect(allowing.decide(facts).action == .deny, "\(rule)")
      #expect(allowing.doubtedRule(facts)?.line == 3, "\(rule)")
      // The same volume in no doubt.
      evidence.volume = self.evidence().volume
      #expect(allowing.decide(self.facts(evidence)).action == .allow, "\(rule)")
    }
    #expect(try decide("op=BPF_PROG_LOAD x_object=\(object) action=ALLOW", facts).action == .allow)
  }

  /// Which device the file system is on could not be found out, and the image was read all the same.
  @Test func anUnknownDeviceIsADoubt() throws {
    var evidence = evidence()
    evidence.volume = nil
    evidence.descriptor = DescriptorFacts(
      number: 3, device: DeviceNumber(major: 0, minor: 40), inode: 40, size: 100, mountID: 1, fileSystem: "erofs")
    #expect(facts(evidence).doubts == [.deviceUnknown])
    #expect(try decide("op=BPF_PROG_LOAD x_witness=USERSPACE action=ALLOW", facts(evidence)).action == .deny)
  }

  /// Whose signature the kernel took it does not say: while a signer is revoked, the one who signed has to be known.
  @Test func aRevokedSignerIsRuledOut() {
    var evidence = evidence()
    evidence.revokesSigners = true
    #expect(facts(evidence).dmveritySignature == false && facts(evidence).signatureSources == nil)
    evidence.rootHashSignature = RootHashVerdict("a.p7s", refusal: TrustError.unknownEntry(path: "a"))
    #expect(facts(evidence).dmveritySignature == false)
    evidence.rootHashSignature = RootHashVerdict("a.p7s", voucher)
    #expect(facts(evidence).dmveritySignature == true && facts(evidence).signatureSources == .both)
    evidence = Evidence()
    evidence.revokesSigners = true
    evidence.fileVerity = FileVerityFacts(
      digest: object, blockSize: 4096, salt: [],
      signature: .init(isCheckedByKernel: true, signer: nil, anchors: nil, refusal: nil))
    #expect(facts(evidence).fsveritySignature == false)
    evidence.revokesSigners = false
    #expect(facts(evidence).fsveritySignature == true)
  }

  /// The kernel checks instructions; its word is no signature of constants, types or targets.
  @Test func whatTheKernelsWordIsWorth() throws {
    let directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.path)
    let bytes = try directory.read("xdp_counter.bpf.o")
    let demo = try BPFObject.link(bytes: bytes.rawSpan, objectName: "a", allowsExterns: true)
    let withMaps = try #require(demo.programs.first)
    let tiny = TinyObject.bytes
    let small = try BPFObject.link(bytes: tiny.rawSpan, objectName: "a", allowsExterns: true)
    let plain = try #require(small.programs.first)
    #expect(withMaps.usesMaps && !plain.usesMaps && plain.coreRelocations.isEmpty)
    func verdict(_ evidence: Evidence, _ program: LinkedProgram?) -> SignatureVerdict? {
      var facts = facts(evidence)
      facts.takeKernelCheck(by: .builtin, of: program, evidence)
      if facts.bpfSignature == .ok { #expect(facts.bpfKeyring == .kernel(.builtin)) }
      return facts.bpfSignature
    }
    let unknown = SignatureFacts(
      verdict: .unknownKey, signer: nil, subject: nil, keyring: nil, format: nil, content: nil, refusal: nil)
    var file = Evidence()
    file.signature = unknown
    file.file = FileFacts(path: "/a.o", size: 1, digest: object)
    #expect(verdict(file, plain) == .partial && verdict(file, withMaps) == .partial && verdict(file, nil) == .partial)
    // In a signed image the type and the target are signed too.
    var image = evidence()
    image.signature = unknown
    #expect(verdict(image, plain) == .ok && verdict(image, withMaps) == .partial && verdict(image, nil) == .partial)
    image.volume = evidence(isKeyringUnsealed: true).volume
    #expect(verdict(image, plain) == .partial)
    image.rootHashSignature = RootHashVerdict("a.p7s", voucher)
    #expect(verdict(image, plain) == .ok)
    image.volume = evidence(doubts: [.corruptionSeen]).volume
    #expect(verdict(image, plain) == .partial)
    // The signer may be the one who is revoked.
    file.revokesSigners = true
    #expect(verdict(file, plain) == .unknownKey)
  }

  @Test func aKeyringThatRootFillsSignsNothing() {
    let facts = facts(evidence(isKeyringUnsealed: true))
    #expect(facts.dmverityRoothash != nil && facts.witnesses == .both)
    #expect(facts.dmveritySignature == false && facts.signatureSources == nil)
  }

  /// Under a root hash an unsigned object is one that nobody signed. A loose file may have had a signature before it was
  /// copied, and the signer of the copy for fs-verity need not know.
  @Test func whatAnUnsignedObjectSettles() throws {
    let unsigned = SignatureFacts(
      verdict: .unsigned, signer: nil, subject: nil, keyring: nil, format: nil, content: nil, refusal: nil)
    var image = evidence()
    image.signature = unsigned
    image.rootHashSignature = RootHashVerdict("a.p7s", voucher)
    #expect(facts(image).settled.contains(.bpfSignature) && facts(image).settled.contains(.signer))
    var file = Evidence()
    file.signature = unsigned
    file.file = FileFacts(path: "/a.o", size: 1, digest: object)
    file.fileVerity = FileVerityFacts(
      digest: object, blockSize: 4096, salt: [],
      signature: .init(isCheckedByKernel: true, signer: signer, anchors: "image", refusal: nil))
    #expect(!facts(file).settled.contains(.bpfSignature) && !facts(file).settled.contains(.signer))
    let other = try Self.digest(9)
    for rule in ["bpf_signature=OK", "x_signer=\(other)"] {
      let rules = "op=BPF_PROG_LOAD \(rule) action=DENY\nop=BPF_PROG_LOAD action=ALLOW"
      #expect(try decide(rules, facts(image)).action == .allow, "\(rule)")
      #expect(try decide(rules, facts(file)).action == .deny, "\(rule)")
    }
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
    #expect(facts.doubtedSigners == (counts ? [] : [DigestLiteral(signer)]))
    #expect(facts.signatureSources == (counts ? .userspace : nil))
    #expect((facts.bpfKeyring != nil) == (verdict == .ok || verdict == .expired))
    #expect(facts.bpfSignature?.rawValue == verdict.rawValue)
  }
}
