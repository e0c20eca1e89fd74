import Base
import Verity
import ImageFormat
import Image
import Linux
import Policy
import Workbench
import Signatures

struct PolicyGenerateCommand: Command {
  enum AnchorKind: String, ArgumentChoice {
    case rootHash = "root-hash"
    case signature, signer
  }

  static let images: Key<[String]> = .repeated("IMAGE", takes: .image, "Image files.")
  static let anchor: Key<AnchorKind> = .optional("--anchor", default: .rootHash, "What to trust.")
  static let rootHash: Key<[String]> = .repeated(
    "--root-hash", takes: .word("HASH"), "A root hash in hex to trust, instead of an image; may be repeated.")
  static let certificate: Key<String?> = .optional(
    "--certificate", takes: .file, "With --anchor signer: the signer's certificate, in PEM.")
  static let signer: Key<String?> = .optional(
    "--signer", takes: .word("HASH"), "With --anchor signer: SHA-256 of the signer's DER certificate, in hex.")
  static let loadpin: Key<String?> = .optional("--loadpin", takes: .file, "A list of root digests in LoadPin's form.")
  static let name: Key<String> = .optional("--name", takes: .word("NAME"), default: "bpf", "The policy's name.")
  static let policyVersion: Key<PolicyVersion> = .optional(
    "--policy-version", default: PolicyVersion(1, 0, 0), "The policy's version.")
  static let require: Key<[String]> = .repeated(
    "--require", takes: .word("PROPERTY=VALUE"),
    "A property that every rule gets too, such as x_witness=USERSPACE; may be repeated.")

  static let declaration = Declaration(
    "Write a policy for images or for a LoadPin digest list.",
    discussion: """
      Each image is trusted by its root hash (stored with it as in NAME.roothash, and checked), by its signature as the kernel \
      checks it, or by its signer. The policy denies everything else.
      """,
    examples: ["verity-bpf policy generate progs.raw --name bpf > bpf.pol"], arguments: [images],
    options: [anchor, rootHash, certificate, signer, loadpin, name, policyVersion, require] + ImagePlace.keys)
  static let schema = "verity-bpf/policy-generate/1"

  let images: [String]
  let anchor: AnchorKind
  let rootHash: [String]
  let certificate: String?
  let signer: String?
  let loadpin: String?
  let name: String
  let policyVersion: PolicyVersion
  let require: [String]
  let place: ImagePlace

  init(_ words: Words) throws(UsageError) {
    images = try words[Self.images]
    anchor = try words[Self.anchor]
    rootHash = try words[Self.rootHash]
    certificate = try words[Self.certificate]
    signer = try words[Self.signer]
    loadpin = try words[Self.loadpin]
    name = try words[Self.name]
    policyVersion = try words[Self.policyVersion]
    require = try words[Self.require]
    place = try ImagePlace(words)
    try place.requireImage(images.first)
    if images.count > 1, place.location != ImageLocation() {
      throw UsageError("--verity-data, --hash-offset and --root-hash-signature are about one image: name one.")
    }
    if images.isEmpty, rootHash.isEmpty, loadpin == nil { throw UsageError("Name an image, a root hash or a list.") }
    if anchor == .signer, !images.isEmpty, certificate == nil, signer == nil {
      throw UsageError("--anchor signer needs --certificate FILE or --signer HASH.")
    }
  }

  func execute() throws -> Int32 {
    var anchors = try collected()
    if anchors.isEmpty { throw UsageError("`\(loadpin ?? "")` names no root hash.") }
    // One rule a root hash, whatever it was named by.
    var seen: [PolicyGenerator.Anchor] = []
    anchors = anchors.filter { entry in
      defer { seen.append(entry.anchor) }
      return !seen.contains(entry.anchor)
    }
    let text = PolicyGenerator(name: name, version: policyVersion, anchors: anchors, conditions: require).text
    let document = PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)
    guard document.isValid else { throw InvalidPolicy(diagnostics: document.diagnostics) }
    try Output.bytes(Array(text.utf8))
    return 0
  }

  private func collected() throws -> [(anchor: PolicyGenerator.Anchor, remark: String)] {
    var anchors: [(anchor: PolicyGenerator.Anchor, remark: String)] = []
    for image in images {
      switch anchor {
      case .rootHash: anchors.append((.rootHash(try rootHash(of: image)), image))
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
        throw UsageError("`\(certificate)` holds \(fingerprints.count) certificates, not one.")
      }
      return try Self.digest(fingerprints[0].description, of: certificate)
    }
    // Without a certificate there is a digest: `init` saw to it.
    return try Self.digest(signer ?? "", of: "--signer")
  }

  /// The root hash beside an image, after every block of the image was checked against it: a policy for an image that
  /// does not verify would allow nothing, and be blamed on the loader.
  private func rootHash(of image: String) throws -> DigestLiteral {
    guard let rootHash = try StoredRootHash.of(image: image)?.digest else {
      throw DiagnosedFailure(
        Diagnostic(
          "system.not-found", .incomplete,
          "no root hash to check `\(image)` against: there is no `\(Sidecars(imagePath: image).rootHash)`",
          next: "give the root hash that you trust in the place of the image: --root-hash HASH"))
    }
    let file = try ImageFile.open(image, at: place.location, rootHash: rootHash)
    let report = try file.verify(rootHash: rootHash, threads: Processors.online)
    guard report.isSound else {
      throw DiagnosedFailure(
        Diagnostic(
          "policy.root-hash", .integrity, "`\(image)` is not the image its root hash is of",
          expected: "blocks that lead to \(rootHash)", found: "\(report.faultCount) that do not",
          next: "verity-bpf verify \(image)"))
    }
    return try Self.digest(rootHash.description, of: image)
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

/// A policy's version.
extension PolicyVersion: ArgumentValue {
  static var expectation: String { "a version as MAJOR.MINOR.REVISION" }
  static var kind: ValueKind { .word("VERSION") }
  init?(argument: String) { self.init(argument) }
}
