import Base
import Linux
import Signatures
import Trust

/// `verity-bpf policy sign-trust`: the statement that `policy trust` takes.
struct PolicySignTrustCommand: Command {
  static let storeID: Key<String> = .required(
    "--store-id", takes: .word("ID"), "The store's identifier, from `policy list --signers`.")
  static let counter: Key<Int> = .required(
    "--counter", takes: .word("N"), "The statement's number, above that of the last one.")
  static let trust: Key<[String]> = .repeated(
    "--trust", takes: .file, "Certificates in PEM, whose signatures of policies count from then on; may be repeated.")
  static let retire: Key<[Digest]> = .repeated(
    "--retire", "SHA-256 of a certificate in DER, whose signatures count no more; may be repeated.")
  static let output: Key<String> = .required("--output", short: "-o", takes: .file, "The file to write.")

  static let declaration = Declaration(
    "Sign a statement about whose signatures of policies count in a store.",
    discussion: "The signer's own signature has to count in that store. The store need not be on this machine.",
    examples: [
      "verity-bpf policy sign-trust --store-id ID --counter 1 --trust new.pem --certificate c.pem --private-key k -o s"
    ],
    options: [
      storeID, counter, trust, retire, SigningOptions.neededCertificate, SigningOptions.neededKey,
      SigningOptions.passphraseFile, output, StoreOptions.json,
    ])
  static let schema = "verity-bpf/policy-sign-trust/1"
  static let configuresLibraries = true

  let storeID: String
  let counter: Int
  let trust: [String]
  let retire: [Digest]
  let certificate: String
  let privateKey: String
  let passphraseFile: String?
  let output: String
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    storeID = try words[Self.storeID]
    counter = try words[Self.counter]
    trust = try words[Self.trust]
    retire = try words[Self.retire]
    certificate = try words[SigningOptions.neededCertificate]
    privateKey = try words[SigningOptions.neededKey]
    passphraseFile = try words[SigningOptions.passphraseFile]
    output = try words[Self.output]
    json = try words[StoreOptions.json]
    if trust.isEmpty, retire.isEmpty { throw UsageError("Say whom to --trust or to --retire.") }
    guard counter > 0 else { throw UsageError("Numbers of statements begin with 1.") }
  }

  var wantsJSON: Bool { json }
  var done: String? { "`\(output)` is written" }

  func execute() throws -> Int32 {
    let statement = SignerStatement(
      store: storeID, counter: UInt64(clamping: counter), trusted: try trust.map { try CertificateOption.read($0) },
      retired: retire)
    let message = try SignedMessage.sign(
      statement.text, certificate: try CertificateOption.read(certificate),
      key: try PrivateKey(try KeySource.named(privateKey, passphraseFile: passphraseFile)), form: .policy)
    var inputs = RunInputs(certificate: certificate, key: privateKey, passphraseFile: passphraseFile)
    for path in trust { inputs.add(path, as: "a certificate") }
    try PolicyFile.save(message, to: output, keeping: inputs)
    guard !json else {
      try Output.json([
        "schema": .string(Self.schema), "store": .string(storeID), "counter": .integer(Int64(counter)),
        "file": .string(output), "bytes": .integer(Int64(message.count)),
      ])
      return 0
    }
    try Output.line(Output.row("signed", "\(output), statement \(counter) for store \(storeID)"))
    return 0
  }
}
