import Image
import Admission
import Base
import ImageFormat
import Linux
import Trust

/// `verity-bpf mount`: an image becomes a directory whose files can be opened and handed to `load`.
struct MountCommand: Command {
  static let image: Key<String> = .required("IMAGE", takes: .image, "The image.")
  static let directory: Key<String> = .required("DIR", takes: .directory, "The directory to mount it on.")
  static let noSignature = Key.flag("--no-signature", "Mount by root hash alone, though there is a signature.")
  static let noDeviceMapper = Key.flag(
    "--no-device-mapper", "Mount on a plain loop device, though there is device-mapper.")
  static let name: Key<VolumeName?> = .optional("--name", "The volume's name. (default: from the root hash)")
  static let exec = Key.flag("--exec", "Allow programs to be executed from the mount.")

  static let declaration = Declaration(
    "Mount an image, under dm-verity where the kernel has it.",
    discussion: """
      Every block is proven against the root hash before the kernel sees the file system. With a signature (NAME\
      .roothash.p7s; without that file the one inside a disk image) the kernel has to accept it; there is no falling back \
      to an unsigned volume. What the trust anchors of verity-bpf say of it is told besides; what they revoke is not \
      mounted. Where there is no device-mapper, the image is mounted on a plain loop device, which is said: then the \
      kernel checks nothing that is read, and `load` proves each object from the image file by itself. A signature that \
      --root-hash-signature names has to be accepted by the kernel, so without device-mapper nothing is mounted then.

      Needs root. Undo it with: verity-bpf umount DIR. The kernel takes the volume down with its last user, also after \
      umount(8), and after a run that was killed.
      """,
    examples: ["verity-bpf mount progs.raw /mnt && verity-bpf load --fd 3 3< /mnt/xdp_counter.bpf.o"],
    arguments: [image, directory],
    options: TrustedRootHash.keys + ImagePlace.keys
      + [
        CommonOptions.trustAnchors, noSignature, noDeviceMapper, name, exec, CommonOptions.json,
      ])
  static let schema = "verity-bpf/mount/1"

  let image: String
  let directory: String
  let trusted: TrustedRootHash
  let trustAnchors: String?
  let location: ImageLocation
  let noSignature: Bool
  let noDeviceMapper: Bool
  let name: VolumeName?
  let exec: Bool
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    image = try words[Self.image]
    directory = try words[Self.directory]
    trusted = try TrustedRootHash(words)
    trustAnchors = try words[CommonOptions.trustAnchors]
    location = try ImagePlace(words).location
    noSignature = try words[Self.noSignature]
    noDeviceMapper = try words[Self.noDeviceMapper]
    name = try words[Self.name]
    exec = try words[Self.exec]
    json = try words[CommonOptions.json]
    if noSignature, location.rootHashSignature != nil {
      throw UsageError("Give --root-hash-signature or --no-signature, not both.")
    }
  }

  var wantsJSON: Bool { json }
  var done: String? { "`\(image)` is mounted on `\(directory)`" }

  func execute() throws -> Int32 {
    let rootHash = try trusted.required(of: image)
    let file = try ImageFile.open(image, at: location, rootHash: rootHash)
    let trust = try Trust.told(in: trustAnchors, binds: true)
    var request = MountRequest(directory: directory, rootHash: rootHash, trust: trust)
    if noSignature {
      request.signature = .none
    } else if location.rootHashSignature != nil, let signature = file.fileSignature {
      request.signature = .named(signature)
    } else {
      file.warnOfReplacedSignature()
    }
    request.name = name?.argument
    request.usesDeviceMapper = !noDeviceMapper
    request.allowsExecution = exec
    var progress = Progress("proving \(image)", quiet: json)
    defer { progress.finish() }
    let mounted = try ImageMount.mount(file, request, threads: Processors.online) { done, total in
      progress.update(done: done, total: total)
    }
    progress.finish()
    if json {
      try Output.json([
        "schema": .string(Self.schema), "directory": .string(mounted.directory), "device": .string(mounted.device),
        "root_hash": .string(mounted.rootHash.description), "witness": .string(mounted.witness.rawValue),
        "signature": mounted.signature?.json ?? .null,
        "keyring_unsealed": mounted.keyring.map { .bool($0 != .sealed) } ?? .null,
      ])
    } else {
      var lines = [
        Output.row("mounted", "\(image) on \(mounted.directory), read-only"), Output.row("device", mounted.device),
        Output.row("root hash", mounted.rootHash.hex), Output.row("checked by", mounted.witness.text),
      ]
      if mounted.isSignatureUnused {
        Output.warning(
          "mount.signature-unused", "without device-mapper, nobody in the kernel checked the signature of `\(image)`")
      }
      if let caveat = mounted.keyring?.caveat {
        lines.append(Output.row("keyring", "root may have added the key that took the signature: \(caveat)"))
      }
      if let verdict = mounted.signature { lines.append(Output.row("signature", "for us it \(verdict.line)")) }
      try Printout.print(lines)
    }
    return 0
  }

}

