import BPFObject
import Base
import Signatures
import TestSupport
import Testing

/// The companion section: what it lets pass, and what it does not.
@Suite struct ObjectSignatureTests {
  let signer: Signer

  init() throws { signer = try Signer() }

  private static let fixtures = ["data", "callbacks", "core", "maps", "attach", "slots"]

  private func sign(_ object: [UInt8]) throws -> [UInt8] {
    let certificate = try signer.pem("alice.crt")
    let key = try signer.key("alice")
    return try ObjectSigner.sign(
      object.rawSpan, certificate: certificate, key: key, forKernel: KernelSigningPlan(object: object.rawSpan))
  }

  private func verify(_ object: [UInt8], trusting name: String = "alice") throws -> VerifiedSignature {
    let trusted = try signer.trusted(name)
    return try ObjectVerifier.verify(object.rawSpan, trusted: trusted)
  }

  /// The code of the refusal; nil when the signature holds.
  private func code(_ object: [UInt8], trusting name: String = "alice") throws -> String? {
    let trusted = try signer.trusted(name)
    do throws(ObjectSignatureError) {
      _ = try ObjectVerifier.verify(object.rawSpan, trusted: trusted)
      return nil
    } catch {
      return error.diagnostic.code
    }
  }

  @Test(arguments: fixtures)
  func signedObjectsLinkToTheSame(_ name: String) throws {
    let object = try signer.object(name)
    let signed = try sign(object)
    #expect(
      try BPFObject.link(bytes: signed.rawSpan, objectName: name)
        == BPFObject.link(bytes: object.rawSpan, objectName: name))
    let signature = try verify(signed)
    #expect(signature.format == .companion && signature.certificate.subject == "CN=alice")
    #expect(signature.covered.contains("section `.BTF`") && signature.covered.contains("the symbol table"))
    #expect(try sign(signed) == signed, "signing again with the same key changes nothing")
    #expect(try code(object) == "object-signature.none")
    #expect(try code(signed, trusting: "bob") == "signature.untrusted")
  }

  @Test(arguments: fixtures, [["llvm-strip", "-g"], ["llvm-objcopy", "--strip-debug"], ["llvm-objcopy"]])
  func strippingKeepsItValid(_ name: String, _ command: [String]) throws {
    let signed = try sign(try signer.object(name))
    try signer.directory.write("stripped.o", signed)
    try Tools.run(command + [signer.directory.file("stripped.o")])
    let stripped = try signer.directory.read("stripped.o")
    #expect(stripped != signed || command == ["llvm-objcopy"])
    #expect(try code(stripped) == nil)
    let ours = try BPFObject.strip(signed.rawSpan)
    #expect(try code(ours) == nil)
    // What was taken away is not covered any more, and may not come back as something else.
    #expect(try sign(stripped).count <= stripped.count + 64)
  }

  @Test(arguments: ["core", "maps"])
  func everySectionIsCovered(_ name: String) throws {
    let signed = try sign(try signer.object(name))
    let table = try Tools.run("llvm-readelf", "-S", "--wide", try signer.directory.write("signed.o", signed))
    var checked = 0
    for line in table.split(separator: "\n") {
      guard
        let match = line.firstMatch(of: #/\] (\S+) +(\S+) +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) /#), match.2 != "NOBITS",
        let offset = Int(match.3, radix: 16), let size = Int(match.4, radix: 16), size > 0
      else { continue }
      // The last byte of a string table is a NUL that ends a name.
      for place in [offset, offset + size - 1] {
        var changed = signed
        changed[place] ^= 0x20
        #expect(try code(changed) != nil, "\(match.1) at byte \(place)")
      }
      checked += 1
    }
    #expect(checked > 8)
  }

  @Test func othersSignToo() throws {
    let object = try signer.object("core")
    let content = try ObjectSigner.bytesToSign(of: object.rawSpan)
    for options in [["-noattr", "-nocerts"], ["-noattr"], ["-noattr", "-md", "sha512"]] {
      let message = try signer.cms(content, options)
      let signed = try attach(message, object)
      #expect(try code(signed) == nil, "\(options)")
    }
  }

  private func attach(_ message: [UInt8], _ object: [UInt8]) throws -> [UInt8] {
    let trusted = try signer.trusted("alice")
    return try ObjectSigner.attach(message, to: object.rawSpan, trusted: trusted)
  }

  /// `openssl cms` takes the message out of the section as it is.
  @Test func opensslVerifiesOurs() throws {
    let signed = try sign(try signer.object("maps"))
    let section = try SignatureSection.read(from: signed.rawSpan)
    try signer.directory.write("manifest", section.manifest)
    try signer.directory.write("message", section.message)
    try Tools.run(
      "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signer.directory.file("message"), "-content",
      signer.directory.file("manifest"), "-noverify", "-certfile", signer.directory.file("alice.crt"), "-out",
      "/dev/null")
  }

  @Test(arguments: [
    (["-noattr", "-nodetach"], "signature.content"), ([], "signature.attributes"),
    (["-noattr", "-md", "sha1"], "signature.weak-digest"), (["-noattr", "-stream", "-nodetach"], "signature.not-der"),
  ])
  func badMessages(_ options: [String], _ expected: String) throws {
    let object = try signer.object("data")
    let message = try signer.cms(try ObjectSigner.bytesToSign(of: object.rawSpan), options)
    #expect(attachCode(message, object) == expected)
  }

  private func attachCode(_ message: [UInt8], _ object: [UInt8]) -> String? {
    do throws(ObjectSignatureError) {
      _ = try ObjectSigner.attachUnchecked(message, to: object.rawSpan)
      return nil
    } catch {
      return error.diagnostic.code
    }
  }

  @Test func worseMessages() throws {
    let object = try signer.object("data")
    let content = try ObjectSigner.bytesToSign(of: object.rawSpan)
    let good = try signer.cms(content, ["-noattr"])
    #expect(attachCode(good, object) == nil)
    #expect(attachCode(try signer.cms(content, ["-noattr"], signers: ["alice", "bob"]), object) == "signature.signers")
    #expect(attachCode(good + [0], object) == "signature.trailing")
    #expect(attachCode(Array(good.dropLast()), object) == "signature.length")
    #expect(attachCode([0x30, 0x84, 0x40, 0, 0, 0, 1, 2], object) == "signature.length", "a length of 1 GiB")
    #expect(attachCode([0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], object) == "signature.length")
    #expect(attachCode([0x30, 0x80, 0, 0], object) == "signature.not-der")
    #expect(attachCode([0x30, 0x81, 0x01, 0], object) == "signature.not-der")
    #expect(attachCode([], object) == "signature.malformed")
    var nested: [UInt8] = [5, 0]
    for _ in 0..<40 { nested = [0x30, UInt8(nested.count)] + nested }
    #expect(attachCode(nested, object) == "signature.malformed")
  }

  /// The contents of the one signature section.
  private func signatureSection(_ object: [UInt8]) throws -> [UInt8] {
    let sections = try BPFObject.sections(named: ".bpf_sig", in: object.rawSpan)
    return try #require(sections.first)
  }

  /// A signature says nothing about another object, also when its manifest comes along.
  @Test func copiedSignatures() throws {
    let signed = try sign(try signer.object("data"))
    let section = try signatureSection(signed)
    let other = try signer.object("core")
    let stolen = try BPFObject.settingSection(named: ".bpf_sig", to: section, in: other.rawSpan)
    let found = try code(stolen)
    #expect(
      ["object-signature.changed", "object-signature.missing", "object-signature.code-not-covered"].contains(found))
  }

  /// A valid signature over a manifest that passes a section of instructions over.
  @Test func manifestsWithHoles() throws {
    let object = try signer.object("data")
    let text = String(decoding: try ObjectSigner.bytesToSign(of: object.rawSpan), as: UTF8.self)
    let lines = text.split(separator: "\n")
    #expect(try code(attached(object, lines)) == nil)
    let code = try #require(lines.firstIndex { $0.hasPrefix("section") && $0.contains(" 6 ") })
    var holed = lines
    holed.remove(at: code)
    #expect(try self.code(attached(object, holed)) == "object-signature.code-not-covered")
    let license = try #require(lines.firstIndex { $0.hasPrefix("section") && $0.hasSuffix(" license") })
    holed = lines
    holed.remove(at: license)
    #expect(try self.code(attached(object, holed)) == "object-signature.not-covered")
    #expect(try self.code(attached(object, lines + [lines[license] + "2"])) == "object-signature.missing")
    #expect(try self.code(attached(object, lines + ["nonsense"])) == "object-signature.manifest")
    #expect(try self.code(attached(object, Array(lines.dropFirst()))) == "object-signature.manifest")
  }

  /// The object with a valid signature over these lines.
  private func attached(_ object: [UInt8], _ lines: [Substring]) throws -> [UInt8] {
    let manifest = Array((lines.joined(separator: "\n") + "\n").utf8)
    let message = try SignedMessage.sign(
      manifest, certificate: try signer.pem("alice.crt"), privateKey: try signer.pem("alice.key"), form: .rootHash)
    return try BPFObject.settingSection(named: ".bpf_sig", to: Self.section(manifest, message), in: object.rawSpan)
  }

  /// The section's contents as the format says, written by hand.
  private static func section(_ manifest: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var bytes = Array("VBPFSIG1".utf8)
    func number(_ value: Int) -> [UInt8] { [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) } }
    bytes += number(2)
    for (kind, contents) in [(1, manifest), (2, message)] {
      bytes += number(kind) + number(contents.count) + contents
      while bytes.count % 4 != 0 { bytes.append(0) }
    }
    return bytes
  }

  @Test func damagedSections() throws {
    let object = try signer.object("data")
    let signed = try sign(object)
    let section = try signatureSection(signed)
    for cut in [0, 1, 8, 12, 16, 100, section.count - 1] {
      let damaged = try BPFObject.settingSection(
        named: ".bpf_sig", to: Array(section.prefix(cut)), in: object.rawSpan)
      #expect(try code(damaged) == "object-signature.section", "\(cut) bytes")
    }
    let longer = try BPFObject.settingSection(named: ".bpf_sig", to: section + [0, 0, 0, 0], in: object.rawSpan)
    #expect(try code(longer) == "object-signature.section")
    // The same section under another name, which is then given the signature's.
    let twice = try BPFObject.settingSection(named: ".bpf_sih", to: section, in: signed.rawSpan)
    let place = try #require(Self.find(Array(".bpf_sih\0".utf8), in: twice))
    var renamed = twice
    renamed[place + 7] = UInt8(ascii: "g")
    #expect(try code(renamed) == "object-signature.twice")
    #expect(try code(sign(renamed)) == nil, "signing replaces both")
  }

  private static func find(_ pattern: [UInt8], in bytes: [UInt8]) -> Int? {
    bytes.indices.first { bytes[$0...].starts(with: pattern) }
  }

  @Test func addedPartsAreRefused() throws {
    let signed = try sign(try signer.object("data"))
    let more = try BPFObject.settingSection(named: "tp/extra", to: [1, 2, 3], in: signed.rawSpan)
    #expect(try code(more) == "object-signature.not-covered")
    // Bytes that belong to no section, behind the section header table.
    #expect(try code(signed + [1]) == "object.hidden-bytes")
  }

  /// Whatever happens to a file, it ends in a verdict, and a change of what is loaded never in a good one.
  @Test func randomChanges() throws {
    let object = try signer.object("slots")
    let signed = try sign(try BPFObject.strip(object.rawSpan))
    let linked = try BPFObject.link(bytes: signed.rawSpan, objectName: "slots")
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<400 {
      var changed = signed
      changed[Int.random(in: 0..<changed.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
      guard try code(changed) == nil else { continue }
      let other = try BPFObject.link(bytes: changed.rawSpan, objectName: "slots")
      #expect(other == linked)
    }
  }
}
