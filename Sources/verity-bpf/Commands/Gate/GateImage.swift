import BPFAnalysis
import BPFObject
import Base
import FileSystems
import Gate
import Image
import ImageFormat
import KernelABI
import Verity

/// What a plan takes from images. Every block that is read is verified against the image's own root hash, which the
/// plan names; where one is stored with the image, it has to be that.
enum GateImage {
  private typealias FileSystem = AnyFileSystem<VerifiedDevice<ImageFile.Source>>

  /// An image with all its objects, each described from its bytes and held against the manifest where there is one.
  ///
  /// - Parameter forecast: of the kernel that the plan is for; nil for none.
  static func read(_ file: String, for forecast: GateForecast? = nil) throws -> GateRequest.Image {
    try opened(file) { image, rootHash, superblock in
      let manifest = try Manifest.read(from: image)
      try manifest?.check(superblock: superblock)
      let objects =
        try manifest.map { try Self.objects(of: $0, in: image, forecast) } ?? Self.objects(in: image, forecast)
      return GateRequest.Image(
        file: file, rootHash: rootHash, name: manifest?.name,
        version: manifest?.version.flatMap { Manifest.versionNumbers($0) }, hasManifest: manifest != nil,
        objects: objects)
    }
  }

  /// A file of an image that processes run.
  static func executable(_ name: ExecutableName) throws -> Executable {
    try opened(name.image) { image, rootHash, _ in
      let inode = try image.lookup(name.path)
      guard inode.kind == .regular else { throw notExecutable(name, "a \(inode.kind.name)") }
      let contents = try image.readFile(inode, limit: image.limits.fileBytes)
      // Of a script the kernel names the interpreter as what the process runs.
      guard contents.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
        throw notExecutable(name, "a file of another format")
      }
      return Executable(
        identity: ExecutableIdentity(rootHash: rootHash, inode: inode.number), image: name.image, path: name.path,
        digest: try Digest.of(contents.rawSpan))
    }
  }

  private static func notExecutable(_ name: ExecutableName, _ found: String) -> DiagnosedFailure {
    DiagnosedFailure(
      Diagnostic(
        "gate.not-executable", .incomplete, "`\(name.path)` of `\(name.image)` is nothing that a process runs",
        expected: "a regular file in ELF", found: found,
        why: "the kernel knows a process by the file that it runs, which for a script is the interpreter",
        next: "name the program that asks for loads; a script's loads are its interpreter's"))
  }

  private static func opened<Result>(
    _ file: String, _ body: (borrowing FileSystem, Digest, Superblock) throws -> Result
  ) throws -> Result {
    do {
      let stored = try StoredRootHash.of(image: file)
      let opened = try ImageFile.open(file, rootHash: stored?.digest)
      let (rootHash, superblock) = (opened.ownRootHash, opened.layout.superblock)
      if let stored, stored.digest != rootHash {
        throw DiagnosedFailure(
          Diagnostic(
            "verity.root-mismatch", .integrity, "the image has another root hash than `\(stored.place)` says",
            expected: stored.digest.description, found: rootHash.description,
            next: "get the image and its root hash again from where they were built"))
      }
      guard opened.holdsFileSystem else {
        throw DiagnosedFailure(
          Diagnostic(
            "image.file-system", .unsupported, "the image's file system is none that this build reads",
            expected: FileSystemFormat.names, found: "something else",
            why:
              "a row names a file by its inode, which has to be content of the image: btrfs and overlayfs number theirs otherwise",
            next: "check its blocks: verity-bpf verify \(file)"))
      }
      let image = try FileSystem(try opened.device(rootHash: rootHash))
      return try body(image, rootHash, superblock)
    } catch let error as any Diagnosable {
      var diagnostic = error.diagnostic
      if !diagnostic.message.mentions("`\(file)`") { diagnostic.message = "`\(file)`: \(diagnostic.message)" }
      throw DiagnosedFailure(diagnostic)
    }
  }

  /// The objects that a manifest names. What it says of them is not believed.
  private static func objects(
    of manifest: Manifest, in image: borrowing FileSystem, _ forecast: GateForecast?
  ) throws -> [GateRequest.Object] {
    var objects: [GateRequest.Object] = []
    for named in manifest.objects {
      let bytes = try image.readFile(try image.lookup(named.file.path), limit: BPFObject.maximumByteCount)
      let file = Manifest.File(
        path: named.file.path, digest: try Digest.of(bytes.rawSpan), size: UInt64(bytes.count))
      // What sections are whose names do not say it is under the root hash, like the objects.
      let types = named.statements.sectionTypes.compactMap { SectionType(section: $0.section, type: $0.type) }
      var linked = try BPFObject.link(bytes: bytes.rawSpan, objectName: file.path, allowsExterns: true)
      try linked.take(types)
      let programs = BPFObject.reports(of: linked)
      try named.check(
        against: ObjectDescription.describe(
          programs, license: linked.license, maps: linked.maps, file: file, statements: named.statements))
      objects.append(object(file.path, file.digest, linked, programs, forecast))
    }
    return objects
  }

  private static func object(
    _ path: String, _ digest: Digest, _ linked: LinkedObject, _ programs: [ProgramReport],
    _ forecast: GateForecast?
  ) -> GateRequest.Object {
    GateRequest.Object(
      path: path, digest: digest, programs: programs,
      types: linked.btf.isEmpty ? nil : try? Digest.of(linked.btf.rawSpan),
      afterCore: forecast?.afterCore(linked) ?? [])
  }

  /// The objects of an image without manifest, known by their first bytes. One that cannot be linked cannot be loaded
  /// either.
  private static func objects(
    in image: borrowing FileSystem, _ forecast: GateForecast?
  ) throws -> [GateRequest.Object] {
    var objects: [GateRequest.Object] = []
    for file in try image.files()
    where file.inode.kind == .regular && file.inode.size <= UInt64(BPFObject.maximumByteCount) {
      guard try image.obstacle(to: file.inode) == nil else { continue }
      let head = try image.readFile(file.inode, in: 0..<UInt64(BPFObject.FileKind.headByteCount))
      guard case .object = BPFObject.FileKind(ofHead: head) else { continue }
      let bytes = try image.readFile(file.inode, limit: BPFObject.maximumByteCount)
      let digest = try Digest.of(bytes.rawSpan)
      do throws(BPFObjectError) {
        let linked = try BPFObject.link(bytes: bytes.rawSpan, objectName: file.path, allowsExterns: true)
        objects.append(object(file.path, digest, linked, BPFObject.reports(of: linked), forecast))
      } catch {
        Output.warning(
          error.diagnostic.code, "`\(file.path)` cannot be loaded and has no rows: \(error.diagnostic.message)")
      }
    }
    return objects
  }
}
