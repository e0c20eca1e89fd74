import Admission
import BPFObject
import Base
import Verity
import ImageFormat
import FileSystems
import Image
import Linux
import Trust

extension InspectCommand {
  /// Describes an image. What is shown is proven against the root hash named in the answer; whether that one can be
  /// trusted is not said here.
  func inspectImage() throws {
    let named = try trusted.expected()
    let stored = named == nil ? try StoredRootHash.of(image: file) : nil
    do {
      let opened = try ImageFile.open(file, at: location, rootHash: named ?? stored?.digest)
      opened.warnOfReplacedSignature()
      let (layout, rootHash) = (opened.layout, opened.ownRootHash)
      if let expected = named ?? stored?.digest, expected != rootHash {
        throw DiagnosedFailure(
          Diagnostic(
            "verity.root-mismatch", .integrity,
            "the image has another root hash than \(stored.map { "`\($0.place)` says" } ?? "was asked for")",
            expected: expected.description, found: rootHash.description,
            next: "get the image and its root hash again from where they were built"))
      }
      let trust = try Trust.told(in: trustAnchors)
      let signature = try RootHashVerdict.judge(rootHash, opened.signature, trust: trust)
      guard opened.holdsFileSystem else {
        throw DiagnosedFailure(
          Diagnostic(
            "image.file-system", .unsupported, "the image's file system is none that this build reads",
            expected: "EROFS", found: "\(layout.parameters.dataByteCount) bytes of something else",
            next: "check its blocks: verity-bpf verify \(file)"))
      }
      let places = ImagePlaces(opened)
      let image = try AnyFileSystem(try opened.device(rootHash: rootHash))
      let manifest = try Manifest.read(from: image)
      try manifest?.check(superblock: layout.superblock)
      let files = try image.files()
      let description = ImageDescription(
        file: file, rootHash: rootHash, sidecar: stored?.place, signature: signature, layout: layout, places: places,
        format: image.format, uuid: image.uuid, manifest: manifest, files: files,
        objects: manifest == nil ? try ForeignObject.find(files, in: image) : [])
      if json {
        try Output.json(description.json(schema: Self.schema))
      } else {
        for line in description.lines { try Output.line(line) }
      }
    } catch let error as any Diagnosable {
      var diagnostic = error.diagnostic
      if !diagnostic.message.mentions("`\(file)`") { diagnostic.message = "`\(file)`: \(diagnostic.message)" }
      throw DiagnosedFailure(diagnostic)
    }
  }
}

/// What is in an image.
private struct ImageDescription {
  let file: String
  let rootHash: Digest
  /// The file the root hash was read from, if there is one beside the image.
  let sidecar: String?
  /// What the signature of the root hash is worth; nil when none came with the image.
  let signature: RootHashVerdict?
  let layout: VerityLayout
  let places: ImagePlaces
  /// Whose format the file system has, and its own identifier.
  let format: FileSystemFormat
  let uuid: [UInt8]
  let manifest: Manifest?
  let files: [(path: String, inode: FileSystemInode)]
  /// The objects that were found among the files, where no manifest names them.
  let objects: [ForeignObject]

  var lines: [String] {
    let parameters = layout.parameters
    let name = file.split(separator: "/").last.map(String.init) ?? file
    var lines = [
      "image    \(name)  \(places.byteCount) bytes",
      Output.row("root hash", "\(rootHash)"),
      Output.row("", sidecar.map { "as in \($0)" } ?? "computed from the image; nothing vouches for it"),
      Output.row("signature", signature?.line ?? "none"),
      Output.row(
        "data",
        "\(parameters.dataBlockCount) blocks of \(parameters.dataBlockSize) bytes\(places.data), \(format.name) "
          + "\(VolumeUUID(uuid))"),
      Output.row(
        "tree",
        "\(layout.geometry.blockCount) blocks of \(parameters.hashBlockSize) bytes in \(layout.geometry.levels.count) "
          + "levels\(places.tree), superblock at byte \(layout.superblockOffset), UUID \(layout.superblock.uuid)"),
      Output.row("salt", parameters.saltText),
    ]
    guard let manifest else {
      lines.append(Output.row("manifest", "none: not made by verity-bpf build-image"))
      lines += files.map { "\($0.inode.kind.name)  /\($0.path)  \($0.inode.size) bytes" }
      for object in objects {
        switch object.description {
        case .success(let object): lines += object.lines
        case .failure(let error):
          lines.append("object   \(object.path)  cannot be loaded: \(error.diagnostic.message)")
        }
      }
      return lines
    }
    let label = [manifest.name, manifest.version].compactMap { $0 }.joined(separator: " ")
    lines.append(Output.row("manifest", label.isEmpty ? "without name" : label))
    for object in manifest.objects { lines += object.lines }
    for file in manifest.files { lines.append("file     \(file.path)  \(file.digest)") }
    return lines
  }

  func json(schema: String) -> JSONValue {
    let parameters = layout.parameters
    return .object([
      .init("schema", .string(schema)), .init("kind", "image"), .init("file", .string(file)),
      .init("root_hash", .string(rootHash.description)), .init("root_hash_file", .optional(sidecar)),
      .init("signature", signature?.json ?? .null), .init("size", .unsigned(places.byteCount)),
      .init("layout", .string(places.kind.rawValue)), .init("partition", .optional(places.partition)),
      .init("tree_file", .optional(places.treePath)), .init("data_blocks", .unsigned(parameters.dataBlockCount)),
      .init("data_block_size", .integer(Int64(parameters.dataBlockSize))),
      .init("hash_block_size", .integer(Int64(parameters.hashBlockSize))),
      .init("hash_offset", .unsigned(layout.superblockOffset)), .init("salt", .string(Hex.encode(parameters.salt))),
      .init("uuid", .string(layout.superblock.uuid.description)),
      .init("file_system", ["type": .string(format.rawValue), "uuid": .string(VolumeUUID(uuid).description)]),
      .init("manifest", manifest?.json ?? .null), .init("objects", .array(objects.map(\.json))),
      .init(
        "files",
        .array(
          files.map {
            ["path": .string($0.path), "kind": .string($0.inode.kind.name), "size": .unsigned($0.inode.size)]
          })),
    ])
  }
}

extension Manifest.Object {
  /// The object for people: what it is, and what would keep it from being loaded.
  fileprivate var lines: [String] {
    var lines = ["object   \(file.path)  \(file.digest)"]
    for program in programs {
      let type = [program.type, program.attachType].compactMap { $0 }
      let types = type.count == 2 && type[0] == type[1] ? type[0] : type.joined(separator: "/")
      lines.append(Output.row("program", "\(program.name)  \(types)"))
    }
    if !maps.isEmpty {
      lines.append(Output.row("maps", maps.map { "\($0.name) (\($0.type))" }.joined(separator: ", ")))
    }
    let loadable = lockdown.last { $0.forbidden.isEmpty }?.mode ?? "no mode"
    let refusing = lockdown.first { !$0.forbidden.isEmpty }
    lines.append(
      Output.row(
        "lockdown",
        refusing.map { "loadable up to \(loadable); \($0.mode) forbids \($0.forbidden.joined(separator: ", "))" }
          ?? "loadable in every mode"))
    return lines
  }
}
