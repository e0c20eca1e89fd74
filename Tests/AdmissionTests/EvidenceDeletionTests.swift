import BPFAnalysis
import BPFObject
import Base
import Glibc
import Linux
import Policy
import PolicyTestSupport
import TestSupport
import Testing

@testable import Admission
@testable import Provenance
@testable import Trust

/// Evidence as it is gathered, with one piece taken away: no denial becomes an allowance.
///
/// `VERITY_BPF_DELETIONS` says how many pairs of evidence and a policy are tried; the seed is always the same.
@Suite struct EvidenceDeletionTests {
  private let program: ProgramReport
  private let digests: [Digest]

  init() throws {
    let directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.path)
    let bytes = try directory.read("xdp_counter.bpf.o")
    program = try #require(try BPFObject.report(bytes: bytes.rawSpan).programs.first)
    digests = try (1...3).map { try #require(Digest(.sha256, bytes: [UInt8](repeating: UInt8($0), count: 32))) }
  }

  @Test func noDenialBecomesAnAllowance() throws {
    let pairs = getenv("VERITY_BPF_DELETIONS").flatMap { Int(String(cString: $0)) } ?? 40_000
    let side = max(1, Int(Double(pairs).squareRoot()))
    var generator = SeededGenerator(seed: 72)
    let cases = (0..<side).map { _ in
      let evidence = evidence(&generator)
      let object = object(of: evidence)
      let asks = requester(&generator)
      var lesser = deletions(of: evidence).map { ($0.piece, facts($0.left, of: object, asks)) }
      // The same executable where nothing vouches for it: on no volume, and where nobody can say.
      for left in [RequesterFacts(rootHash: nil, digest: nil, isSigned: false), .unknown] where asks != left {
        lesser.append(("executable", facts(evidence, of: object, left)))
      }
      return (whole: facts(evidence, of: object, asks), lesser: lesser, evidence: evidence)
    }
    var (denied, tried) = (0, 0)
    for _ in 0..<side {
      let (text, policy) = RandomPolicies.next(&generator)
      for one in cases where policy.decide(one.whole).action == .deny {
        denied += 1
        for (piece, left) in one.lesser + DeletedFacts.all(of: one.whole).map({ ($0.piece, $0.left) }) {
          tried += 1
          let decision = policy.decide(left)
          guard decision.action == .allow else { continue }
          Issue.record("without \(piece): \(decision.summary)\n\(text)\(one.evidence)\n\(one.whole)")
          return
        }
      }
    }
    print("deletion: \(side * side) pairs, \(denied) of them denied, \(tried) deletions")
    #expect(denied > side * side / 4 && denied < side * side)
  }

  /// As `CompiledPolicy.admit` has them: the object is what is judged, whatever there is to say of it.
  private func facts(_ evidence: Evidence, of object: Digest?, _ asks: RequesterFacts) -> Facts {
    var facts = Facts(about: program, evidence: evidence, requester: Requester(.current(), asks))
    facts.object = object.map { DigestLiteral($0) }
    return facts
  }

