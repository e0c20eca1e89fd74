import ArgumentParser
import Diagnostics
import Policy
import SafeOutput
import Signatures

struct PolicySignCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign", abstract: "Sign a policy as the kernel's IPE and this program take it.",
    discussion: """
      The result is an attached PKCS#7 message in DER, the same as of: openssl smime -sign -binary -noattr -nodetach \
      -nosmimecap -outform der
      """)
  static let schema = "verity-bpf/policy-sign/1"

  @Argument(help: "The policy.") var policy: String
  @OptionGroup var language: DialectOption
  @Option(help: "The signer's certificate, in PEM.") var certificate: String
  @Option(help: "Its private key: a PEM file, or a URI.") var privateKey: String
  @Option(name: [.short, .long], help: "The file to write; by default the policy's name with .p7b.") var output: String?
  @Flag(help: "Leave the signer's certificate out of the message; the kernel does not need it.") var noCertificate =
    false

  var wantsJSON: Bool { false }

  func execute() throws -> Int32 {
    let document = try PolicyFile.load(policy, language.dialect)
    for warning in document.diagnostics { Output.notes(warning.rendered(file: policy, text: document.text)) }
    let message = try SignedMessage.sign(
      document.text.bytes, certificate: try CertificateOption.read(certificate),
      key: try PrivateKey(try KeySource.named(privateKey)),
      form: SignedMessage.Form(isDetached: false, includesCertificate: !noCertificate))
    if message.count > KernelAnswer.messageLimit {
      Output.warning(
        "policy.too-large", "the signed policy has \(message.count) bytes; the kernel takes 65,535, verity-bpf takes it"
      )
    }
    let stem = policy.hasSuffix(".pol") ? String(policy.dropLast(4)) : policy
    let path = output ?? "\(stem).p7b"
    var inputs = RunInputs(certificate: certificate, key: privateKey)
    inputs.add(policy, as: "the policy")
    try PolicyFile.save(message, to: path, keeping: inputs)
    if let header = document.header {
      try Output.line("signed  \(header.nameText) \(header.version)  \(path)  \(message.count) bytes")
    }
    return 0
  }
}
