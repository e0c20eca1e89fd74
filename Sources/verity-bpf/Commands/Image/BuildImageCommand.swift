import BPFAnalysis
import BPFObject
import Base
import ImageFormat
import Image
import Linux

/// `verity-bpf build-image`: a directory of objects becomes a dm-verity image.
struct BuildImageCommand: Command {
  static let directory: Key<String> = .required("DIR", takes: .directory, "The directory with the objects.")
  static let output: Key<String> = .required("--output", short: "-o", takes: .image, "The image to write.")
  static let name: Key<String?> = .optional("--name", takes: .word("NAME"), "The image's name, for the manifest.")
  static let version: Key<String?> = .optional(
    "--version", takes: .word("VERSION"), "The image's version, for the manifest.")
  static let seed: Key<String?> = .optional("--seed", "Text that is mixed into salt and UUID, for example a commit id.")
  static let salt: Key<TreeSalt?> = .optional("--salt", "The tree's salt instead of the derived one; - for none.")
  static let rootHashFile: Key<String?> = .optional(
    "--root-hash-file", takes: .file, "Where to write the root hash. (default: the image's name with .roothash)")
  static let layout: Key<ImageLayout> = .optional(
    "--layout", default: .appended,
    "Where the tree goes: appended to the data, in the sidecar NAME.verity, or in a partition of a ddi, a disk image as "
      + "systemd-dissect opens it.")
  static let partition: Key<PartitionTypes.Use> = .optional(
    "--partition", default: .root, "What the data's partition of a ddi is for: root or usr.")
  static let sysext: Key<SystemExtension?> = .optional(
    "--sysext",
    "Make a system extension of that name, as systemd-sysext merges it: DIR becomes /usr/lib/NAME. The image is to be called "
      + "NAME.raw.")
  static let manifest: Key<String?> = .optional("--manifest", takes: .file, "Where to write a copy of the manifest.")
  static let loadList: Key<String?> = .optional(
    "--load-list", takes: .file,
    "What `load --all` is to do with the image: a list of objects with what they are attached to (docs/formats.md).")
  static let include: Key<[String]> = .repeated(
    "--include", takes: .word("GLOB"), "Pack other files too, by name or path pattern.")
  static let forKernel = DescribedKernel.option
  static let strip = Key.flag("--strip", "Leave out the sections that only debuggers read; BTF stays.")
  static let sectionType: Key<[SectionType]> = .repeated(
    "--section-type",
    "State in the manifest what the programs of a section are whose name does not say it, as one of libbpf's section names: "
      + "`filter=socket`. Can be given several times.")
  static let configurable: Key<[String]> = .repeated(
    "--configurable", takes: .word("GLOB"),
    "State in the manifest that options of a load may change these objects, and no others: a name or path pattern, or - for no "
      + "object. Can be given several times. (default: nothing is stated, and the policy decides)")
  static let skipUnusable = Key.flag(
    "--skip-unusable", "Leave out objects that cannot be loaded, and pack the others.")
  static let executable = Key.flag(
    "--executable", "Give the objects mode 0555, so that the kernel's IPE can be asked about them: x_kernel_execute.")

  static let declaration = Declaration(
    "Pack BPF objects into a reproducible dm-verity image.",
    discussion: """
      Every BPF object below DIR is packed, whatever its name is, with a manifest that says what each needs; a file named \
      *.bpf.o has to be one. Equal input gives equal bytes on any machine. No privilege is needed. Symbolic links are skipped.

      A ddi is for a root or a usr partition (--partition); its root hash is in NAME.roothash or NAME.usrhash, where systemd \
      looks for it.

      What an earlier build left beside the image and this one does not write (its root hash, signature or tree) is \
      removed, so that nothing old is taken for the new image's.

      With --for-kernel the answer also says per program and kernel what will refuse it, as `inspect --for-kernel` does; the \
      image is built all the same, and the exit code is 0.
      """,
    examples: [
      "verity-bpf build-image progs/ -o progs.raw --name bpf-tools --version 1.4.0",
      "verity-bpf build-image progs/ -o bpf-tools.raw --layout ddi --sysext bpf-tools",
    ],
    arguments: [directory],
    options: [output, name, version, seed, salt, rootHashFile, layout, partition, sysext] + SigningOptions.keys
      + [
        manifest, loadList, include, strip, sectionType, configurable, skipUnusable, executable, forKernel,
        CommonOptions.json,
      ])
  static let schema = "verity-bpf/build-image/1"

  static let configuresLibraries = true

