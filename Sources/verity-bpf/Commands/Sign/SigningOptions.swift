import Linux
import Signatures

/// Who signs: a certificate and its private key, named as systemd-repart and sbsign name them.
struct SigningOptions {
  static let certificate: Key<String?> = .optional("--certificate", takes: .file, "The signer's certificate, in PEM.")
  static let privateKey: Key<String?> = .optional(
    "--private-key", takes: .key, "Its private key: a PEM file, or a URI..")
  static let keys: [any AnyKey] = [certificate, privateKey]

  /// The same where nothing can be done without them.
  static let neededCertificate: Key<String> = .required(
    "--certificate", takes: .file, "The signer's certificate, in PEM.")
  static let neededKey: Key<String> = .required("--private-key", takes: .key, "Its private key: a PEM file, or a URI.")

  let certificate: String?
  let privateKey: String?

  init(_ words: Words) throws(UsageError) {
    certificate = try words[Self.certificate]
    privateKey = try words[Self.privateKey]
    guard (certificate == nil) == (privateKey == nil) else {
      throw UsageError("Signing takes both --certificate and --private-key.")
    }
  }

  /// The files, which no result may replace.
  var inputs: RunInputs { RunInputs(certificate: certificate, key: privateKey) }

  /// The files' contents, when they were named.
  func material() throws -> (certificate: [UInt8], privateKey: KeySource)? {
    guard let certificate, let privateKey else { return nil }
    return (try CertificateOption.read(certificate), try KeySource.named(privateKey))
  }
}

extension RunInputs {
  /// What a signer reads besides that which is signed.
  init(certificate: String?, key: String?) {
    self.init()
    add(certificate, as: "the certificate")
    if let key { add(key: key) }
  }
}

extension KeySource {
  /// The key that an argument names: a URI that OpenSSL's store opens, or a PEM file, which is read.
  static func named(_ argument: String) throws -> KeySource {
    PrivateKey.isURI(argument) ? .uri(argument) : .pem(try PolicyFile.read(argument))
  }
}
