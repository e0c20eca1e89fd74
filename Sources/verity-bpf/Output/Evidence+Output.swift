import Admission
import Base
import Linux
import Provenance

/// Evidence as people read it, and as scripts do.
extension Evidence {
  /// The chain from the descriptor to the root hash, one fact a line.
  var lines: [String] {
    told.flatMap(\.lines).map { line in
      line.label + String(repeating: " ", count: max(1, 12 - line.label.utf8.count)) + line.text
    }
  }

  /// The members of the JSON answer.
  var json: [JSONValue.Member] { told.flatMap(\.members) }

  /// One thing that was found out, in both forms. Each has to be given for it, so that no answer leaves out what the
  /// other tells.
  fileprivate struct Told {
    let lines: [(label: String, text: String)]
    let members: [JSONValue.Member]
  }

  /// Everything that was found out, in the order of the answers.
  private var told: [Told] {
    var told: [Told] = []
    // For people, the last lines say what kind of proof there is.
    told.append(Told(lines: [], members: kind))
    if let descriptor { told.append(Self.tell(descriptor)) }
    if let layer { told.append(Self.tell(layer)) }
    if let loop { told.append(Self.tell(loop)) }
    if let volume { told.append(tell(volume)) }
    if let image { told.append(Self.tell(image)) }
    if let verity { told.append(Self.tell(treeOf: verity)) }
    if let rootHashSignature {
      told.append(
        Told(
          lines: [("signed", "root hash: \(rootHashSignature.line)")],
          members: [.init("root_hash_signature", rootHashSignature.json)]))
    }
    if let object { told.append(Self.tell(object)) }
    if let unproven {
      let verdict =
        unproven.verifiedBlocks.map {
          "\($0) blocks verified here up to the root hash; that they are the file's is the kernel's word alone "
            + "(\(unproven.reason))"
        } ?? "NOT proven here (\(unproven.reason)): the kernel alone vouches for what the mount shows"
      told.append(
        Told(
          lines: [("digest", "\(unproven.digest)"), ("verdict", verdict)],
          members: [
            .init("sha256", .string(unproven.digest.description)), .init("unproven", .string(unproven.reason)),
            .init("verified_blocks", unproven.verifiedBlocks.map { .unsigned($0) } ?? .null),
          ]))
    }
    if let file { told.append(Self.tell(file)) }
    if let fileVerity { told.append(fileVerity.told) }
    if let execution { told.append(Self.tell(execution)) }
    if isExecuted {
      told.append(
        Told(
          lines: [("executed", "the kernel opened it and handed it over (AT_EXECFD)")],
          members: [.init("executed", true)]))
    }
    if let signature, let line = signature.line {
      told.append(Told(lines: [("signature", line)], members: [.init("signature", signature.json)]))
    }
    if let verity { told.append(Told(lines: verdict(on: verity), members: [])) }
    return told
  }

  /// What vouches for the bytes, and the root hash.
  private var kind: [JSONValue.Member] {
    if let verity {
      return [
        .init("kind", volume == nil ? "loopback" : "dm-verity"),
        .init("witness", volume?.kernelVouches == true ? "both" : "userspace"),
        .init("root_hash", .string(verity.rootHash.description)),
        .init("root_hash_expected", .bool(verity.wasExpected)),
      ]
    }
    if let volume, unproven != nil {
      return [
        .init("kind", "dm-verity"), .init("witness", "kernel"),
        .init("root_hash", .string(volume.rootHash.description)),
      ]
    }
    return [.init("kind", "none")]
  }

  private static func tell(_ descriptor: DescriptorFacts) -> Told {
    Told(
      lines: [
        ("fd", "\(descriptor.number): regular file, \(Progress.bytes(descriptor.size)), inode \(descriptor.inode)"),
        ("filesystem", "\(descriptor.fileSystem) on device \(descriptor.device), mount \(descriptor.mountID)"),
      ],
      members: [
        .init("fd", .integer(Int64(descriptor.number))), .init("device", .string("\(descriptor.device)")),
        .init("inode", .unsigned(descriptor.inode)), .init("filesystem", .string(descriptor.fileSystem)),
      ])
  }

  private static func tell(_ layer: LayerFacts) -> Told {
    Told(
      lines: [("layer", "`\(layer.name)` of the overlay, on device \(layer.device)")],
      members: [.init("layer", ["name": .string(layer.name), "device": .string("\(layer.device)")])])
  }

  private static func tell(_ execution: ExecutionFacts) -> Told {
    let answer = execution.isAllowed ? "would execute it" : "would not execute it"
    return Told(
      lines: [("IPE", "policy `\(execution.policy.name)` is in force, and the kernel \(answer)")],
      members: [
        .init("kernel_execute", .bool(execution.isAllowed)), .init("ipe_policy", .string(execution.policy.name)),
      ])
  }

  private static func tell(_ loop: LoopFacts) -> Told {
    let access = loop.isReadOnly ? "read-only" : "writable"
    let place = loop.offset == 0 ? "" : " from byte \(loop.offset)"
    return Told(
      lines: [
        ("device", "loop \(loop.device), \(access), disk sequence \(loop.diskSequence)"),
        ("backing", "\(loop.backingFile)\(place)"),
      ],
      members: [
        .init(
          "loop",
          [
            "device": .string("\(loop.device)"), "backing_file": .string(loop.backingFile),
            "offset": .unsigned(loop.offset), "read_only": .bool(loop.isReadOnly),
            "disk_sequence": .unsigned(loop.diskSequence),
          ])
      ])
  }

