import Base
import Policy
import Linux
import Signatures

struct PolicySignCommand: Command {
  static let policy: Key<String> = .required("POLICY", takes: .file, "The policy.")
  static let output: Key<String?> = .optional(
    "--output", short: "-o", takes: .file, "The file to write; by default the policy's name with .p7b.")
  static let noCertificate = Key.flag(
    "--no-certificate", "Leave the signer's certificate out of the message; the kernel does not need it.")

  static let declaration = Declaration(
    "Sign a policy as the kernel's IPE and this program take it.",
    discussion: """
      The result is an attached PKCS#7 message in DER, the same as of: openssl smime -sign -binary -noattr -nodetach \
      -nosmimecap -outform der
      """,
    examples: ["verity-bpf policy sign bpf.pol --certificate cert.pem --private-key key.pem"], arguments: [policy],
    options: [
      CommonOptions.dialect, SigningOptions.neededCertificate, SigningOptions.neededKey, SigningOptions.passphraseFile,
      output, noCertificate, StoreOptions.json,
    ])
  static let schema = "verity-bpf/policy-sign/1"

  static let configuresLibraries = true

  let policy: String
  let dialect: DialectName
  let certificate: String
  let privateKey: String
  let passphraseFile: String?
  let output: String?
  let noCertificate: Bool
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    policy = try words[Self.policy]
    dialect = try words[CommonOptions.dialect]
    certificate = try words[SigningOptions.neededCertificate]
    privateKey = try words[SigningOptions.neededKey]
    passphraseFile = try words[SigningOptions.passphraseFile]
    output = try words[Self.output]
    noCertificate = try words[Self.noCertificate]
    json = try words[StoreOptions.json]
  }

  var wantsJSON: Bool { json }

  var done: String? { "`\(path)` is written" }

  /// The file to write.
  private var path: String { output ?? "\(policy.hasSuffix(".pol") ? String(policy.dropLast(4)) : policy).p7b" }

  func execute() throws -> Int32 {
    let document = try PolicyFile.load(policy, dialect.dialect)
    for warning in document.diagnostics { Output.notes(warning.rendered(file: policy, text: document.text)) }
    let message = try SignedMessage.sign(
      document.text.bytes, certificate: try CertificateOption.read(certificate),
      key: try PrivateKey(try KeySource.named(privateKey, passphraseFile: passphraseFile)),
      form: SignedMessage.Form(isDetached: false, includesCertificate: !noCertificate))
    if message.count > KernelAnswer.messageLimit {
      Output.warning(
        "policy.too-large", "the signed policy has \(message.count) bytes; the kernel takes 65,535, verity-bpf takes it"
      )
    }
    var inputs = RunInputs(certificate: certificate, key: privateKey, passphraseFile: passphraseFile)
    inputs.add(policy, as: "the policy")
    try PolicyFile.save(message, to: path, keeping: inputs)
    if json {
      try Output.json([
        "schema": .string(Self.schema), "name": .optional(document.header?.nameText),
        "version": .optional(document.header?.version.description), "file": .string(path),
        "bytes": .integer(Int64(message.count)),
      ])
    } else if let header = document.header {
      try Output.line("signed  \(header.nameText) \(header.version)  \(path)  \(message.count) bytes")
    }
    return 0
  }
}
