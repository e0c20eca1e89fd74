import Admission
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
    if let volume {
      add("device", "dm-verity \(volume.device) `\(volume.name)` over \(volume.dataDevice), by the kernel's own table")
      add("table", volume.table)
      add("kernel", volume.kernelWord)
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
    if let rootHashSignature { add("signed", "root hash: \(rootHashSignature.line)") }
    if let object {
      add("object", "\(object.path), \(Progress.bytes(object.size))")
      add("digest", "\(object.digest)")
    }
    if let unproven {
      add("digest", "\(unproven.digest)")
      add("verdict", "NOT proven here (\(unproven.reason)): the kernel alone vouches for what the mount shows")
    }
    if let file {
      add("file", "\(file.path), \(Progress.bytes(file.size)), on no image")
      add("digest", "\(file.digest)")
    }
    if let line = signature?.line { add("signature", line) }
    if let verity {
      let device = descriptor == nil ? "" : "; the mount shows the same bytes"
      add("checked", "superblock, size, every block of the object up to the root hash\(device)")
      add("root hash", verity.rootHash.hex)
      add(
        "verdict",
        verity.wasExpected
          ? "proven under the root hash you named"
          : volume == nil
            ? "proven under the image's own root hash; whether to trust it is the policy's question"
            : "proven here under the root hash that the kernel has in force; whether to trust it is the policy's question"
      )
    }
    return lines
  }

  /// The members of the JSON answer.
  var json: [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if let verity {
      members += [
        .init("kind", volume == nil ? "loopback" : "dm-verity"),
        .init("witness", volume?.kernelVouches == true ? "both" : "userspace"),
        .init("root_hash", .string(verity.rootHash.description)),
        .init("root_hash_expected", .bool(verity.wasExpected)),
        .init("data_blocks", .unsigned(verity.dataBlockCount)),
        .init("data_block_size", .integer(Int64(verity.dataBlockSize))),
        .init("salt", .string(Hex.encode(verity.salt))),
      ]
    } else if let volume, let unproven {
      members += [
        .init("kind", "dm-verity"), .init("witness", "kernel"),
        .init("root_hash", .string(volume.rootHash.description)), .init("sha256", .string(unproven.digest.description)),
        .init("unproven", .string(unproven.reason)),
      ]
    } else {
      members.append(.init("kind", "none"))
    }
    if let rootHashSignature { members.append(.init("root_hash_signature", rootHashSignature.json)) }
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
    if let file {
      members.append(
        .init(
          "file",
          [
            "path": .string(file.path), "sha256": .string(file.digest.description), "size": .unsigned(file.size),
          ]))
    }
    if let fileVerity { members.append(.init("fsverity", fileVerity.json)) }
    if let signature, signature.verdict != .unsigned { members.append(.init("signature", signature.json)) }
    if let descriptor {
      members += [
        .init("fd", .integer(Int64(descriptor.number))), .init("device", .string("\(descriptor.device)")),
        .init("inode", .unsigned(descriptor.inode)), .init("filesystem", .string(descriptor.fileSystem)),
      ]
    }
    if let volume { members.append(.init("volume", volume.json)) }
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

extension FileVerityFacts {
  /// What a signature is worth, for people.
  var signatureLine: String {
    guard let signature else { return "none" }
    let kernel = signature.isCheckedByKernel ? "the kernel took it, by a key in .fs-verity" : "the kernel checks none"
    if let anchors = signature.anchors { return "\(kernel); a certificate of the trust anchors `\(anchors)` made it" }
    return "\(kernel); no trust anchor vouches for it (\(signature.refusal ?? "no reason"))"
  }

  /// The same for scripts.
  var json: JSONValue {
    [
      "digest": .string(digest.description), "block_size": .integer(Int64(blockSize)),
      "salt": .string(Hex.encode(salt)),
      "signature": signature.map { signature in
        [
          "checked_by_kernel": .bool(signature.isCheckedByKernel), "signer": .optional(signature.signer?.description),
          "anchors": .optional(signature.anchors), "refusal": .optional(signature.refusal),
        ]
      } ?? .null,
    ]
  }
}

extension VolumeFacts {
  /// What the kernel's word about the volume is worth, for people.
  var kernelWord: String {
    var parts = doubts.map { doubt in
      switch doubt {
      case .ignoresCorruption: "does not vouch: it hands out corrupted blocks (ignore_corruption)"
      case .corruptionSeen: "does not vouch: it has seen a corrupted block"
      case .checksAtMostOnce: "does not vouch: it checks a block once and never again (check_at_most_once)"
      }
    }
    if doubts.isEmpty { parts.append("checks every block it reads (\(mode))") }
    if !isSigned {
      parts.append("root hash not signed")
    } else if isKeyringUnsealed {
      parts.append(
        "root hash signed, but by a key that root may have added (dm_verity.keyring_unsealed is not N, or is hidden)")
    } else {
      parts.append("root hash signed by a key of the kernel")
    }
    if hasPendingTable { parts.append("another table waits to take over") }
    return parts.joined(separator: "; ")
  }

  /// The same for scripts.
  var json: JSONValue {
    [
      "device": .string("\(device)"), "name": .string(name), "uuid": .string(uuid), "table": .string(table),
      "data_device": .string("\(dataDevice)"), "hash_device": .string("\(hashDevice)"),
      "root_hash": .string(rootHash.description), "mode": .string(mode), "signed": .bool(isSigned),
      "keyring_unsealed": .bool(isKeyringUnsealed), "kernel_vouches": .bool(kernelVouches),
      "doubts": .array(doubts.map { .string($0.rawValue) }), "pending_table": .bool(hasPendingTable),
      "ignores_zero_blocks": .bool(ignoresZeroBlocks), "corrects_errors": .bool(correctsErrors),
      "disk_sequence": diskSequence.map { .unsigned($0) } ?? nil,
    ]
  }
}

extension SignatureFacts {
  /// One line for people; nil when there is no signature.
  var line: String? {
    switch verdict {
    case .unsigned: nil
    case .ok: "holds, by \(subject ?? "somebody") of the trust anchors `\(keyring ?? "none")`"
    case .expired: "holds, by \(subject ?? "somebody") of `\(keyring ?? "none")`, whose certificate is not valid today"
    case .badSignature, .unknownKey, .fault: "does not count: \(refusal ?? verdict.rawValue)"
    }
  }
}