  let directory: String
  let output: String
  let name: String?
  let version: String?
  let seed: String?
  let salt: TreeSalt?
  let rootHashFile: String?
  let layout: ImageLayout
  let partition: PartitionTypes.Use
  let sysext: SystemExtension?
  let signing: SigningOptions
  let manifest: String?
  let loadList: String?
  let include: [String]
  let strip: Bool
  let sectionTypes: [SectionType]
  /// The patterns of objects that may be configured; nil where nothing is stated.
  let configurable: [String]?
  let skipUnusable: Bool
  let executable: Bool
  let forKernel: [String]
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    directory = try words[Self.directory]
    output = try words[Self.output]
    name = try words[Self.name]
    version = try words[Self.version]
    seed = try words[Self.seed]
    salt = try words[Self.salt]
    rootHashFile = try words[Self.rootHashFile]
    layout = try words[Self.layout]
    partition = try words[Self.partition]
    sysext = try words[Self.sysext]
    signing = try SigningOptions(words)
    manifest = try words[Self.manifest]
    loadList = try words[Self.loadList]
    include = try words[Self.include]
    strip = try words[Self.strip]
    sectionTypes = try words[Self.sectionType]
    let patterns = try words[Self.configurable]
    configurable = patterns.isEmpty ? nil : patterns.filter { $0 != "-" }
    skipUnusable = try words[Self.skipUnusable]
    executable = try words[Self.executable]
    forKernel = try words[Self.forKernel]
    json = try words[CommonOptions.json]
    if partition != .root, layout != .ddi {
      throw UsageError("--partition \(partition.rawValue) is of a disk image: give --layout ddi too.")
    }
    if patterns.count > 1, patterns.contains("-") {
      throw UsageError("--configurable - says that no object may be configured, and others name some.")
    }
    if let section = SectionType.givenTwice(sectionTypes) {
      throw UsageError("--section-type is given twice for section `\(section)`.")
    }
  }

  var wantsJSON: Bool { json }
  var done: String? { "`\(output)` is built" }

  func execute() throws -> Int32 {
    let kernels = try forKernel.map { try DescribedKernel($0) }
    let steps = StepDisplay()
    let builder = ImageBuilder(try request(), threads: Processors.online) { steps.show($0) }
    let result: BuildResult
    do {
      result = try builder.build()
      steps.finish()
    } catch {
      steps.finish()
      throw error
    }
    warnAboutVersion()
    warn(aboutUnreadable: result.unreadable)
    for object in result.unusable {
      Output.warning(
        "build.unusable", "`\(object.path)` is not packed: \(object.reason.message) (\(object.reason.code))")
    }
    for unknown in result.unknown { warn(about: unknown) }
    warn(of: result.notes)
    let report = try report(on: kernels, of: result)
    if json {
      try Output.json(description(of: result).adding(report))
    } else {
      warn(about: result.skipped)
      warnOfName()
      // The root hash stays the last line.
      try Printout.print((report?.lines ?? []) + lines(of: result))
    }
    return 0
  }

  /// What kernels have against the objects as they are in the image; nil when none was named.
  private func report(on kernels: [DescribedKernel], of result: BuildResult) throws -> KernelReport? {
    guard !kernels.isEmpty else { return nil }
    var report = KernelReport(kernels)
    report.add(try InspectedRelease(image: output, at: ImageLocation(), rootHash: result.rootHash))
    return report
  }

  private func request() throws -> BuildRequest {
    var request = BuildRequest(
      directory: directory, output: output, rootHashFile: rootHashPath)
    request.layout = layout
    request.partition = partition
    request.systemExtension = sysext
    request.signing = try signing.material().map {
      RootHashSigning(
        certificate: $0.certificate, privateKey: $0.privateKey, file: sidecars.signature)
    }
    request.manifestFile = manifest
    request.inputs = signing.inputs
    request.inputs.add(loadList, as: "the load list")
    if let loadList {
      request.loadListFile = loadList
      request.loadList = try Self.list(in: loadList)
    }
    request.name = name
    request.version = version
    request.seed = Array((seed ?? "").utf8)
    request.salt = salt?.bytes
    request.includes = include.map { FileNamePattern($0) }
    request.strips = strip
    request.sectionTypes = sectionTypes
    request.configurable = configurable?.map { FileNamePattern($0) }
    request.skipsUnusable = skipUnusable
    request.makesExecutable = executable
    return request
  }

  private static func list(in path: String) throws -> [Manifest.LoadEntry] {
    guard let text = try OwnedFD.open(path, .readOnly).readToEnd(limit: Manifest.LoadEntry.maximumByteCount) else {
      throw BuildError.badLoadList(
        path: path, place: "size", expected: "at most \(Manifest.LoadEntry.maximumByteCount) bytes", found: "more")
    }
    do throws(ManifestError) {
      return try Manifest.LoadEntry.list(parsing: text)
    } catch {
      throw BuildError.loadList(path, error)
    }
  }

  private var rootHashPath: String { rootHashFile ?? sidecars.rootHash }
  private var sidecars: Sidecars { Sidecars(imagePath: output, use: partition) }

  /// systemd-sysext merges an extension only under the name that its image has.
  private func warnOfName() {
    let file = output.split(separator: "/").last.map { String($0) } ?? output
    guard let sysext, !["", ".raw"].contains(where: { file == sysext.name + $0 }),
      !file.hasPrefix("\(sysext.name)_")
    else { return }
    Output.warning(
      "build.sysext-name",
      "systemd-sysext merges the extension `\(sysext.name)` from an image of that name, and this one is called `\(file)`"
    )
  }

  private func lines(of result: BuildResult) -> [String] {
    var packed =
      "\(counted(result.objects.count, "object")), \(counted(result.programCount, "program")), "
      + counted(result.mapCount, "map")
    if !result.files.isEmpty { packed += ", \(counted(result.files.count, "other file"))" }
    if !result.skipped.isEmpty { packed += " (\(result.skipped.count) skipped)" }
    if !result.unusable.isEmpty { packed += " (\(counted(result.unusable.count, "unusable object")) left out)" }
    let salt = result.salt.isEmpty ? "no salt" : "salt \(Hex.encode(result.salt))"
    var lines = ["packed    \(packed)"]
    let label = [name, version.map { name == nil ? "version \($0), without a name" : $0 }].compactMap { $0 }
    if !label.isEmpty { lines.append("image     \(label.joined(separator: " "))") }
    lines.append(
      "data      \(output)  \(Progress.bytes(result.dataBytes)), EROFS, \(result.dataBlocks) blocks of 4096 bytes")
    lines.append("tree      \(layout.place), \(Progress.bytes(result.treeBytes)), SHA-256, \(salt)")
    if let signature = result.signature {
      lines.append("signed    \(sidecars.signature)\(signature.signer.map { ", by \($0)" } ?? "")")
    }
    for path in result.removed { lines.append("removed   \(path), which an earlier build had left") }
    if let path = result.keptSignature { lines.append("kept      \(path), which was made for this root hash") }
    lines.append("hash file \(rootHashPath)")
    lines.append("root hash \(result.rootHash.hex)")
    return lines
  }

  private func description(of result: BuildResult) -> JSONValue {
    .object([
      .init("schema", .string(Self.schema)), .init("root_hash", .string(result.rootHash.description)),
      .init("image", .string(output)), .init("root_hash_file", .string(rootHashPath)),
      .init("layout", .string(layout.rawValue)),
      .init("signature_file", .optional(result.signature == nil ? nil : sidecars.signature)),
      .init("signer", .optional(result.signature?.signer?.description)),
      .init("manifest_file", .optional(manifest)), .init("name", .optional(name)), .init("version", .optional(version)),
      .init("data_blocks", .unsigned(result.dataBlocks)), .init("data_block_size", 4096),
      .init("data_bytes", .unsigned(result.dataBytes)), .init("salt", .string(Hex.encode(result.salt))),
      .init("removed", .array(result.removed.map { .string($0) })),
      .init("objects", entries(result.objects)), .init("files", entries(result.files)),
      .init(
        "skipped", .array(result.skipped.map { ["path": .string($0.path), "reason": .string($0.reason)] })),
      .init(
        "unusable",
        .array(
          result.unusable.map {
            ["path": .string($0.path), "code": .string($0.reason.code), "reason": .string($0.reason.message)]
          })),
      .init("unknown", .array(result.unknown.map(\.json))),
      .init(
        "notes",
        .array(
          result.notes.map {
            ["path": .string($0.path), "code": .string($0.note.code.rawValue), "message": .string($0.note.message)]
          })),
    ])
  }

  private func entries(_ files: [Manifest.File]) -> JSONValue {
    .array(files.map { ["path": .string($0.path), "sha256": .string($0.digest.description)] })
  }
}

