import Linux
import Signatures
import Trust

/// `verity-bpf revoked sign`: a list as machines install it.
struct RevokedSignCommand: Command {
  static let list: Key<String> = .required("FILE", takes: .file, "The list's text.")
  static let output: Key<String?> = .optional(
    "--output", short: "-o", takes: .file, "The file to write; by default the list's name with .p7b.")

  static let declaration = Declaration(
    "Sign a list of what was revoked.",
    discussion: """
      The result is an attached PKCS#7 message in DER, as policies are signed. The certificate has to be in the set \
      `revocation` among the trust anchors of the machines that are to take the list.
      """,
    examples: ["verity-bpf revoked sign fleet.list --certificate cert.pem --private-key key.pem"], arguments: [list],
    options: [SigningOptions.neededCertificate, SigningOptions.neededKey, SigningOptions.passphraseFile, output])
  static let schema = "verity-bpf/revoked-sign/1"
  static let configuresLibraries = true

  let list: String
  let certificate: String
  let privateKey: String
  let passphraseFile: String?
  let output: String?

  init(_ words: Words) throws(UsageError) {
    list = try words[Self.list]
    certificate = try words[SigningOptions.neededCertificate]
    privateKey = try words[SigningOptions.neededKey]
    passphraseFile = try words[SigningOptions.passphraseFile]
    output = try words[Self.output]
  }

  var done: String? { "`\(path)` is written" }

  private var path: String { output ?? "\(list.hasSuffix(".list") ? String(list.dropLast(5)) : list).p7b" }

  func execute() throws -> Int32 {
    let text = try PolicyFile.read(list)
    let found = try RevocationList(text, path: list)
    let message = try SignedMessage.sign(
      text, certificate: try CertificateOption.read(certificate),
      key: try PrivateKey(try KeySource.named(privateKey, passphraseFile: passphraseFile)), form: .policy)
    var inputs = RunInputs(certificate: certificate, key: privateKey, passphraseFile: passphraseFile)
    inputs.add(list, as: "the list")
    try PolicyFile.save(message, to: path, keeping: inputs)
    try Output.line("signed  \(found.line)  \(path)")
    return 0
  }
}
