import Base
import Verity
import ImageFormat
import Image
import Linux
import Signatures

/// `verity-bpf sign root-hash`: the detached signature that lets the kernel open an image as signed.
struct SignRootHashCommand: Command {
  static let image: Key<String> = .required("IMAGE", takes: .image, "The image.")
  static let output: Key<String?> = .optional(
    "--output", short: "-o", takes: .file, "The file to write. (default: NAME.roothash.p7s)")

  static let declaration = Declaration(
    "Sign the root hash of an image that is built already.",
    discussion: """
      Every block of the image is checked against the root hash first, so that nobody signs a damaged image. The \
      result is what the kernel, veritysetup --root-hash-signature and systemd take: a detached PKCS#7 message in DER \
      over the root hash's digits, as of: openssl smime -sign -binary -noattr -nocerts -outform der

      A disk image (--layout ddi) is not written to: the new signature lies beside it and counts in the place of the one \
      in its partition, which was made when it was built.
      """,
    examples: ["verity-bpf sign root-hash progs.raw --certificate cert.pem --private-key key.pem"],
    arguments: [image],
    options: TrustedRootHash.keys + ImagePlace.keys
      + [
        SigningOptions.neededCertificate, SigningOptions.neededKey, SigningOptions.passphraseFile, output,
        CommonOptions.json,
      ])
  static let schema = "verity-bpf/sign-root-hash/1"

  static let configuresLibraries = true

  let image: String
  let trusted: TrustedRootHash
  let location: ImageLocation
  let certificate: String
  let privateKey: String
  let passphraseFile: String?
  let output: String?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    image = try words[Self.image]
    trusted = try TrustedRootHash(words)
    location = try ImagePlace(words).location
    certificate = try words[SigningOptions.neededCertificate]
    privateKey = try words[SigningOptions.neededKey]
    passphraseFile = try words[SigningOptions.passphraseFile]
    output = try words[Self.output]
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "`\(output ?? Sidecars(imagePath: image).signature)` is written" }

  func execute() throws -> Int32 {
    let rootHash = try trusted.required(of: image)
    let file = try ImageFile.open(image, at: location, rootHash: rootHash)
    let sidecars = file.sidecars
    let report = try file.verify(rootHash: rootHash, threads: Processors.online)
    guard report.isSound else {
      throw DiagnosedFailure(
        Diagnostic(
          "sign.root-hash", .integrity, "`\(image)` is not the image its root hash is of; nothing was signed",
          expected: "blocks that lead to \(rootHash)", found: "\(report.faultCount) that do not",
          next: "verity-bpf verify \(image)"))
    }
    let inputs = inputs(besides: sidecars)
    let certificate = try CertificateOption.read(certificate)
    let message = try RootHashSigning.sign(
      rootHash, certificate: certificate,
      privateKey: try KeySource.named(privateKey, passphraseFile: passphraseFile))
    let signer = try Certificates(pem: certificate).fingerprints().first
    let path = output ?? sidecars.signature
    try PolicyFile.save(message, to: path, keeping: inputs)
    if let enclosed = file.partitionSignature, enclosed.message != message {
      Output.warning(
        "sign.partition-stays",
        "the signature in \(enclosed.place) stays as it is; beside the disk, the new one counts in its place")
    }
    if json {
      try Output.json([
        "schema": .string(Self.schema), "image": .string(image), "root_hash": .string(rootHash.description),
        "signature_file": .string(path), "signer": .optional(signer?.description),
      ])
    } else {
      try Printout.print(
        [Output.row("root hash", "\(rootHash)")] + (signer.map { [Output.row("signer", "\($0)")] } ?? [])
          + [Output.row("signature", "\(path), \(message.count) bytes")])
    }
    return 0
  }

  private func inputs(besides sidecars: Sidecars) -> RunInputs {
    var inputs = RunInputs(certificate: certificate, key: privateKey, passphraseFile: passphraseFile)
    inputs.add(image, as: "the image")
    inputs.add(location.verityData ?? sidecars.hashTree, as: "the image's tree")
    inputs.add(trusted.rootHashFile ?? sidecars.rootHash, as: "the root hash")
    return inputs
  }
}
