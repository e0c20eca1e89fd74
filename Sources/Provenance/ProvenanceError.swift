internal import KernelABI
public import Verity
public import Base
public import Image
public import Linux
public import Trust

/// Why the origin of an object's bytes could not be proven.
public enum ProvenanceError: Error, Sendable {
  /// A system call failed on the way.
  case system(SystemError)
  /// The descriptor is of a kind that can have no provenance (a pipe, a directory …).
  case notAFile(fd: Int32, kind: String, next: String)
  /// The file is on a file system that is no proven image.
  case fileSystem(fd: Int32, name: String, why: String, next: String)
  /// The file system's device cannot be traced to an image.
  case device(number: DeviceNumber, message: String, next: String)
  /// A device that would have to be read from is suspended.
  case suspended(SuspendedDevice)
  /// The kernel did not answer about a device-mapper device.
  case witness(number: DeviceNumber, SystemError)
  /// A device-mapper device is not one verity target, or its table cannot be understood.
  case table(number: DeviceNumber, TableError)
  /// A verity device is not made, or not in a state, that is accepted here.
  case volume(number: DeviceNumber, message: String, expected: String, found: String)
  /// The kernel verifies the device's blocks, and no reader here knows the file system on it: that is not enough unless
  /// a rule says so, and not where the kernel's word is in doubt.
  case kernelAlone(number: DeviceNumber, fileSystem: String, rootHash: Digest, doubts: [VolumeFacts.Doubt])
  /// The device's table changed while the object was examined.
  case tableChanged(number: DeviceNumber, before: String, after: String)
  /// The mount shows bytes that the verity device under it cannot have handed out.
  case poisoned(number: DeviceNumber, object: String, rootHash: String, isSigned: Bool)
  /// The loop device changed under the mount while it was examined, or shows other bytes than the image proves.
  case mountDiffers(message: String, expected: String, found: String)
  /// The image could not be opened, or its layout was refused.
  case imageFile(ImageFileError)
  /// The file has fs-verity, and its bytes could not be proven by it.
  case fileVerity(FSVerityError)
  /// The image's tree or blocks were refused.
  case image(path: String, Diagnostic)
  /// The object is not in the image, or is not a regular file.
  case object(path: String, image: String, message: String, next: String)
  /// The root hash is not the one that was asked for.
  case rootHash(image: String, expected: String, found: String)
  /// The object is larger than anything this project loads.
  case tooLarge(object: String, size: UInt64, limit: UInt64)
  case hashing(HashingError)
  /// The object, its image, or who signed it was revoked.
  case revoked(Revocation)
}

extension ProvenanceError {
  /// Whether bytes could not be had, which says nothing about what they are worth.
  var isUnreadable: Bool {
    switch self {
    // Without a node the device cannot be read. What is in its place is not the device.
    case .system(let error): error.unanswered == nil || error.unanswered == .blockNode && error.code == .enoent
    case .image(_, let diagnostic): diagnostic.code == "verity.unreadable"
    case .notAFile, .fileSystem, .device, .suspended, .witness, .table, .volume, .kernelAlone, .tableChanged, .poisoned,
      .mountDiffers,
      .imageFile,
      .fileVerity, .object, .rootHash, .tooLarge, .hashing, .revoked:
      false
    }
  }
}

