import Admission
import Base
import FileSystems
import Verity
import ImageFormat
import Trust

/// What `verity-bpf verify` found out, for people and for programs.
struct VerifyAnswer {
  let image: String
  var rootHash: Digest?
  /// How the image's parts are spread over files and partitions.
  var kind: ImageLayout?
  var layout: VerityLayout?
  var report: VerificationReport?
  var seconds: Double = 0
  /// Bytes of the file system that was found in the data under the tree.
  var fileSystemBytes: UInt64?
  /// Whose format it has.
  var format: FileSystemFormat?
  /// Where in the data behind it the first byte is that is not zero.
  var padding: UInt64?
  /// Why the file system was not read, although nothing is wrong with it.
  var unread: Diagnostic?
  /// Files that this build cannot read on this host.
  var unreadable = UnreadableFiles()
  /// The image's manifest, which was found to be its own.
  var manifest: Manifest.Summary?
  /// What the signature of the root hash is worth; nil when none came with the image.
  var signature: RootHashVerdict?
  /// Why the image was refused before or after its blocks were checked.
  var refusal: Diagnostic?

  /// Whether that is because the root hash or its signer was revoked.
  var isRevoked = false

  init(image: String) { self.image = image }

  var isSound: Bool { refusal == nil && report?.isSound == true }

  /// Whether the file system and all its files can be read.
  var isRead: Bool { unread == nil && unreadable.count == 0 }

  /// How it ended, in a word that programs can compare.
  enum Verdict: String {
    /// Every block is proven, and the signature holds where one was asked for.
    case ok
    /// Every block is proven, and this build does not read the file system or some of its files.
    case unread
    /// Blocks are not those that the root hash is of.
    case corrupt
    /// No image is there that could be checked: a part is missing or damaged.
    case malformed
    /// Something is in the image that does not come about by itself.
    case suspicious
    /// Nothing is wrong with the image as far as it was read, and this build does not support it.
    case unsupported
    /// A signature was asked for, and there is none.
    case unsigned
    /// A signature was asked for, and the one that is there does not count. Nothing is said about the blocks.
    case untrusted
    /// The root hash or its signer was revoked. Nothing is said about the blocks.
    case revoked
  }

  var verdict: Verdict {
    guard let refusal else { return isSound ? (isRead ? .ok : .unread) : .corrupt }
    if refusal.code == "verify.no-signature" { return .unsigned }
    if isRevoked { return .revoked }
    if signature?.refusal == refusal { return .untrusted }
    if refusal.category == .unsupported { return .unsupported }
    return refusal.isSuspicious ? .suspicious : .malformed
  }

  var exitCode: Int32 {
    guard !isSound else { return isRead ? 0 : Diagnostic.Category.unsupported.rawValue }
    return (refusal?.category == .unsupported ? Diagnostic.Category.unsupported : .integrity).rawValue
  }

  /// The first thing that is wrong, with the image's name.
  private var diagnostic: Diagnostic? {
    guard var diagnostic = refusal ?? report?.faults.first?.error.diagnostic else { return nil }
    if let fault = report?.faults.first, fault.area != .root {
      diagnostic.next = "get the image again from where it was built; it differs from the one the root hash is of"
    }
    diagnostic.message = "`\(image)`: \(diagnostic.message)"
    return diagnostic
  }

  /// Bytes of data a second.
  private var rate: UInt64 {
    guard let layout, seconds > 0 else { return 0 }
    return UInt64(Double(layout.parameters.dataByteCount) / seconds)
  }

  func print(asJSON: Bool) throws {
    if let diagnostic { Output.report(diagnostic) }
    if var unread {
      unread.message = "`\(image)`: \(unread.message)"
      Output.report(unread)
    }
    if asJSON { try Output.json(json) } else { try printText() }
  }

