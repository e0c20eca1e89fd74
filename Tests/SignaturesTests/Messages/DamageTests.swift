import Base
import Linux
import Signatures
import TestSupport
import Testing

/// Certificates and messages with a byte changed, at every place once and more: each ends in a value or an error, whatever
/// OpenSSL makes of it. A crash ends the run of the tests.
@Suite struct DamageTests {
  /// Of a tag, a length or a number: the lowest bit, OCTET STRING to BOOLEAN, primitive to constructed, the highest bit.
  private static let masks: [UInt8] = [0x01, 0x05, 0x20, 0x80]

  private let tool: OpenSSLTool
  private let content = Array("content".utf8)

  init() throws {
    tool = try OpenSSLTool()
    for (name, kind) in [("ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]), ("rsa", ["rsa:2048"])] {
      try tool.makeKey(
        name, kind + ["-addext", "keyUsage=digitalSignature", "-addext", "extendedKeyUsage=codeSigning"])
    }
  }

  private func sign(_ name: String) throws -> [UInt8] {
    try SignedMessage.sign(
      content, certificate: try tool.read("\(name).crt"), privateKey: try tool.read("\(name).key"), form: .rootHash)
  }

  @Test(arguments: ["ec", "rsa"])
  func unknownKeysAreNamed(name: String) throws {
    let good = try tool.read("\(name).crt")
    let (unknown, algorithm) = try UnknownKey.certificate(from: good)
    for file in [unknown, unknown + good, good + unknown] {
      let refusal = #expect(throws: SignatureError.self) { _ = try Certificates(pem: file) }
      guard case .unsupportedKey(algorithm, _) = refusal else {
        Issue.record("\(String(describing: refusal))")
        continue
      }
      #expect(refusal?.diagnostic.message.contains(algorithm) == true)
    }
    let signature = try sign(name)
    #expect(throws: SignatureError.self) {
      _ = try SignedMessage.sign(
        content, certificate: unknown, privateKey: try tool.read("\(name).key"), form: .rootHash)
    }
    // The unknown one has the name and number of the good one, by which PKCS#7 finds a signer.
    for file in [unknown + good, good + unknown] {
      let certificates = try Certificates(pem: file, passesOverUnsupportedKeys: true)
      #expect(certificates.count == 1)
      #expect(try SignedMessage.verify(signature, content: content, trusted: certificates).content == content)
    }
    #expect(throws: SignatureError.self) { _ = try Certificates(pem: unknown, passesOverUnsupportedKeys: true) }
  }

