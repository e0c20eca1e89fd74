import Activation
import Admission
import ArgumentParser
import ByteKit
import Diagnostics
import DiskLayout
import ImageFiles
import JSONText
import LinuxSys
import TrustAnchors

/// `verity-bpf mount`: an image becomes a directory whose files can be opened and handed to `load`.
struct MountCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "mount",
    abstract: "Mount an image, under dm-verity where the kernel has it.",
    discussion: """
      Every block is proven against the root hash before the kernel sees the file system. With a signature (NAME\
      .roothash.p7s; without that file the one inside a disk image) the kernel has to accept it; there is no falling back \
      to an unsigned volume. What the trust anchors of verity-bpf say of it is told besides; what they revoke is not \
      mounted. Where there is no device-mapper, the image is mounted on a plain loop device, which is said: then the \
      kernel checks nothing that is read, and `load` proves each object from the image file by itself. A signature that \
      --root-hash-signature names has to be accepted by the kernel, so without device-mapper nothing is mounted then.

      Needs root. Undo it with: verity-bpf umount DIR

      Example: verity-bpf mount progs.raw /mnt && verity-bpf load --fd 3 3< /mnt/xdp_counter.bpf.o
      """)
  static let schema = "verity-bpf/mount/1"

  @Argument(help: ArgumentHelp("The image.", valueName: "image"))
  var image: String

  @Argument(help: ArgumentHelp("The directory to mount it on.", valueName: "dir"))
  var directory: String

  @OptionGroup var trust: RootHashOptions
  @OptionGroup var anchors: TrustOptions

  @Option(
    name: .long,
    help: ArgumentHelp("The root hash's signature, instead of the one beside the image.", valueName: "file"))
  var rootHashSignature: String?

  @Flag(name: .long, help: "Mount by root hash alone, though there is a signature.")
  var noSignature = false

  @Flag(name: .long, help: "Mount on a plain loop device, though there is device-mapper.")
  var noDeviceMapper = false

  @Option(name: .long, help: ArgumentHelp("The volume's name. (default: from the root hash)", valueName: "name"))
  var name: String?

  @Flag(name: .long, help: "Allow programs to be executed from the mount.")
  var exec = false

  @Flag(name: .long, help: "Print one JSON object.")
  var json = false

  var wantsJSON: Bool { json }

  func validate() throws {
    if noSignature, rootHashSignature != nil {
      throw ValidationError("Give --root-hash-signature or --no-signature, not both.")
    }
    if let name, !name.hasPrefix(ImageMount.prefix) || name.utf8.count > 100 || !name.utf8.allSatisfy(Self.isPlain) {
      throw ValidationError(
        "--name begins with \(ImageMount.prefix), is made of letters, digits and #+-.:=@_, and has at most 100 bytes.")
    }
  }

  /// What libdevmapper writes into a name under /dev/mapper as it is, and udev too.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "#+-.:=@_".utf8.contains(byte)
    }
  }

  func execute() throws -> Int32 {
    let rootHash = try trust.trusted.expected() ?? TrustedRootHash.read(file: Sidecars(imagePath: image).rootHash)
    var request = MountRequest(image: image, directory: directory, rootHash: rootHash)
    let enclosed = try signature()
    let trusted = try anchors.anchors()
    let verdict = try RootHashVerdict.check(
      enclosed, of: rootHash, anchors: trusted.images, revocations: trusted.revocations)
    request.signature = noDeviceMapper ? nil : enclosed?.message
    request.requiresSignature = rootHashSignature != nil
    request.name = name
    request.usesDeviceMapper = !noDeviceMapper
    request.allowsExecution = exec
    var progress = Progress("proving \(image)", quiet: json)
    defer { progress.finish() }
    let mounted = try ImageMount.mount(request, threads: Processors.online) { done, total in
      progress.update(done: done, total: total)
    }
    progress.finish()
    if json {
      try Output.json([
        "schema": .string(Self.schema), "directory": .string(mounted.directory), "device": .string(mounted.device),
        "root_hash": .string(mounted.rootHash.description), "witness": .string(mounted.witness.rawValue),
        "signature": verdict?.json ?? .null,
      ])
    } else {
      try Output.line(Output.row("mounted", "\(image) on \(mounted.directory), read-only"))
      try Output.line(Output.row("device", mounted.device))
      try Output.line(Output.row("root hash", mounted.rootHash.hex))
      try Output.line(Output.row("checked by", mounted.witness.text))
      if request.signature != nil, mounted.witness == .none {
        Output.warning(
          "mount.signature-unused", "without device-mapper, nobody in the kernel checked the signature of `\(image)`")
      }
      if let verdict { try Output.line(Output.row("signature", "for us it \(verdict.line)")) }
    }
    return 0
  }

  private func signature() throws -> EnclosedSignature? {
    if noSignature { return nil }
    if let rootHashSignature {
      return EnclosedSignature(place: rootHashSignature, message: try PolicyFile.read(rootHashSignature))
    }
    let file = try ImageFile.open(image)
    file.warnOfReplacedSignature()
    return file.signature
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
struct UmountCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "umount", abstract: "Unmount an image, and take its volume and loop devices down.",
    discussion: """
      Only what `verity-bpf mount` mounted is touched. While something else uses the volume (another mount, an open \
      descriptor) it stays, which is said, and the kernel takes it down with its last user.
      """)
  static let schema = "verity-bpf/umount/1"

  @Argument(help: ArgumentHelp("The directory it is mounted on.", valueName: "dir"))
  var directory: String

  @Flag(name: .long, help: "Print one JSON object.")
  var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let unmounted = try ImageMount.unmount(directory)
    if json {
      try Output.json([
        "schema": .string(Self.schema), "directory": .string(directory), "device": .string(unmounted.device),
        "gone": .bool(unmounted.isGone), "other_mounts": .array(unmounted.otherMounts.map { .string($0) }),
      ])
    } else if unmounted.isGone {
      try Output.line(Output.row("unmounted", "\(directory); \(unmounted.device) is gone"))
    } else {
      try Output.line(Output.row("unmounted", directory))
      let user =
        unmounted.otherMounts.isEmpty
        ? "somebody has it open, or mounted in another mount namespace"
        : "it is mounted on \(unmounted.otherMounts.joined(separator: ", ")) too"
      try Output.line(Output.row("remains", "\(unmounted.device): \(user); it goes with its last user"))
    }
    return 0
  }
}