  private func requester(_ generator: inout SeededGenerator) -> RequesterFacts {
    func digest() -> Digest { digests[Int.random(in: 0..<3, using: &generator)] }
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: return .unknown
    case 1: return RequesterFacts(rootHash: nil, digest: nil, isSigned: false)
    default: return RequesterFacts(rootHash: digest(), digest: digest(), isSigned: generator.isOne(in: 2))
    }
  }

  private func object(of evidence: Evidence) -> Digest? {
    evidence.object?.digest ?? evidence.file?.digest ?? evidence.unproven?.digest
  }

  /// Each piece of evidence that may be there or not, by its name, with what is left.
  private func deletions(of evidence: Evidence) -> [(piece: String, left: Evidence)] {
    var result: [(piece: String, left: Evidence)] = []
    func delete(_ piece: String, _ change: (inout Evidence) -> Void) {
      var left = evidence
      change(&left)
      if left != evidence { result.append((piece, left)) }
    }
    delete("descriptor") { $0.descriptor = nil }
    delete("loop device") { $0.loop = nil }
    delete("volume") { $0.volume = nil }
    delete("image") { $0.image = nil }
    delete("proof") { $0.verity = nil }
    delete("what the mount shows") { $0.unproven = nil }
    delete("verified blocks") { left in
      left.unproven = left.unproven.map {
        UnprovenFacts(size: $0.size, digest: $0.digest, reason: $0.reason, verifiedBlocks: nil)
      }
    }
    delete("signature of the root hash") { $0.rootHashSignature = nil }
    delete("object") { $0.object = nil }
    delete("file") { $0.file = nil }
    delete("fs-verity") { $0.fileVerity = nil }
    delete("signature") { $0.signature = nil }
    if let volume = evidence.volume {
      delete("signature that the kernel took") { $0.volume = Self.volume(volume, isSigned: false) }
      // The image of a volume that is in no doubt, through a loop device.
      if volume.doubts.isEmpty, evidence.verity != nil {
        delete("dm-verity") { ($0.volume, $0.loop) = (nil, Self.loop) }
      }
    }
    if let file = evidence.fileVerity, file.signature != nil {
      delete("signature of the file") {
        $0.fileVerity = FileVerityFacts(digest: file.digest, blockSize: 4096, salt: [], signature: nil)
      }
    }
    if evidence.unproven == nil, let digest = evidence.object?.digest ?? evidence.file?.digest {
      // The same bytes, copied to where nothing vouches for them; and stripped of their signature.
      var copy = Evidence()
      copy.file = FileFacts(path: "/tmp/copy.o", size: 100, digest: digest)
      copy.signature = evidence.signature
      copy.revokesSigners = evidence.revokesSigners
      result.append(("place", copy))
      copy.signature = signature(.unsigned, by: nil)
      result.append(("place and signature", copy))
    }
    return result
  }

  // MARK: - Random evidence

  private static let number = DeviceNumber(major: 254, minor: 0)
  private static let loop = LoopFacts(
    device: DeviceNumber(major: 7, minor: 0), name: "loop0", backingFile: "/a.raw", offset: 0, sizeLimit: 0,
    isReadOnly: true, diskSequence: 1)

  private static func volume(_ old: VolumeFacts, isSigned: Bool) -> VolumeFacts {
    VolumeFacts(
      device: number, name: "demo", uuid: "", rootHash: old.rootHash, salt: [], dataDevice: number, hashDevice: number,
      mode: old.mode, ignoresZeroBlocks: false, correctsErrors: false, isSigned: isSigned,
      keyring: old.keyring, doubts: old.doubts, hasPendingTable: false, eventNumber: 0,
      diskSequence: 1, table: "")
  }

  private func signature(_ verdict: SignatureFacts.Verdict, by signer: Digest?) -> SignatureFacts {
    let holds = verdict == .ok || verdict == .expired
    return SignatureFacts(
      verdict: verdict, signer: holds ? signer : nil, subject: nil, keyring: holds ? "bpf" : nil, format: nil,
      content: nil, refusal: nil)
  }

  private func voucher(_ signer: Digest) -> Voucher {
    Voucher(signer: signer, subject: "CN=a", anchors: "image", object: nil, policy: nil)
  }

  private func evidence(_ generator: inout SeededGenerator) -> Evidence {
    var evidence = Evidence()
    func digest(_ generator: inout SeededGenerator) -> Digest { digests[Int.random(in: 0..<3, using: &generator)] }
    evidence.revokesSigners = generator.isOne(in: 4)
    evidence.signature = signature(
      SignatureFacts.Verdict.allCases[Int.random(in: 0..<6, using: &generator)], by: digest(&generator))
    let object = digest(&generator)
    let kind = Int.random(in: 0..<6, using: &generator)
    if kind == 0 {
      evidence.file = FileFacts(path: "/tmp/a.o", size: 100, digest: object)
      guard generator.isOne(in: 2) else { return evidence }
      let signer = FileVerityFacts.Signature(
        isCheckedByKernel: generator.isOne(in: 2), signer: generator.isOne(in: 3) ? nil : digest(&generator),
        anchors: nil, refusal: nil)
      evidence.fileVerity = FileVerityFacts(
        digest: digest(&generator), blockSize: 4096, salt: [], signature: generator.isOne(in: 3) ? nil : signer)
      return evidence
    }
    let rootHash = digest(&generator)
    if kind > 1 {
      evidence.descriptor = DescriptorFacts(
        number: 3, device: Self.number, inode: 40, size: 100, mountID: 1, fileSystem: "erofs")
    }
    if kind == 2 { evidence.loop = Self.loop }
    if kind > 2 {
      let mode = ["EIO", "RESTART", "LOGGING"][Int.random(in: 0..<3, using: &generator)]
      let doubt = VolumeFacts.Doubt.allCases[Int.random(in: 0..<3, using: &generator)]
      let one = VolumeFacts(
        device: Self.number, name: "demo", uuid: "", rootHash: rootHash, salt: [], dataDevice: Self.number,
        hashDevice: Self.number, mode: mode, ignoresZeroBlocks: false, correctsErrors: false, isSigned: true,
        keyring: generator.isOne(in: 4) ? .unsealed : .sealed, doubts: generator.isOne(in: 2) ? [doubt] : [],
        hasPendingTable: false, eventNumber: 0, diskSequence: 1, table: "")
      evidence.volume = Self.volume(one, isSigned: !generator.isOne(in: 3))
      if kind == 3 {
        evidence.unproven = UnprovenFacts(
          size: 100, digest: object, reason: "no node", verifiedBlocks: generator.isOne(in: 2) ? 1 : nil)
        return evidence
      }
    }
    evidence.image = ImageFacts(
      path: "/a.raw", device: Self.number, inode: 1, size: 4096, name: generator.isOne(in: 3) ? nil : "demo",
      version: ["1.0", "2.1", "x", nil][Int.random(in: 0..<4, using: &generator)])
    evidence.verity = VerityProof(
      rootHash: rootHash, dataBlockSize: 4096, hashBlockSize: 4096, dataBlockCount: 8, levels: 1, salt: [],
      wasExpected: false)
    evidence.object = ObjectFacts(
      path: generator.isOne(in: 2) ? "a" : "b", nid: 40, size: 100, digest: object, described: nil)
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: evidence.rootHashSignature = RootHashVerdict("a.p7s", voucher(digest(&generator)))
    case 1:
      evidence.rootHashSignature = RootHashVerdict(
        "a.p7s", voucher(digest(&generator)), refusal: TrustError.unknownEntry(path: "a"))
    case 2:
      evidence.rootHashSignature = RootHashVerdict(
        "a.p7s", refusal: TrustError.unknownEntry(path: "a"))
    default: break
    }
    return evidence
  }
}
