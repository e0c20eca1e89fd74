import ByteKit
import JSONText
import Provenance

/// Evidence as people read it, and as scripts do.
extension Evidence {
  /// The chain from the descriptor to the root hash, one fact a line.
  var lines: [String] {
    var lines: [String] = []
    func add(_ label: String, _ text: String) {
      lines.append(label + String(repeating: " ", count: max(1, 12 - label.count)) + text)
    }
    if let descriptor {
      add("fd", "\(descriptor.number): regular file, \(Progress.bytes(descriptor.size)), inode \(descriptor.inode)")
      add("filesystem", "\(descriptor.fileSystem) on device \(descriptor.device), mount \(descriptor.mountID)")
    }
    if let loop {
      let access = loop.isReadOnly ? "read-only" : "writable"
      let place = loop.offset == 0 ? "" : " from byte \(loop.offset)"
      add("device", "loop \(loop.device), \(access), disk sequence \(loop.diskSequence)")
      add("backing", "\(loop.backingFile)\(place)")
    }
    if let image {
      let identity = [image.name, image.version].compactMap { $0 }.joined(separator: " ")
      add("image", "\(image.path), \(Progress.bytes(image.size))" + (identity.isEmpty ? "" : ", \(identity)"))
    }
    if let verity {
      add(
        "tree",
        "dm-verity, \(verity.rootHash.algorithm.rawValue), \(verity.dataBlockCount) data blocks of "
          + "\(verity.dataBlockSize) bytes, \(verity.levels) levels")
    }
    if let object {
      add("object", "\(object.path), \(Progress.bytes(object.size))")
      add("digest", "\(object.digest)")
    }
    if let verity {
      let device = descriptor == nil ? "" : "; the mount shows the same bytes"
      add("checked", "superblock, size, every block of the object up to the root hash\(device)")
      add("root hash", verity.rootHash.hex)
      add(
        "verdict",
        verity.wasExpected
          ? "proven under the root hash you named"
          : "proven under the image's own root hash; whether to trust it is the policy's question")
    }
    return lines
  }

  /// The members of the JSON answer.
  var json: [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if let verity {
      members += [
        .init("kind", "loopback"), .init("witness", "userspace"),
        .init("root_hash", .string(verity.rootHash.description)),
        .init("root_hash_expected", .bool(verity.wasExpected)),
        .init("data_blocks", .unsigned(verity.dataBlockCount)),
        .init("data_block_size", .integer(Int64(verity.dataBlockSize))),
        .init("salt", .string(Hex.encode(verity.salt))),
      ]
    } else {
      members.append(.init("kind", "none"))
    }
    if let object {
      members.append(
        .init(
          "object",
          [
            "path": .string(object.path), "sha256": .string(object.digest.description),
            "size": .unsigned(object.size), "nid": .unsigned(object.nid),
          ]))
    }
    if let image {
      members.append(
        .init(
          "image",
          [
            "path": .string(image.path), "size": .unsigned(image.size), "name": .optional(image.name),
            "version": .optional(image.version),
          ]))
    }
    if let descriptor {
      members += [
        .init("fd", .integer(Int64(descriptor.number))), .init("device", .string("\(descriptor.device)")),
        .init("inode", .unsigned(descriptor.inode)), .init("filesystem", .string(descriptor.fileSystem)),
      ]
    }
    if let loop {
      members.append(
        .init(
          "loop",
          [
            "device": .string("\(loop.device)"), "backing_file": .string(loop.backingFile),
            "offset": .unsigned(loop.offset), "read_only": .bool(loop.isReadOnly),
            "disk_sequence": .unsigned(loop.diskSequence),
          ]))
    }
    return members
  }
}