/// The name of a volume, which has to show whose it is.
struct VolumeName: ArgumentValue {
  static let expectation =
    "\(ImageMount.prefix) and more letters, digits and #+-.:=@_, at most 100 bytes in all"
  static let kind = ValueKind.word("NAME")

  let argument: String

  init?(argument: String) {
    guard argument.hasPrefix(ImageMount.prefix), argument.utf8.count <= 100, argument.utf8.allSatisfy(Self.isPlain)
    else { return nil }
    self.argument = argument
  }

  /// What libdevmapper writes into a name under /dev/mapper as it is, and udev too.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "#+-.:=@_".utf8.contains(byte)
    }
  }
}

extension MountedVolume.Witness {
  fileprivate var text: String {
    switch self {
    case .signed: "the kernel's dm-verity, which accepted the signature of the root hash"
    case .rootHash: "the kernel's dm-verity, by the root hash; no signature"
    case .none: "nobody in the kernel (no device-mapper); load proves each object itself"
    }
  }
}

/// `verity-bpf umount`: undoes `mount`.
struct UmountCommand: Command {
  static let directory: Key<String> = .required(
    "DIR", takes: .directory, "The directory it is mounted on; or its volume, as /dev/mapper/NAME or NAME.")

  static let declaration = Declaration(
    "Unmount an image, and take its volume and loop devices down.",
    discussion: """
      Only what `verity-bpf mount` mounted is touched, and no bind mount of it that others made. While something else \
      uses the volume (another mount, an open descriptor) it stays, which is said, and the kernel takes it down with its \
      last user. A volume that a killed run left is mounted nowhere, and is named by its name.
      """,
    examples: ["verity-bpf umount /mnt", "verity-bpf umount /dev/mapper/verity-bpf-5ebc01f0c0a1f7a9"],
    arguments: [directory], options: [CommonOptions.json])
  static let schema = "verity-bpf/umount/1"

  let directory: String
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    directory = try words[Self.directory]
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "`\(directory)` is unmounted, or its volume is taken down" }

  func execute() throws -> Int32 {
    let unmounted = try ImageMount.unmount(directory)
    if json {
      try Output.json([
        "schema": .string(Self.schema), "directory": unmounted.directory == nil ? .null : .string(directory),
        "device": .string(unmounted.device),
        "gone": .bool(unmounted.isGone), "other_mounts": .array(unmounted.otherMounts.map { .string($0) }),
      ])
    } else {
      let place = unmounted.directory == nil ? "taken down" : "unmounted"
      guard !unmounted.isGone else {
        try Output.line(Output.row(place, "\(directory); \(unmounted.device) is gone"))
        return 0
      }
      let user =
        unmounted.otherMounts.isEmpty
        ? "a process has it open, or it is mounted in another mount namespace"
        : "it is mounted on \(unmounted.otherMounts.joined(separator: ", ")) too"
      var lines = unmounted.directory == nil ? [] : [Output.row(place, directory)]
      lines.append(Output.row("remains", "\(unmounted.device): \(user); it goes with its last user"))
      try Printout.print(lines)
    }
    return 0
  }
}
