import Image
import Base
import Linux
import TestSupport
import Testing
import Trust

/// Whom `mount` asks before it sets anything up, and that what it checked is what it sets up: the library and the command.
@Suite(.enabled(if: ProcessIdentity.current().uid == 0, "not root: nothing can be mounted")) struct RevokedMountTests {
  private let directory: TemporaryDirectory
  private let rootHash: Digest
  private let signer: String

  /// A signed image `appended.raw` and trust anchors that count its signer.
  init() throws {
    directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, "appended")
    for path in ["trust", "trust/image", "mount"] { try Directory.create(directory.file(path)) }
    try Tools.run("cp", directory.file("cert.pem"), directory.file("trust/image/signer.pem"))
    let digits = String(decoding: try directory.read("appended.roothash"), as: UTF8.self)
    rootHash = try #require(Digest("sha256:\(digits)"))
    let verified = try VerityBPFCommand.run(
      ["verify", "appended.raw", "--trust-anchors", "trust", "--json"], in: directory.path)
    guard case .string(let signer)? = try verified.json()["signature"]?["signer"] else {
      throw Missing(output: verified.errors)
    }
    self.signer = signer
  }

  private struct Missing: Error { let output: String }

  private func request(_ signature: MountRequest.Signature) throws -> MountRequest {
    var request = MountRequest(
      directory: directory.file("mount"), rootHash: rootHash, trust: try Trust(directory: directory.file("trust")))
    request.signature = signature
    // The name of a volume that would be set up, and would be told as `mount.active` by a second one.
    request.name = "verity-bpf-revoked-mount-test"
    return request
  }

  private func mount(_ request: MountRequest) throws(ActivationError) -> MountedVolume {
    let image: ImageFile
    do throws(ImageFileError) {
      image = try ImageFile.open(directory.file("appended.raw"))
    } catch {
      throw .image(error.diagnostic)
    }
    return try ImageMount.mount(image, request, threads: 1)
  }

  private func requireNothingSetUp() throws {
    #expect(try MountTests.loops(directory).isEmpty)
    #expect(try FileStatus.of(path: directory.file("mount")).device == FileStatus.of(path: directory.path).device)
  }

  /// The image is damaged too, which would be found next: nothing is read of what was revoked.
  @Test func theLibraryRefusesARevokedRootHash() throws {
    try damage()
    for signature in [MountRequest.Signature.enclosed, .none] {
      try directory.write("trust/revoked", "# none\n")
      let unrevoked = try request(signature)
      let damaged = #expect(throws: ActivationError.self) { try mount(unrevoked) }
      #expect(damaged?.diagnostic.code != "provenance.revoked")
      try directory.write("trust/revoked", "root-hash \(rootHash)\n")
      let revoked = try request(signature)
      let error = #expect(throws: ActivationError.self) { try mount(revoked) }
      #expect(error?.diagnostic.code == "provenance.revoked" && error?.diagnostic.category == .integrity)
      #expect(error?.diagnostic.found == "root-hash \(rootHash), line 1 of `\(directory.file("trust/revoked"))`")
      try requireNothingSetUp()
    }
  }

  /// Whichever signature is for the kernel: that which came with the image is what `load` would refuse.
  @Test func theLibraryRefusesARevokedSigner() throws {
    try damage()
    try directory.write("trust/revoked", "signer \(signer)\n")
    let message = try directory.read("appended.roothash.p7s")
    for signature in [
      MountRequest.Signature.enclosed, .none, .named(EnclosedSignature(place: "elsewhere", message: [0x30])),
    ] {
      let revoked = try request(signature)
      let error = #expect(throws: ActivationError.self) { try mount(revoked) }
      #expect(error?.diagnostic.code == "provenance.revoked", "\(signature)")
    }
    // One that is named is asked about as well.
    try Tools.run("rm", directory.file("appended.roothash.p7s"))
    let named = try request(.named(EnclosedSignature(place: "elsewhere", message: message)))
    let error = #expect(throws: ActivationError.self) { try mount(named) }
    #expect(error?.diagnostic.code == "provenance.revoked")
    try requireNothingSetUp()
  }

  private func damage() throws {
    var image = try directory.read("appended.raw")
    image[5000] ^= 1
    try directory.write("appended.raw", image)
  }

  @Test func theCommandRefusesThemWithoutATrace() throws {
    let options = ["--trust-anchors", "trust"]
    for line in ["root-hash \(rootHash)", "signer \(signer)"] {
      try directory.write("trust/revoked", line + "\n")
      for more in [[], ["--no-signature"], ["--no-device-mapper"], ["--root-hash-signature", "appended.roothash.p7s"]] {
        let result = try VerityBPFCommand.run(["mount", "appended.raw", "mount"] + options + more, in: directory.path)
        #expect(
          result.status == 4 && result.errors.contains("error[provenance.revoked]"), "\(line) \(more): \(result.errors)"
        )
      }
    }
    try requireNothingSetUp()
    try directory.write("trust/revoked", "# \(rootHash)\n")
    let mounted = try VerityBPFCommand.run(
      ["mount", "appended.raw", "mount", "--no-device-mapper"] + options, in: directory.path)
    #expect(mounted.status == 0, "what is not revoked is mounted: \(mounted.errors)")
    try Tools.run("umount", directory.file("mount"))
  }

  /// The path leads to another image by the time it is mounted.
  @Test func whatWasOpenedIsMounted() throws {
    let image = try ImageFile.open(directory.file("appended.raw"))
    var other = try directory.read("appended.raw")
    other[5000] ^= 1
    try directory.write("other.raw", other)
    try Tools.run("mv", directory.file("other.raw"), directory.file("appended.raw"))
    var request = try request(.none)
    request.usesDeviceMapper = false
    let mounted = try ImageMount.mount(image, request, threads: 1)
    defer { _ = try? Tools.run("umount", directory.file("mount")) }
    #expect(mounted.witness == .none && mounted.rootHash == rootHash)
    #expect(try image.status.inode != FileStatus.of(path: directory.file("appended.raw")).inode)
    let backing = try Tools.run("losetup", "--noheadings", "--output", "BACK-INO", mounted.device)
    #expect(UInt64(backing.filter { $0.isNumber }) == image.status.inode)
  }

  /// Every file of the image is opened once, from the beginning of the command to the mount.
  @Test(arguments: ["appended", "sidecar", "ddi"])
  func opensEveryFileOnce(layout: String) throws {
    if layout != "appended" { _ = try LayoutTests.build(directory, layout) }
    let trace = directory.file("trace")
    let mounted = try VerityBPFCommand.run(
      ["mount", "\(layout).raw", "mount", "--no-device-mapper"], in: directory.path,
      wrapper: ["strace", "-f", "-qq", "-o", trace, "-e", "trace=open,openat,openat2"])
    try #require(mounted.status == 0, "\(mounted.errors)")
    defer { _ = try? Tools.run("umount", directory.file("mount")) }
    let lines = String(decoding: try directory.read("trace"), as: UTF8.self).split(separator: "\n")
    var files = ["\(layout).raw", "\(layout).roothash.p7s"]
    if layout == "sidecar" { files.append("sidecar.verity") }
    for file in files {
      let opened = lines.filter { $0.contains("\"\(file)\"") }
      #expect(opened.count == 1, "\(file): \(opened)")
    }
  }
}
