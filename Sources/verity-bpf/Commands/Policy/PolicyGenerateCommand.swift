import ArgumentParser
import ByteKit
import DMVerity
import Diagnostics
import DiskLayout
import ImageFiles
import LinuxSys
import Policy
import PolicyWorkbench
import Signatures

struct PolicyGenerateCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Write a policy for images or for a LoadPin digest list.",
    discussion: """
      Each image is trusted by its root hash (read from IMAGE.roothash, and checked), by its signature as the kernel \
      checks it, or by its signer. The policy denies everything else.
      """)
  static let schema = "verity-bpf/policy-generate/1"

  enum AnchorKind: String, ExpressibleByArgument, CaseIterable {
    case rootHash = "root-hash"
    case signature, signer
  }

  @Argument(help: "Image files.") var images: [String] = []
  @Option(help: "What to trust: root-hash, signature or signer.") var anchor: AnchorKind = .rootHash
  @Option(help: "A root hash in hex to trust, instead of an image; may be repeated.") var rootHash: [String] = []
  @Option(help: "With --anchor signer: the signer's certificate, in PEM.") var certificate: String?
  @Option(help: "With --anchor signer: SHA-256 of the signer's DER certificate, in hex.") var signer: String?
  @Option(help: "A list of root digests in LoadPin's form.") var loadpin: String?
  @Option(help: "The policy's name.") var name = "bpf"
  @Option(help: "The policy's version.") var policyVersion = "1.0.0"
  @Option(help: "A property that every rule gets too, such as x_witness=USERSPACE; may be repeated.")
  var require: [String] = []

  var wantsJSON: Bool { false }

  func execute() throws -> Int32 {
    guard let version = PolicyVersion(policyVersion) else { throw ValidationError("`\(policyVersion)` is no version") }
    var anchors = try collected()
    if anchors.isEmpty { throw ValidationError("name an image, a root hash or a list") }
    // One rule a root hash, whatever it was named by.
    var seen: [PolicyGenerator.Anchor] = []
    anchors = anchors.filter { entry in
      defer { seen.append(entry.anchor) }
      return !seen.contains(entry.anchor)
    }
    let text = PolicyGenerator(name: name, version: version, anchors: anchors, conditions: require).text
    let document = PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)
    guard document.isValid else { throw InvalidPolicy(diagnostics: document.diagnostics) }
    try Output.bytes(Array(text.utf8))
    return 0
  }

  private func collected() throws -> [(anchor: PolicyGenerator.Anchor, remark: String)] {
    var anchors: [(anchor: PolicyGenerator.Anchor, remark: String)] = []
    for image in images {
      switch anchor {
      case .rootHash: anchors.append((.rootHash(try Self.rootHash(of: image)), image))
      case .signature: anchors.append((.kernelSignature, "signed images, as the kernel checks them"))
      case .signer: anchors.append((.signer(try signerDigest()), "images of this signer"))
      }
    }
    for hex in rootHash { anchors.append((.rootHash(try Self.digest(hex, of: "--root-hash")), "given by hand")) }
    if let loadpin {
      let list = try LoadPinList(String(decoding: try PolicyFile.read(loadpin), as: UTF8.self))
      anchors += list.digests.map { (.rootHash($0), "from \(loadpin)") }
    }
    return anchors
  }

  private func signerDigest() throws -> DigestLiteral {
    if let certificate {
      let fingerprints = try Certificates(pem: try CertificateOption.read(certificate)).fingerprints()
      guard fingerprints.count == 1 else {
        throw ValidationError("`\(certificate)` holds \(fingerprints.count) certificates")
      }
      return try Self.digest(fingerprints[0].description, of: certificate)
    }
    guard let signer else { throw ValidationError("--anchor signer needs --certificate FILE or --signer HEX") }
    return try Self.digest(signer, of: "--signer")
  }

  /// The root hash beside an image, after every block of the image was checked against it: a policy for an image that
  /// does not verify would allow nothing, and be blamed on the loader.
  private static func rootHash(of image: String) throws -> DigestLiteral {
    let rootHash = try TrustedRootHash.read(file: Sidecars(imagePath: image).rootHash)
    let report = try ImageFile.open(image).verify(rootHash: rootHash, threads: Processors.online)
    guard report.isSound else {
      throw DiagnosedFailure(
        Diagnostic(
          "policy.root-hash", .integrity, "`\(image)` is not the image its root hash is of",
          expected: "blocks that lead to \(rootHash)", found: "\(report.faultCount) that do not",
          next: "verity-bpf verify \(image)"))
    }
    return try digest(rootHash.description, of: image)
  }

  private static func digest(_ text: String, of source: String) throws -> DigestLiteral {
    let hex = text.filter { !$0.isWhitespace }
    let named = hex.contains(":") ? hex : "\(hex.utf8.count == 128 ? "sha512" : "sha256"):\(hex)"
    guard let digest = DigestLiteral(named), DigestLiteral.size(of: digest.algorithm) == digest.bytes.count else {
      throw DiagnosedFailure(
        Diagnostic(
          "policy.root-hash", .invalid, "\(source) holds no root hash", expected: "64 or 128 hex digits, or alg:hex",
          found: "`\(hex.prefix(80))`"))
    }
    return digest
  }
}