  private func printText() throws {
    var printout = Printout()
    guard let layout, let rootHash, let report, refusal == nil else {
      printout.line("\(image): \(word)")
      return try printout.print()
    }
    let parameters = layout.parameters
    if report.isSound {
      let unread = unread.map { "; file system not read here: \($0.found ?? $0.message)" } ?? ""
      printout.line("\(image): all \(parameters.dataBlockCount) data blocks are proven\(unread)")
    } else {
      printout.line(
        "\(image): CORRUPT: bad blocks \(report.faultCount), data blocks proven \(report.provenBlocks) of "
          + "\(parameters.dataBlockCount), without proof \(report.unprovenBlocks)")
      for fault in report.faults { printout.line("  \(fault.text)") }
      if report.faultCount > UInt64(report.faults.count) {
        printout.line("  and \(report.faultCount - UInt64(report.faults.count)) more")
      }
    }
    printout.line(Output.row("root hash", "\(rootHash)"))
    printout.line(
      Output.row(
        "data",
        "\(parameters.dataBlockCount) blocks of \(parameters.dataBlockSize) bytes, "
          + "\(Progress.bytes(parameters.dataByteCount))\(fileSystem)"))
    printout.line(
      Output.row(
        "tree",
        "\(layout.geometry.blockCount) blocks of \(parameters.hashBlockSize) bytes in \(layout.geometry.levels.count) "
          + "levels, \(placement), superblock at byte \(layout.superblockOffset)"))
    printout.line(Output.row("salt", parameters.saltText))
    if let manifest {
      let label = [manifest.head.name, manifest.head.version].compactMap { $0 }.joined(separator: " ")
      let count = manifest.fileCount
      printout.line(Output.row("manifest", "\(label.isEmpty ? "without name" : label), names all \(count) files"))
    }
    for file in unreadable.first {
      printout.line(Output.row("not read", "/\(file.path): \(file.reason.message), \(file.reason.found ?? "")"))
    }
    if unreadable.unnamed > 0 {
      printout.line(Output.row("", "and \(unreadable.unnamed) more"))
    }
    if let signature { printout.line(Output.row("signature", signature.line)) }
    if report.isSound { printout.line(Output.row("speed", "\(Progress.bytes(rate))/s")) }
    try printout.print()
  }

  /// The verdict for people.
  private var word: String {
    switch verdict {
    case .unsupported: "NOT SUPPORTED by this build; nothing is said about its blocks"
    case .ok, .unread, .corrupt, .malformed, .suspicious, .unsigned, .untrusted, .revoked: verdict.rawValue.uppercased()
    }
  }

  /// What the data are.
  private var fileSystem: String {
    guard let fileSystemBytes else { return "" }
    let name = format?.name ?? ""
    if fileSystemBytes == layout?.parameters.dataByteCount { return ", exactly one \(name) file system" }
    let rest = padding == nil ? "zeros" : "other bytes"
    return
      ", \(format == .squashfs ? "a" : "an") \(name) file system of \(Progress.bytes(fileSystemBytes)) and \(rest)"
  }

  /// Where the tree is.
  private var placement: String {
    switch kind {
    case .ddi: "in a partition of its own"
    case .sidecar: "in a file of its own"
    case .appended, nil: "appended"
    }
  }

  private var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("schema", .string(VerifyCommand.schema)),
      .init("verdict", .string(verdict.rawValue)), .init("image", .string(image)),
      .init("root_hash", .optional(rootHash?.description)),
    ]
    if let layout {
      let parameters = layout.parameters
      members += [
        .init("algorithm", .string(parameters.algorithm.rawValue)),
        .init("data_blocks", .unsigned(parameters.dataBlockCount)),
        .init("data_block_size", .integer(Int64(parameters.dataBlockSize))),
        .init("hash_block_size", .integer(Int64(parameters.hashBlockSize))),
        .init("salt", .string(Hex.encode(parameters.salt))),
        .init("uuid", .string(layout.superblock.uuid.description)),
        .init("placement", .string(layout.placement.rawValue)), .init("layout", .optional(kind?.rawValue)),
        .init("hash_offset", .unsigned(layout.superblockOffset)),
        .init("file_system", .optional(format?.rawValue)), .init("manifest", .bool(manifest != nil)),
        .init("name", .optional(manifest?.head.name)),
        .init("version", .optional(manifest?.head.version)),
      ]
    }
    if let report {
      members += [
        .init("proven_blocks", .unsigned(report.provenBlocks)), .init("corrupt_blocks", .unsigned(report.faultCount)),
        .init("unproven_blocks", .unsigned(report.unprovenBlocks)),
        .init("corrupt", .array(report.faults.map(\.json))),
        .init("microseconds", .integer(Int64(seconds * 1_000_000))), .init("bytes_per_second", .unsigned(rate)),
      ]
    }
    if let signature { members.append(.init("signature", signature.json)) }
    if let unread { members.append(.init("file_system_not_read", unread.json)) }
    if unreadable.count > 0 {
      members += [
        .init("files_not_read", .integer(Int64(unreadable.count))),
        .init(
          "not_read",
          .array(unreadable.first.map { ["path": .string($0.path), "reason": $0.reason.json] })),
      ]
    }
    if let diagnostic { members.append(.init("error", diagnostic.json)) }
    return .object(members)
  }
}

extension BlockFault {
  /// One line for people.
  fileprivate var text: String {
    switch area {
    case .data: "data block \(block) at byte \(offset)"
    case .tree: "hash block \(block) of level \(level ?? 0) at byte \(offset)"
    case .root: "the top of the tree, at byte \(offset)"
    }
  }

  fileprivate var json: JSONValue {
    var members: [JSONValue.Member] = [.init("area", .string(area.rawValue))]
    if let level { members.append(.init("level", .integer(Int64(level)))) }
    members += [.init("block", .unsigned(block)), .init("offset", .unsigned(offset))]
    return .object(members)
  }
}
