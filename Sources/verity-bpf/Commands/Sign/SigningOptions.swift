import Linux
import Signatures

/// Who signs: a certificate and its private key, named as systemd-repart and sbsign name them.
struct SigningOptions {
  static let certificate: Key<String?> = .optional("--certificate", takes: .file, "The signer's certificate, in PEM.")
  static let privateKey: Key<String?> = .optional(
    "--private-key", takes: .key, "Its private key: a PEM file, or a URI..")
  static let passphraseFile: Key<String?> = .optional(
    "--passphrase-file", takes: .file,
    "The key's pass phrase or PIN: the first line of this file. Without it none is known, and nobody is asked.")
  static let keys: [any AnyKey] = [certificate, privateKey, passphraseFile]
  static let passphraseWithoutKey = "--passphrase-file is of the key: give --private-key too."

  /// The same where nothing can be done without them.
  static let neededCertificate: Key<String> = .required(
    "--certificate", takes: .file, "The signer's certificate, in PEM.")
  static let neededKey: Key<String> = .required("--private-key", takes: .key, "Its private key: a PEM file, or a URI.")

  let certificate: String?
  let privateKey: String?
  let passphraseFile: String?

  init(_ words: Words) throws(UsageError) {
    certificate = try words[Self.certificate]
    privateKey = try words[Self.privateKey]
    passphraseFile = try words[Self.passphraseFile]
    guard passphraseFile == nil || privateKey != nil else { throw UsageError(Self.passphraseWithoutKey) }
    guard (certificate == nil) == (privateKey == nil) else {
      throw UsageError("Signing takes both --certificate and --private-key.")
    }
  }

  /// The files, which no result may replace.
  var inputs: RunInputs { RunInputs(certificate: certificate, key: privateKey, passphraseFile: passphraseFile) }

  /// The files' contents, when they were named.
  func material() throws -> (certificate: [UInt8], privateKey: KeySource)? {
    guard let certificate, let privateKey else { return nil }
    return (
      try CertificateOption.read(certificate), try KeySource.named(privateKey, passphraseFile: passphraseFile)
    )
  }
}

extension RunInputs {
  /// What a signer reads besides that which is signed.
  init(certificate: String?, key: String?, passphraseFile: String?) {
    self.init()
    add(certificate, as: "the certificate")
    add(passphraseFile, as: "the pass phrase")
    if let key { add(key: key) }
  }
}

extension KeySource {
  /// The key that an argument names: a URI that OpenSSL's store opens, or a PEM file, which is read.
  ///
  /// - Parameter passphraseFile: the file whose first line opens it.
  static func named(_ argument: String, passphraseFile: String?) throws -> KeySource {
    let passphrase = try passphraseFile.map { path in
      let line = try PolicyFile.read(path).prefix { $0 != UInt8(ascii: "\n") }
      return Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }
    let place: Place = PrivateKey.isURI(argument) ? .uri : .pem(try PolicyFile.read(argument))
    return KeySource(place, name: argument, passphrase: passphrase)
  }
}
