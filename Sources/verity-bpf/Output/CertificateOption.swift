import Signatures
import Trust

/// Files of certificates that the command line names.
enum CertificateOption {
  /// The bytes of a file that holds certificates in PEM; `-` is standard input.
  ///
  /// - Throws: ``TrustAnchors/TrustError/certificate(path:_:)``, which names the file, when it holds none or one of them
  ///   cannot be used.
  static func read(_ path: String) throws -> [UInt8] {
    let pem = try PolicyFile.bytes(of: path)
    do throws(SignatureError) {
      _ = try Certificates(pem: pem)
    } catch {
      throw TrustError.certificate(path: path, error)
    }
    return pem
  }
}
