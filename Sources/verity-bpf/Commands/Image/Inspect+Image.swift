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
  /// Refuses an image that has another root hash than the one that was named or stored with it.
  ///
  /// - Parameter stored: where the expected one is stored; nil where it was named.
  static func require(_ rootHash: Digest, expected: Digest?, stored: String?) throws {
    guard let expected, expected != rootHash else { return }
    throw DiagnosedFailure(
      Diagnostic(
        "verity.root-mismatch", .integrity,
        "the image has another root hash than \(stored.map { "`\($0)` says" } ?? "was asked for")",
        expected: expected.description, found: rootHash.description,
        next: "get the image and its root hash again from where they were built"))
  }

  /// Describes an image. What is shown is proven against the root hash named in the answer; whether that one can be
  /// trusted is not said here.
  func inspectImage(_ kernels: KernelReport?) throws {
    let named = try trusted.expected()
    let stored = named == nil ? try StoredRootHash.of(image: file) : nil
    do {
      let opened = try ImageFile.open(file, at: location, rootHash: named ?? stored?.digest)
      opened.warnOfReplacedSignature()
      let (layout, rootHash) = (opened.layout, opened.ownRootHash)
      try Self.require(rootHash, expected: named ?? stored?.digest, stored: stored?.place)
      let trust = try Trust.told(in: trustAnchors)
      let signature = try RootHashVerdict.judge(rootHash, opened.signature, trust: trust)
      guard opened.holdsFileSystem else {
        throw DiagnosedFailure(
          Diagnostic(
            "image.file-system", .unsupported, "the image's file system is none that this build reads",
            expected: FileSystemFormat.names, found: "\(layout.parameters.dataByteCount) bytes of something else",
            next: "check its blocks: verity-bpf verify \(file)"))
      }
      let places = ImagePlaces(opened)
      var image = try AnyFileSystem(try opened.device(rootHash: rootHash))
      let description = ImageDescription(
        file: file, rootHash: rootHash, sidecar: stored?.place, signature: signature, layout: layout, places: places,
        format: image.format, uuid: image.uuid, kernels: kernels)
      if let inode = try Manifest.inode(in: image) {
        try tell(description, manifest: inode, in: &image)
      } else {
        let files = try image.files()
        try tell(description, files, objects: try ForeignObject.find(files, in: image))
      }
      if !json { for line in kernels?.lines ?? [] { try Output.line(line) } }
    } catch let error as any Diagnosable {
      var diagnostic = error.diagnostic
      if !diagnostic.message.mentions("`\(file)`") { diagnostic.message = "`\(file)`: \(diagnostic.message)" }
      throw DiagnosedFailure(diagnostic)
    }
  }
}

extension InspectCommand {
  /// Prints what is in an image without a manifest.
  private func tell(
    _ description: ImageDescription, _ files: [(path: String, inode: FileSystemInode)], objects: [ForeignObject]
  ) throws {
    if json {
      let members: [JSONValue.Member] = [
        .init("manifest", .null), .init("objects", .array(objects.map(\.json))),
        .init("files", .array(files.map { FileSystemFile($0).json })),
      ]
      return try Output.json(.object(description.members(schema: Self.schema) + members))
    }
    for line in description.lines { try Output.line(line) }
    try Output.line(Output.row("manifest", "none: not made by verity-bpf build-image"))
    for file in files { try Output.line("\(file.inode.kind.name)  /\(file.path)  \(file.inode.size) bytes") }
    for object in objects {
      switch object.description {
      case .success(let object): for line in object.lines { try Output.line(line) }
      case .failure(let error):
        try Output.line("object   \(object.path)  cannot be loaded: \(error.diagnostic.message)")
      }
    }
  }
}

/// A file of an image, as the answer lists it.
struct FileSystemFile {
  private let path: String
  private let inode: FileSystemInode

  init(_ file: (path: String, inode: FileSystemInode)) { (path, inode) = file }

  var json: JSONValue {
    ["path": .string(path), "kind": .string(inode.kind.name), "size": .unsigned(inode.size)]
  }
}

/// What an image is, apart from what is in it.
struct ImageDescription {
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
  let uuid: [UInt8]?
  /// What kernels have against the objects, where that was asked for.
  let kernels: KernelReport?

  var lines: [String] {
    let parameters = layout.parameters
    let name = file.split(separator: "/").last.map(String.init) ?? file
    return [
      "image    \(name)  \(places.byteCount) bytes",
      Output.row("root hash", "\(rootHash)"),
      Output.row("", sidecar.map { "as in \($0)" } ?? "computed from the image; nothing vouches for it"),
      Output.row("signature", signature?.line ?? "none"),
      Output.row(
        "data",
        "\(parameters.dataBlockCount) blocks of \(parameters.dataBlockSize) bytes\(places.data), \(format.name)"
          + (uuid.map { " \(VolumeUUID($0))" } ?? "")),
      Output.row(
        "tree",
        "\(layout.geometry.blockCount) blocks of \(parameters.hashBlockSize) bytes in \(layout.geometry.levels.count) "
          + "levels\(places.tree), superblock at byte \(layout.superblockOffset), UUID \(layout.superblock.uuid)"),
      Output.row("salt", parameters.saltText),
    ]
  }

  func members(schema: String) -> [JSONValue.Member] {
    let parameters = layout.parameters
    return [
      .init("schema", .string(schema)), .init("kind", "image"), .init("file", .string(file)),
      .init("root_hash", .string(rootHash.description)), .init("root_hash_file", .optional(sidecar)),
      .init("signature", signature?.json ?? .null), .init("size", .unsigned(places.byteCount)),
      .init("layout", .string(places.kind.rawValue)), .init("partition", .optional(places.partition)),
      .init("tree_file", .optional(places.treePath)), .init("data_blocks", .unsigned(parameters.dataBlockCount)),
      .init("data_block_size", .integer(Int64(parameters.dataBlockSize))),
      .init("hash_block_size", .integer(Int64(parameters.hashBlockSize))),
      .init("hash_offset", .unsigned(layout.superblockOffset)), .init("salt", .string(Hex.encode(parameters.salt))),
      .init("uuid", .string(layout.superblock.uuid.description)),
      .init(
        "file_system", ["type": .string(format.rawValue), "uuid": .optional(uuid.map { VolumeUUID($0).description })]),
    ] + (kernels.map { [.init("kernels", $0.json)] } ?? [])
  }
}

extension Manifest.Object {
  /// The object for people: what it is, and what would keep it from being loaded.
  var lines: [String] {
    var lines = ["object   \(file.path)  \(file.digest)"]
    for program in programs {
      let type = [program.type, program.attachType].compactMap { $0 }
      let types = type.count == 2 && type[0] == type[1] ? type[0] : type.joined(separator: "/")
      lines.append(Output.row("program", "\(program.name)  \(types)"))
    }
    if !maps.isEmpty {
      lines.append(Output.row("maps", maps.map { "\($0.name) (\($0.type))" }.joined(separator: ", ")))
    }
    for stated in statements.sectionTypes {
      lines.append(Output.row("section", "\(stated.section): \(stated.type), as the image says"))
    }
    if let isConfigurable = statements.isConfigurable {
      lines.append(
        Output.row("options", isConfigurable ? "may change it at a load" : "none: it is loaded as it is"))
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