  private func tell(_ volume: VolumeFacts) -> Told {
    let revoked =
      mayBeARevokedSigners
      ? "; but a signer is revoked, and nothing beside the image says whose signature it is, so it counts for nothing"
      : ""
    return Told(
      lines: [
        (
          "device", "dm-verity \(volume.device) `\(volume.name)` over \(volume.dataDevice), by the kernel's own table"
        ), ("table", volume.table), ("kernel", volume.kernelWord + revoked),
      ],
      members: [.init("volume", volume.json), .init("signer_may_be_revoked", .bool(mayBeARevokedSigners))])
  }

  private static func tell(_ image: ImageFacts) -> Told {
    let identity = [image.name, image.version].compactMap { $0 }.joined(separator: " ")
    return Told(
      lines: [
        ("image", "\(image.path), \(Progress.bytes(image.size))" + (identity.isEmpty ? "" : ", \(identity)"))
      ],
      members: [
        .init(
          "image",
          [
            "path": .string(image.path), "size": .unsigned(image.size), "name": .optional(image.name),
            "version": .optional(image.version),
          ])
      ])
  }

  private static func tell(treeOf verity: VerityProof) -> Told {
    let blocks = "\(verity.dataBlockCount) data blocks of \(verity.dataBlockSize) bytes, \(verity.levels) levels"
    return Told(
      lines: [("tree", "dm-verity, \(verity.rootHash.algorithm.rawValue), \(blocks)")],
      members: [
        .init("data_blocks", .unsigned(verity.dataBlockCount)),
        .init("data_block_size", .integer(Int64(verity.dataBlockSize))),
        .init("salt", .string(Hex.encode(verity.salt))),
      ])
  }

  private static func tell(_ object: ObjectFacts) -> Told {
    Told(
      lines: [("object", "\(object.path), \(Progress.bytes(object.size))"), ("digest", "\(object.digest)")],
      members: [
        .init(
          "object",
          [
            "path": .string(object.path), "sha256": .string(object.digest.description),
            "size": .unsigned(object.size), "nid": .unsigned(object.nid),
          ])
      ])
  }

  private static func tell(_ file: FileFacts) -> Told {
    Told(
      lines: [("file", "\(file.path), \(Progress.bytes(file.size)), on no image"), ("digest", "\(file.digest)")],
      members: [
        .init(
          "file",
          [
            "path": .string(file.path), "sha256": .string(file.digest.description), "size": .unsigned(file.size),
          ])
      ])
  }

  private func verdict(on verity: VerityProof) -> [(label: String, text: String)] {
    let device = descriptor == nil ? "" : "; the mount shows the same bytes"
    let verdict =
      verity.wasExpected
      ? "proven under the root hash you named"
      : volume == nil
        ? "proven under the image's own root hash; whether to trust it is the policy's question"
        : "proven here under the root hash that the kernel has in force; whether to trust it is the policy's question"
    return [
      ("checked", "superblock, size, every block of the object up to the root hash\(device)"),
      ("root hash", verity.rootHash.hex), ("verdict", verdict),
    ]
  }
}

extension FileVerityFacts {
  fileprivate var told: Evidence.Told {
    let salt = salt.isEmpty ? "" : ", salt \(Hex.encode(salt))"
    return Evidence.Told(
      lines: [
        ("fs-verity", "\(digest), blocks of \(blockSize) bytes\(salt)"),
        ("signed", "fs-verity digest: \(signatureLine)"),
        ("checked", "every byte of the file, up to the digest that the kernel names for it"),
      ],
      members: [.init("fsverity", json)])
  }

  /// What a signature is worth, for people.
  private var signatureLine: String {
    guard let signature else { return "no signature" }
    let kernel = signature.isCheckedByKernel ? "the kernel took it, by a key in .fs-verity" : "the kernel checks none"
    if let anchors = signature.anchors {
      let signer = signature.signer.map { " \($0)" } ?? ""
      return "\(kernel); the certificate\(signer) of the trust anchors `\(anchors)` made it"
    }
    return "\(kernel); no trust anchor vouches for it (\(signature.refusal ?? "no reason"))"
  }

  /// The same for scripts.
  private var json: JSONValue {
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
    parts.append(isSigned ? signatureWord : "root hash not signed")
    if hasPendingTable { parts.append("another table waits to take over") }
    return parts.joined(separator: "; ")
  }

  /// Whose key signed the root hash.
  private var signatureWord: String {
    keyring.caveat.map { "root hash signed, but by a key that root may have added: \($0)" }
      ?? "root hash signed by a key of the kernel"
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

extension KeyringSeal {
  /// Why root may have added the key that took a signature; nil where it cannot have.
  var caveat: String? {
    switch self {
    case .sealed: nil
    case .unsealed: "the .dm-verity keyring was left unsealed (dm_verity.keyring_unsealed)"
    case .unknown(.hidden): "whether the .dm-verity keyring was sealed could not be asked"
    case .unknown(.moduleRemoved): "a module was removed by force since the machine started"
    case .unknown(.moduleYounger): "dm-verity was loaded after the volume was made"
    }
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
