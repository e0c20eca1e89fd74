import BPFObject
import Base
import Signatures
import TestSupport
import Testing

/// Signatures of programs for the kernel: what is signed, and how they lie in the section.
@Suite struct KernelSignatureTests {
  let signer: Signer

  init() throws { signer = try Signer() }

  private func sign(_ object: [UInt8], by name: String = "alice") throws -> [UInt8] {
    let certificate = try signer.pem("\(name).crt")
    let key = try signer.key(name)
    let plan = KernelSigningPlan(object: object.rawSpan)
    return try ObjectSigner.sign(object.rawSpan, certificate: certificate, key: key, forKernel: plan)
  }

  /// OpenSSL's own command is the judge: the message is over the instructions that linking gives, and nothing else.
  @Test(arguments: ["data", "callbacks", "core", "attach"])
  func messagesAreOverTheInstructions(_ name: String) throws {
    let object = try signer.object(name)
    let linked = try BPFObject.link(bytes: object.rawSpan, objectName: name)
    let signed = try sign(object)
    let signatures = try ObjectSigner.kernelSignatures(of: signed.rawSpan)
    #expect(signatures.filter { $0.form == .instructions }.map(\.program) == linked.programs.map(\.name))
    for signature in signatures {
      let program = try #require(linked.programs.first { $0.name == signature.program })
      var content = program.instructions
      if signature.form == .instructionsAndMaps {
        for map in linked.maps {
          content += map.initialValue
          content += [UInt8](repeating: 0, count: Int(map.valueSize) - map.initialValue.count)
        }
      }
      try signer.directory.write("content", content)
      try signer.directory.write("message", signature.message)
      try Tools.run(
        "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signer.directory.file("message"), "-content",
        signer.directory.file("content"), "-certfile", signer.directory.file("alice.crt"), "-noverify", "-out",
        "/dev/null")
    }
  }

  @Test func whatCannotBeSignedIsSaid() throws {
    let object = try signer.object("maps")
    let maps = KernelSigningPlan(object: object.rawSpan)
    #expect(maps.omissions.contains { $0.form == .instructionsAndMaps })
    let words = Array("no object".utf8)
    let text = KernelSigningPlan(object: words.rawSpan)
    #expect(text.contents.isEmpty && text.omissions.count == 1 && text.omissions[0].program == nil)
  }

  /// Whatever byte of the section is another, it is refused or says the same; it never traps.
  @Test func damagedRecordsAreRefused() throws {
    let object = try signer.object("data")
    let signed = try sign(object)
    let whole = try #require(try BPFObject.sections(named: ".bpf_sig", in: signed.rawSpan).first)
    let good = try ObjectSigner.kernelSignatures(of: signed.rawSpan)
    #expect(!good.isEmpty)
    for count in stride(from: 0, to: whole.count, by: 7) {
      let cut = try BPFObject.settingSection(
        named: ".bpf_sig", to: Array(whole.prefix(count)), in: object.rawSpan)
      #expect(throws: ObjectSignatureError.self) { try ObjectSigner.kernelSignatures(of: cut.rawSpan) }
    }
    // A record twice, a form that there is none of, a name as long as everything.
    for change in [{ $0 + $0 }, { _ in [9, 0, 0, 0, 1, 0, 0, 0, 65, 1] }, { _ in [1, 0, 0, 0, 255, 255, 255, 255] }]
      as [([UInt8]) -> [UInt8]]
    {
      var bytes = whole
      let start = try #require(try Self.firstKernelRecord(in: whole))
      bytes.replaceSubrange(start..., with: change(Array(whole[start...])))
      let changed = try BPFObject.settingSection(named: ".bpf_sig", to: bytes, in: object.rawSpan)
      #expect(throws: ObjectSignatureError.self) { try ObjectSigner.kernelSignatures(of: changed.rawSpan) }
    }
  }

  /// What is for the kernel has to be by who signed the object, though both are trusted.
  @Test func signersAreNotMixed() throws {
    let object = try signer.object("data")
    let (aliceCertificate, bobCertificate) = (try signer.pem("alice.crt"), try signer.pem("bob.crt"))
    let both = try Certificates(pem: aliceCertificate + bobCertificate)
    func section(by name: String) throws -> [UInt8] {
      let signed = try sign(object, by: name)
      _ = try ObjectVerifier.verify(signed.rawSpan, trusted: both)
      return try #require(try BPFObject.sections(named: ".bpf_sig", in: signed.rawSpan).first)
    }
    let (alice, bob) = (try section(by: "alice"), try section(by: "bob"))
    let head = alice.prefix(try #require(try Self.firstKernelRecord(in: alice)))
    let tail = bob.dropFirst(try #require(try Self.firstKernelRecord(in: bob)))
    let mixed = try BPFObject.settingSection(named: ".bpf_sig", to: Array(head + tail), in: object.rawSpan)
    let program = try #require(try ObjectSigner.kernelSignatures(of: mixed.rawSpan).first?.program)
    #expect(throws: ObjectSignatureError.kernelSignature(program: program, .untrustedSigner)) {
      try ObjectVerifier.verify(mixed.rawSpan, trusted: both)
    }
  }

  /// Where the third record begins.
  private static func firstKernelRecord(in section: [UInt8]) throws -> Int? {
    var next = 12
    for _ in 0..<2 { next += 8 + (Int(try section.rawSpan.u32(at: next + 4)) + 3) / 4 * 4 }
    return next < section.count ? next : nil
  }
}
