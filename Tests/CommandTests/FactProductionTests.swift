import Base
import Linux
import Policy
import TestSupport
import Testing

/// Every property that has a producer is answered by a real object: a rule that asks for it allows. What only a kernel
/// with device-mapper or fs-verity can say is asked in the test machine, and the case is named here.
@Suite(.serialized) struct FactProductionTests {
  private let directory: TemporaryDirectory
  private let rootHash: String

  /// Where the fact of a property comes from, and a value that it has there.
  private enum Origin {
    /// An object of the image that is packed here.
    case image(String, object: String = "xdp_counter.bpf.o")
    /// A signed object on no image.
    case signedObject(String)
    /// A case of the test machine (`docs/vm.md`): its file, its name, and the rule that it loads by.
    case machine(file: String, name: String, rule: String)
  }

  init() throws {
    directory = try TemporaryDirectory()
    for path in ["trust", "trust/bpf"] { try Directory.create(directory.file(path)) }
    try Tools.run(
      "openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", directory.file("alice.key"), "-out",
      directory.file("alice.crt"), "-subj", "/CN=alice", "-days", "2")
    try Tools.run("cp", directory.file("alice.crt"), directory.file("trust/bpf/alice.pem"))
    try Tools.buildDemo(into: directory.file("progs"))
    let built = try VerityBPFCommand.run(
      ["build-image", "progs", "-o", "progs.raw", "--name", "demo", "--version", "1.2.3"], in: directory.path)
    try #require(built.status == 0, "\(built.errors)")
    rootHash = String(decoding: try directory.read("progs.roothash"), as: UTF8.self).trimmed
    try Tools.run("cp", directory.file("progs/socket_filter.bpf.o"), directory.file("signed.o"))
    let signed = try VerityBPFCommand.run(
      ["sign", "file", "signed.o", "--certificate", "alice.crt", "--private-key", "alice.key"], in: directory.path)
    try #require(signed.status == 0, "\(signed.errors)")
  }

  private func origins() throws -> [PropertyName: Origin] {
    let object = try Tools.run("sha256sum", directory.file("progs/xdp_counter.bpf.o")).prefix(64)
    let certificate = try Tools.run(
      "openssl", "x509", "-in", directory.file("alice.crt"), "-noout", "-fingerprint", "-sha256")
    let signer = certificate.trimmed.split(separator: "=").last.map { $0.filter { $0 != ":" } } ?? ""
    let uid = try Tools.run("id", "-u").trimmed
    let gid = try Tools.run("id", "-g").trimmed
    return [
      .dmverityRoothash: .image("sha256:\(rootHash)"),
      .dmveritySignature: .machine(
        file: "SignedImageCases", name: "loads-a-program", rule: "dmverity_signature=TRUE"),
      .fsverityDigest: .machine(file: "FSVerityCases", name: "proven-by-digest", rule: "fsverity_digest=sha256:"),
      .fsveritySignature: .machine(file: "FSVerityCases", name: "signed", rule: "fsverity_signature=TRUE"),
      .bpfSignature: .signedObject("OK"), .bpfKeyring: .signedObject("BPF"), .bpfKernel: .image("FALSE"),
      .witness: .image("USERSPACE"), .blocksVerified: .image("TRUE"), .signatureSource: .signedObject("USERSPACE"),
      .kernelExecute: .machine(
        file: "IPECases", name: "says-whether-an-object-may-be-executed", rule: "x_kernel_execute=TRUE"),
      .executed: .image("FALSE"),
      .signer: .signedObject("sha256:\(signer)"),
      .path: .image("/xdp_counter.bpf.o"), .object: .image("sha256:\(object)"), .programType: .image("xdp"),
      .attachType: .image("cgroup_inet_egress", object: "egress_filter.bpf.o"), .helpers: .image("map_lookup_elem"),
      .lockdown: .image("CONFIDENTIALITY"), .programClass: .image("FULL"), .reads: .image("UNDECLARED"),
      .configured: .image("FALSE"),
      .coreByLoader: .image("FALSE"), .dynamic: .image("FALSE"),
      .dmverityMode: .machine(file: "SignedImageCases", name: "loads-a-program", rule: "x_dmverity_mode=EIO"),
      .imageName: .image("demo"), .imageVersionMin: .image("1.2.3"), .requesterUID: .image(uid),
      .requesterGID: .image(gid), .requesterPath: .image(try Directory.resolved(VerityBPFCommand.path)),
      .requesterObject: .machine(
        file: "RequesterCases", name: "executable-of-a-volume", rule: "x_requester_object=sha256:"),
      .requesterRoothash: .machine(
        file: "RequesterCases", name: "executable-of-a-volume", rule: "x_requester_dmverity_roothash=sha256:"),
      .requesterSignature: .machine(
        file: "RequesterCases", name: "executable-of-a-signed-volume", rule: "x_requester_dmverity_signature=TRUE"),
    ]
  }

  @Test func everyPropertyWithAProducerIsAnswered() throws {
    let origins = try origins()
    #expect(Set(origins.keys) == Set(PropertyName.allCases.filter { $0.producer != .none }))
    for (name, origin) in origins {
      switch origin {
      case .image(let value, let object):
        try expectAllowed("\(name.rawValue)=\(value)", ["--image", "progs.raw", "--object", object])
      case .signedObject(let value):
        try expectAllowed("\(name.rawValue)=\(value)", ["--object", "signed.o"])
      case .machine(let file, let name, let rule):
        let source = String(
          decoding: try directory.read("\(Tools.repository)/Tests/VMTests/\(file).swift"), as: UTF8.self)
        #expect(source.contains("Case(\"\(name)\"") && source.contains(rule), "\(file) \(name) \(rule)")
      }
    }
  }

  private func expectAllowed(_ property: String, _ arguments: [String]) throws {
    let policy = try directory.write(
      "t.pol", "policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(property) action=ALLOW\n")
    let result = try VerityBPFCommand.run(
      ["load"] + arguments + ["--policy", policy, "--trust-anchors", "trust", "--dry-run", "--json"],
      in: directory.path)
    #expect(result.status == 0, "\(property): \(result.errors)")
    #expect(try result.json()["rule"]?["line"] == 3)
  }
}
