internal import Base

/// Certificates with a key of an algorithm that nobody has.
public enum UnknownKey {
  /// Not what this needs: one certificate in PEM with a key of one of the two kinds.
  public struct Unsuitable: Error {}

  /// A key's algorithm in DER, and the name of what becomes of it when its last number is 119.
  private static let algorithms: [(der: [UInt8], name: String)] = [
    ([0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01], "1.2.840.10045.2.119"),
    ([0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01], "1.2.840.113549.1.1.119"),
  ]

  /// The certificate with another algorithm for its key, EC or RSA, and that algorithm. It has the name and number of the
  /// given one, and its own signature is no longer right, which nobody looks at.
  public static func certificate(from pem: [UInt8]) throws -> (pem: [UInt8], algorithm: String) {
    var der = try self.der(of: pem)
    for (known, name) in algorithms {
      guard let place = der.indices.first(where: { der[$0...].starts(with: known) }) else { continue }
      der[place + known.count - 1] = 119
      return (self.pem(of: der), name)
    }
    throw Unsuitable()
  }

  /// The bytes of a PEM text's one certificate.
  public static func der(of pem: [UInt8]) throws -> [UInt8] {
    let lines = String(decoding: pem, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("-----") }
    guard let der = Base64.decode(lines.joined()) else { throw Unsuitable() }
    return der
  }

  /// A certificate as PEM text.
  public static func pem(of der: [UInt8]) -> [UInt8] {
    let text = Array(Base64.encode(der).utf8)
    var lines: [UInt8] = []
    for start in stride(from: 0, to: text.count, by: 64) { lines += text[start..<min(start + 64, text.count)] + [0x0a] }
    return Array("-----BEGIN CERTIFICATE-----\n".utf8) + lines + Array("-----END CERTIFICATE-----\n".utf8)
  }
}