/// The salt of a hash tree as it is named.
struct TreeSalt: ArgumentValue {
  static let expectation = "1 to 256 bytes in hexadecimal digits, or - for none"
  static let kind = ValueKind.word("HEX")

  let bytes: [UInt8]

  init?(argument: String) {
    guard argument != "-" else {
      bytes = []
      return
    }
    guard let bytes = Hex.decode(argument), 1...256 ~= bytes.count else { return nil }
    self.bytes = bytes
  }

  var argument: String { bytes.isEmpty ? "-" : Hex.encode(bytes) }
}

extension PartitionTypes.Use: ArgumentChoice {}

/// The name of a system extension.
extension SystemExtension: ArgumentValue {
  static var expectation: String { "1 to 64 letters, digits and `._+~-`, beginning with a letter or digit" }
  static var kind: ValueKind { .word("NAME") }
  init?(argument: String) { self.init(argument) }
  var argument: String { name }
}

extension ImageLayout: ArgumentChoice {
  /// Where the tree is, in a few words.
  fileprivate var place: String {
    switch self {
    case .appended: "appended"
    case .sidecar: "in a file of its own"
    case .ddi: "in a partition of its own"
    }
  }
}

/// Shows the build's steps as progress lines.
private final class StepDisplay {
  private var packing = Progress("packing", unit: .files)
  private var hashing = Progress("hashing")

  func show(_ step: BuildStep) {
    switch step {
    case .packing(let done, let total): packing.update(done: UInt64(done), total: UInt64(total))
    case .hashing(let done, let total): hashing.update(done: done, total: total)
    case .proving: finish()
    }
  }

  func finish() { packing.finish() }
}
