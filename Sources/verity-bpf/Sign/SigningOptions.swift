import ArgumentParser

/// Who signs: a certificate and its private key, named as systemd-repart and sbsign name them.
struct SigningOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The signer's certificate, in PEM.", valueName: "file"))
  var certificate: String?

  @Option(
    name: .long, help: ArgumentHelp("Its private key, in PEM. With it the root hash is signed.", valueName: "file"))
  var privateKey: String?

  func validate() throws {
    guard (certificate == nil) == (privateKey == nil) else {
      throw ValidationError("Signing takes both --certificate and --private-key.")
    }
  }

  /// The files' contents, when they were named.
  func material() throws -> (certificate: [UInt8], privateKey: [UInt8])? {
    guard let certificate, let privateKey else { return nil }
    return (try PolicyFile.read(certificate), try PolicyFile.read(privateKey))
  }
}
