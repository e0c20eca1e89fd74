import Base
import Linux
import Signatures
import TestSupport
import Testing

/// The trailer of kernel modules, with the kernel's own tool as the other party.
@Suite struct ModuleSignatureTests {
  let signer: Signer

  init() throws { signer = try Signer() }

  private func code(_ object: [UInt8], trusting name: String = "alice") throws -> String? {
    let trusted = try signer.trusted(name)
    do throws(ObjectSignatureError) {
      let signature = try ObjectVerifier.verify(object.rawSpan, trusted: trusted)
      #expect(signature.format == .module)
      return nil
    } catch {
      return error.diagnostic.code
    }
  }

  private func sign(_ object: [UInt8]) throws -> [UInt8] {
    let certificate = try signer.pem("alice.crt")
    let key = try signer.key("alice")
    return try ModuleSignature.sign(object.rawSpan, certificate: certificate, key: key)
  }

  private static let signFile = "/usr/lib/linux-kbuild-6.1/scripts/sign-file"

  @Test func othersSignForUs() throws {
    let object = try signer.object("data")
    let key = signer.directory.file("alice.key")
    for tool in [["sha256"], ["sha512"], ["-k", "sha512"]] {
      try signer.directory.write("theirs.o", object)
      do {
        try Tools.run(
          [Self.signFile] + tool + [key, signer.directory.file("alice.crt"), signer.directory.file("theirs.o")])
      } catch {
        print("skipped: \(Self.signFile) is not here: \(error)")
        return
      }
      let signed = try signer.directory.read("theirs.o")
      #expect(signed.count > object.count + 300)
      // -k names the signer by key id, which PKCS#7 1.5 cannot say: the kernel takes it, this program does not.
      #expect(try code(signed) == (tool.contains("-k") ? "signature.malformed" : nil), "\(tool)")
      #expect(try code(signed, trusting: "bob") != nil)
    }
  }

  /// Our message is one that openssl and modinfo read.
  @Test func oursHolds() throws {
    let object = try signer.object("data")
    let signed = try sign(object)
    #expect(try code(signed) == nil)
    #expect(try sign(signed) == signed)
    #expect(signed.starts(with: object) && signed.suffix(28).elementsEqual("~Module signature appended~\n".utf8))
    let length = signed.dropLast(28).suffix(4).reduce(0) { $0 << 8 | Int($1) }
    #expect(signed.count == object.count + length + 40)
    try signer.directory.write("object", object)
    try signer.directory.write("message", Array(signed.dropFirst(object.count).prefix(length)))
    try Tools.run(
      "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signer.directory.file("message"), "-content",
      signer.directory.file("object"), "-noverify", "-certfile", signer.directory.file("alice.crt"), "-out", "/dev/null"
    )
    #expect(try ModuleSignature.bytesToSign(of: signed.rawSpan) == object)
  }

  @Test func damage() throws {
    let object = try signer.object("data")
    let signed = try sign(object)
    func changed(_ fromEnd: Int, _ value: UInt8) -> [UInt8] {
      var bytes = signed
      bytes[bytes.count - fromEnd] = value
      return bytes
    }
    #expect(try code(changed(1, 0x20)) == "object-signature.none", "no mark, no signature")
    #expect(try code(changed(28 + 1, 9)) == "signature.malformed" || code(changed(28 + 1, 9)) == "signature.trailing")
    #expect(try code(changed(28 + 4, 0x40)) == "object-signature.trailer", "a message of 1 GiB")
    #expect(try code(changed(28 + 10, 1)) == "object-signature.trailer", "not PKCS#7")
    #expect(try code(changed(28 + 12, 1)) == "object-signature.trailer", "an algorithm, which PKCS#7 says itself")
    var flipped = signed
    flipped[object.count / 2] ^= 1
    #expect(try code(flipped) == "signature.bad")
    #expect(try code(Array("~Module signature appended~\n".utf8)) == "object-signature.trailer")
  }
}