extension ProvenanceError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .system(let error):
      return error.diagnostic
    case .notAFile(let fd, let kind, let next):
      return Diagnostic(
        "provenance.not-a-file", .integrity, "fd \(fd) is a \(kind), which has no provenance",
        expected: "a regular file on a read-only image", found: kind, next: next)
    case .fileSystem(let fd, let name, let why, let next):
      return Diagnostic(
        "provenance.file-system", .integrity, "fd \(fd) is on \(name): \(why)",
        expected: "a file on a dm-verity device, or in an image behind a loop device", found: name, next: next)
    case .device(let number, let message, let next):
      return Diagnostic(
        "provenance.device", .integrity, "device \(number): \(message)",
        expected: "a verity device, or a loop device whose backing file is an image with a dm-verity tree", next: next)
    case .suspended(let device):
      return device.diagnostic
    case .witness(let number, let error):
      if error.code == .eacces || error.code == .eperm {
        return Diagnostic(
          "provenance.no-permission", .kernelRefused,
          "device \(number): the kernel tells its device-mapper table only to an administrator: \(error)",
          why: "whether the device is a verity volume is not known, which is not the same as no",
          next: "run the command as root (CAP_SYS_ADMIN)")
      }
      return Diagnostic(
        "provenance.no-table", .incomplete, "device \(number): the device-mapper does not answer: \(error)",
        next: "check that the device is still active (dmsetup ls) and open the object anew")
    case .table(let number, let error):
      var diagnostic = error.diagnostic
      diagnostic.message = "device \(number): \(diagnostic.message)"
      diagnostic.next = "mount the verity device itself, made by `veritysetup open` or `systemd-dissect`"
      return diagnostic
    case .volume(let number, let message, let expected, let found):
      return Diagnostic(
        "provenance.volume", .integrity, "the verity device \(number) \(message)", expected: expected, found: found,
        next: "make the image anew with `verity-bpf build-image`; one without a manifest of verity-bpf also with "
          + "`veritysetup format` and its defaults")
    case .kernelAlone(let number, let fileSystem, let rootHash, let doubts):
      return Self.kernelAlone(number, fileSystem, rootHash, doubts)
    case .tableChanged(let number, let before, let after):
      return Diagnostic(
        "provenance.table-changed", .integrity, "device \(number): its table was changed while it was examined",
        expected: before, found: after, why: "root can put another image under a mounted verity device at any time",
        next: "find out who did; then unmount, close the device, and activate the image again")
    case .poisoned(let number, let object, let rootHash, let isSigned):
      return Diagnostic(
        "provenance.page-cache", .integrity,
        "the mount shows other bytes for `\(object)` than the active table of device \(number) proves",
        expected: "the bytes under root hash \(rootHash)", found: "other bytes, from the kernel's page cache",
        why: "the device's table was swapped and swapped back, or its pages were written to: the kernel does not check "
          + "again what it has cached, so it would run these bytes as "
          + (isSigned ? "signed (IPE dmverity_signature=TRUE)" : "verified"),
        next: "take the machine for attacked; unmount and activate the image again (this drops the cached pages)")
    case .mountDiffers(let message, let expected, let found):
      return Diagnostic(
        "provenance.mount-differs", .integrity, message, expected: expected, found: found,
        why: "somebody changed the image or the device under the mount",
        next: "unmount, run `verity-bpf verify` on the image, and mount it again")
    case .imageFile(let error):
      return error.diagnostic
    case .fileVerity(let error):
      return error.diagnostic
    case .image(let path, let diagnostic):
      var named = diagnostic
      named.message = "image `\(path)`: \(diagnostic.message)"
      return named
    case .object(let path, let image, let message, let next):
      return Diagnostic(
        "provenance.object", .integrity, "object `\(path)` in image `\(image)`: \(message)", next: next)
    case .rootHash(let image, let expected, let found):
      return Diagnostic(
        "provenance.root-hash", .integrity, "image `\(image)` has another root hash than the one asked for",
        expected: expected, found: found,
        next: "check that this is the image you meant, or that the root hash belongs to this version of it")
    case .tooLarge(let object, let size, let limit):
      return Diagnostic(
        "provenance.too-large", .integrity, "object `\(object)` is too large to be a BPF object",
        expected: "at most \(limit) bytes", found: "\(size) bytes")
    case .revoked(let revocation):
      return revocation.diagnostic
    case .hashing(let error):
      return Diagnostic("provenance.hashing", .incomplete, error.description)
    }
  }

  private static func kernelAlone(
    _ number: DeviceNumber, _ fileSystem: String, _ rootHash: Digest, _ doubts: [VolumeFacts.Doubt]
  ) -> Diagnostic {
    let next =
      doubts.isEmpty
      ? "write a rule `dmverity_roothash=\(rootHash) x_witness=KERNEL` where the kernel's page cache is believed, or pack "
        + "the object with `verity-bpf build-image`, whose blocks are verified here too"
      : "activate the volume anew without these options; where a corrupted block was seen, find out why first"
    return Diagnostic(
      "provenance.kernel-alone", .integrity,
      "the dm-verity device \(number) holds \(fileSystem), which this build cannot read, so only the kernel can vouch for it",
      expected: doubts.isEmpty
        ? "a file system that is verified here too (EROFS), or a policy with an ALLOW rule that says x_witness=KERNEL"
        : "a table that hands out verified blocks only, and checks them at each read",
      found: doubts.isEmpty
        ? "root hash \(rootHash), which the kernel has in force, and no such rule"
        : doubts.map(\.rawValue).separated(by: ", "), next: next)
  }
}