  @Test(arguments: ["ec", "rsa"])
  func certificates(name: String) throws {
    let der = try UnknownKey.der(of: try tool.read("\(name).crt"))
    let signature = try sign(name)
    let whole = try Certificates(pem: UnknownKey.pem(of: der))
    let facts = try SignedMessage.verify(signature, content: content, trusted: whole).certificate
    let now = try #require(facts.notBefore)
    #expect(facts.isForSigning && facts.isValid(at: now))
    var ends: [String: Int] = [:]
    for place in der.indices {
      for mask in Self.masks {
        var damaged = der
        damaged[place] ^= mask
        do throws(SignatureError) {
          let certificates = try Certificates(pem: UnknownKey.pem(of: damaged))
          _ = try certificates.fingerprints()
          let verified = try SignedMessage.verify(signature, content: content, trusted: certificates)
          let isGood = verified.certificate.isForSigning && verified.certificate.isValid(at: now)
          #expect(verified.content == content)
          ends[isGood ? "holds" : "holds, and does not count", default: 0] += 1
        } catch {
          ends[error.diagnostic.code, default: 0] += 1
        }
      }
    }
    // Each of the ways was gone: otherwise less was damaged than is said above. Another point is none of the curve, while
    // another modulus is a key.
    var expected = [
      "holds", "holds, and does not count", "signature.certificate", "signature.certificate-key", "signature.untrusted",
    ]
    if name == "rsa" { expected.append("signature.bad") }
    for end in expected { #expect(ends[end, default: 0] > 0, "\(end): \(ends)") }
    #expect(ends["signature.openssl"] == nil, "\(ends)")
  }

  /// A message with one byte changed is no message of the same content by somebody trusted, but where what OpenSSL's own
  /// command adds is under no signature; then the content is still that which was signed.
  @Test(arguments: [["-noattr", "-nocerts"], ["-noattr", "-nodetach"], ["-nodetach"], []])
  func messages(options: [String]) throws {
    try tool.write(content, "content")
    for name in ["ec", "rsa"] {
      let made = try tool.run(
        [
          "smime", "-sign", "-binary", "-outform", "der", "-in", "content", "-signer", "\(name).crt", "-inkey",
          "\(name).key", "-out", "message",
        ] + options)
      try #require(made.status == 0, "\(made.text)")
      let message = try tool.read("message")
      let detached = options.contains("-nodetach") ? nil : content
      let certificates = try Certificates(pem: try tool.read("\(name).crt"))
      #expect(try SignedMessage.verify(message, content: detached, trusted: certificates).content == content)
      var refusals = 0
      for place in message.indices {
        for mask in Self.masks {
          var damaged = message
          damaged[place] ^= mask
          do throws(SignatureError) {
            let verified = try SignedMessage.verify(damaged, content: detached, trusted: certificates)
            #expect(verified.content == content, "byte \(place)")
          } catch {
            refusals += 1
          }
        }
      }
      let all = message.count * Self.masks.count
      #expect(options.contains("-noattr") ? refusals == all : refusals > all / 2, "\(name): \(refusals) of \(all)")
    }
  }

  /// The digest in the attributes has to be a string of bytes: releases of OpenSSL read any other value as one.
  @Test(arguments: [[0x01, 0x01, 0xff], [0x05, 0x00], [0x06, 0x01, 0x2a], [0x02, 0x01, 0x00]] as [[UInt8]])
  func digestsThatAreNone(value: [UInt8]) throws {
    try tool.write(content, "content")
    let made = try tool.run([
      "smime", "-sign", "-binary", "-nosmimecap", "-nodetach", "-nocerts", "-outform", "der", "-in", "content",
      "-signer", "ec.crt", "-inkey", "ec.key", "-out", "message",
    ])
    try #require(made.status == 0, "\(made.text)")
    let message = try tool.read("message")
    // pkcs-9-messageDigest, and the set with its value: a SHA-256.
    let name: [UInt8] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04, 0x31, 0x22]
    let place = try #require(message.indices.first { message[$0...].starts(with: name) }) + name.count
    let digest = Array(message[place..<(place + 34)])
    let changed = Self.replacing(digest, by: value, in: message)
    #expect(changed.count == message.count - digest.count + value.count)
    let certificates = try Certificates(pem: try tool.read("ec.crt"))
    _ = try SignedMessage.verify(message, trusted: certificates)
    #expect(throws: SignatureError.malformed(reason: "attributes without a digest")) {
      try SignedMessage.verify(changed, trusted: certificates)
    }
  }

  /// Replaces an element, however deep in the others, and corrects the lengths of those around it. All lengths are below
  /// 64 KiB.
  private static func replacing(_ old: [UInt8], by new: [UInt8], in elements: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var rest = elements[...]
    while let tag = rest.first {
      let first = Int(rest[rest.startIndex + 1])
      let digits = first < 0x80 ? 0 : first & 0x7f
      let start = rest.startIndex + 2 + digits
      let count = digits == 0 ? first : rest[(start - digits)..<start].reduce(0) { $0 << 8 | Int($1) }
      let body = Array(rest[start..<(start + count)])
      let element = Array(rest[..<(start + count)])
      rest = rest[(start + count)...]
      if element == old {
        result += new
      } else if tag & 0x20 != 0 {
        let inner = replacing(old, by: new, in: body)
        let (low, high) = (UInt8(inner.count & 0xff), UInt8(inner.count >> 8))
        result += [tag] + (high > 0 ? [0x82, high, low] : low > 0x7f ? [0x81, low] : [low]) + inner
      } else {
        result += element
      }
    }
    return result
  }
}
