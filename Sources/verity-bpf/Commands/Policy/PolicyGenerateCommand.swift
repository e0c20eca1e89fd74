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
  static let operations: Key<OperationList> = .optional(
    "--op", default: OperationList(operations: [.bpfProgLoad]),
    "What the policy is about, with commas between several; without BPF_PROG_LOAD the policy is one for the kernel's IPE."
  )
  static let bootVerified = Key.flag("--boot-verified", "Trust the file system that held the initramfs.")
  static let fileDigest: Key<[String]> = .repeated(
    "--fsverity-digest", takes: .word("HASH"), "An fs-verity digest to trust, as alg:hex or in hex; may be repeated.")
  static let fileSignature = Key.flag(
    "--fsverity-signature", "Trust each file whose fs-verity digest is signed, as the kernel checks it.")
  static let name: Key<String> = .optional("--name", takes: .word("NAME"), default: "bpf", "The policy's name.")
  static let policyVersion: Key<PolicyVersion> = .optional(
    "--policy-version", default: PolicyVersion(1, 0, 0), "The policy's version.")
  static let require: Key<[String]> = .repeated(
    "--require", takes: .word("PROPERTY=VALUE"),
    "A property that every rule gets too, such as x_witness=USERSPACE; may be repeated.")
  static let json = Key.flag("--json", "One object, which holds the policy's text.")

  static let declaration = Declaration(
    "Write a policy for images, files, or a LoadPin digest list.",
    discussion: """
      Each image is trusted by its root hash (stored with it as in NAME.roothash, and checked), by its signature as the kernel \
      checks it, or by its signer. The policy denies everything else. With --op it is about other operations of the kernel's \
      IPE, denies what is not trusted of these, and leaves the others alone.
      """,
    examples: [
      "verity-bpf policy generate progs.raw --name bpf > bpf.pol",
      "verity-bpf policy generate usr.raw --op EXECUTE,KMODULE --boot-verified > site.pol",
    ], arguments: [images],
    options: [
      anchor, rootHash, certificate, signer, loadpin, operations, bootVerified, fileDigest, fileSignature, name,
      policyVersion, require,
    ] + ImagePlace.keys + [json])
  static let schema = "verity-bpf/policy-generate/1"

  let images: [String]
  let anchor: AnchorKind
  let rootHash: [String]
  let certificate: String?
  let signer: String?
  let loadpin: String?
  let operations: [Operation]
  let bootVerified: Bool
  let fileDigest: [String]
  let fileSignature: Bool
  let name: String
  let policyVersion: PolicyVersion
  let require: [String]
  let place: ImagePlace
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    images = try words[Self.images]
    anchor = try words[Self.anchor]
    rootHash = try words[Self.rootHash]
    certificate = try words[Self.certificate]
    signer = try words[Self.signer]
    loadpin = try words[Self.loadpin]
    operations = try words[Self.operations].operations
    bootVerified = try words[Self.bootVerified]
    fileDigest = try words[Self.fileDigest]
    fileSignature = try words[Self.fileSignature]
    name = try words[Self.name]
    policyVersion = try words[Self.policyVersion]
    require = try words[Self.require]
    place = try ImagePlace(words)
    try place.requireImage(images.first)
    if images.count > 1, place.location != ImageLocation() {
      throw UsageError("--verity-data, --hash-offset and --root-hash-signature are about one image: name one.")
    }
    json = try words[Self.json]
    guard isNamed || bootVerified || fileSignature || anchor != .rootHash else {
      throw UsageError("Name an image, a root hash, a list, or what else to trust.")
    }
    if usesAnchor, anchor == .signer, certificate == nil, signer == nil {
      throw UsageError("--anchor signer needs --certificate FILE or --signer HASH.")
    }
  }

  var wantsJSON: Bool { json }

  /// Whether digests say what is trusted.
  private var isNamed: Bool { !images.isEmpty || !rootHash.isEmpty || loadpin != nil || !fileDigest.isEmpty }
  /// The anchor is that of the images, and stands for itself where nothing is named.
  private var usesAnchor: Bool { !images.isEmpty || !isNamed }

  func execute() throws -> Int32 {
    var anchors = try collected()
    if anchors.isEmpty { throw UsageError("`\(loadpin ?? "")` names no root hash.") }
    // One rule a root hash, whatever it was named by.
    var seen: [PolicyGenerator.Anchor] = []
    anchors = anchors.filter { entry in
      defer { seen.append(entry.anchor) }
      return !seen.contains(entry.anchor)
    }
    let generator = PolicyGenerator(
      name: name, version: policyVersion, operations: operations, anchors: anchors, conditions: require)
    let text = Array(generator.text.utf8)
    // What `policy check` refuses is not handed out.
    let report = CheckReport(file: "\(name).pol", bytes: text, dialect: generator.dialect)
    guard report.isValid else { throw InvalidPolicy(diagnostics: report.diagnostics) }
    for finding in report.diagnostics {
      Output.notes(finding.rendered(file: "\(name).pol", text: report.document.text))
    }
    if json {
      try Output.json([
        "schema": .string(Self.schema), "name": .string(name), "version": .string(policyVersion.description),
        "dialect": .string(generator.dialect.rawValue),
        "operations": .array(operations.map { .string($0.rawValue) }),
        "kernel_answer": .string(report.answer.word), "policy": .string(generator.text),
      ])
    } else {
      try Output.bytes(text)
    }
    return 0
  }

  private func collected() throws -> [(anchor: PolicyGenerator.Anchor, remark: String)] {
    var anchors: [(anchor: PolicyGenerator.Anchor, remark: String)] = []
    if bootVerified { anchors.append((.bootVerified, "what was there when the initramfs was unpacked")) }
    switch anchor {
    case _ where !usesAnchor: break
    case .rootHash: for image in images { anchors.append((.rootHash(try rootHash(of: image)), image)) }
    case .signature: anchors.append((.kernelSignature, "signed images, as the kernel checks them"))
    case .signer: anchors.append((.signer(try signerDigest()), "images of this signer"))
    }
    for hex in rootHash { anchors.append((.rootHash(try Self.digest(hex, of: "--root-hash")), "given by hand")) }
    if let loadpin {
      let list = try LoadPinList(String(decoding: try PolicyFile.read(loadpin), as: UTF8.self))
      anchors += list.digests.map { (.rootHash($0), "from \(loadpin)") }
    }
    for hex in fileDigest {
      anchors.append((.fileDigest(try Self.digest(hex, of: "--fsverity-digest")), "a file by its fs-verity digest"))
    }
    if fileSignature { anchors.append((.fileSignature, "signed files, as the kernel checks them")) }
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

/// Operations with commas between them, each once.
struct OperationList: ArgumentValue {
  let operations: [Operation]

  static var expectation: String { "\(Operation.allCases.map { $0.rawValue }.joined(separator: ", ")), with commas" }
  static var kind: ValueKind { .word("OPERATIONS") }
  var argument: String { operations.map { $0.rawValue }.joined(separator: ",") }

  init(operations: [Operation]) { self.operations = operations }

  init?(argument: String) {
    let words = argument.split(separator: ",", omittingEmptySubsequences: false)
    let operations = words.compactMap { Operation(rawValue: String($0)) }
    guard operations.count == words.count, Set(operations).count == words.count else { return nil }
    self.operations = operations
  }
}

/// A policy's version.
extension PolicyVersion: ArgumentValue {
  static var expectation: String { "a version as MAJOR.MINOR.REVISION" }
  static var kind: ValueKind { .word("VERSION") }
  init?(argument: String) { self.init(argument) }
}
