internal import KernelABI
public import Base
public import Linux
public import Trust

/// Why an image was not mounted or unmounted. What had been set up by then has been undone.
public enum ActivationError: Error, Sendable {
  /// The system refused, for what is named in the text.
  case system(SystemError, doing: String)
  /// The root hash, or who signed it, was revoked.
  case revoked(Revocation)
  /// The image was refused before anything was set up.
  case image(Diagnostic)
  /// libcryptsetup or the kernel did not activate the volume.
  case activation(name: String, VerityActivation.Failure, isSigned: Bool)
  /// What was given as the root hash's signature is no such message; with what the library said, when it was asked.
  case signature(image: String, Diagnostic, messages: [String])
  /// A volume of that name is active already. `isGoing`: it is removed when its last user is gone.
  case active(name: String, DeviceNumber, mounts: [String], isGoing: Bool)
  /// A volume that nothing is mounted from could not be taken down.
  case deactivation(name: String, SystemError)
  /// What is mounted on a directory is nothing that this program mounted.
  case notOurs(directory: String, found: String)
  /// What is mounted on a directory is our mount on another one, or a part of it, which others have bound there.
  case bound(directory: String, found: String, mount: String?)
}

extension ActivationError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .system(let error, let doing):
      var diagnostic = error.diagnostic
      diagnostic.message = "\(doing): \(diagnostic.message)"
      if [.eperm, .eacces].contains(error.code) {
        diagnostic.next =
          "run as root; without privilege `verity-bpf load --image IMAGE --object OBJECT` reads the image by itself"
      }
      return diagnostic
    case .revoked(let revocation): return revocation.diagnostic
    case .image(let diagnostic): return diagnostic
    case .activation(let name, .noLibrary(let reason), _):
      return Diagnostic(
        "mount.no-cryptsetup", .incomplete, "libcryptsetup cannot be loaded, so `\(name)` was not set up",
        expected: "libcryptsetup.so.12", found: reason,
        next: "install it, on Debian: apt-get install libcryptsetup12; or mount with --no-device-mapper")
    case .activation(let name, .refused(let error, let messages), let isSigned):
      return Self.refused(name, error, messages, isSigned)
    case .notOurs(let directory, let found):
      return Diagnostic(
        "mount.not-ours", .usage, "`\(directory)` is not a mount of verity-bpf",
        expected: "an image that `verity-bpf mount` mounted: EROFS on a loop device of its own, or on a verity volume "
          + "named \(ImageMount.prefix)…", found: found, next: "umount \(directory)")
    case .bound(let directory, let found, let mount):
      return Diagnostic(
        "mount.not-ours", .usage, "`\(directory)` was not mounted by verity-bpf",
        expected: "what `verity-bpf mount` mounted",
        found: found,
        next: "umount \(directory)"
          + (mount.map { "; the mount itself is undone by: verity-bpf umount \($0)" } ?? ""))
    case .signature(let image, let reason, let messages):
      return Diagnostic(
        "mount.signature", .integrity,
        "`\(image)` was not mounted: what was given as the signature of its root hash is none: \(reason.message)",
        expected: reason.expected ?? "one PKCS#7 message in DER", found: reason.found,
        next:
          "verity-bpf sign root-hash \(image) --certificate FILE --private-key FILE; or mount by root hash alone: --no-signature",
        details: messages)
    case .active(let name, let number, let mounts, let isGoing):
      return Self.active(name, number, mounts, isGoing)
    case .deactivation(let name, let error):
      return Diagnostic(
        "mount.deactivation", .kernelRefused, "the volume `\(name)` could not be taken down",
        expected: "a volume that goes now, or with its last user", found: "\(error)", next: "dmsetup info \(name)")
    }
  }

  private static func active(_ name: String, _ number: DeviceNumber, _ mounts: [String], _ isGoing: Bool) -> Diagnostic
  {
    var diagnostic = Diagnostic(
      "mount.active", .incomplete, "the volume `\(name)` is active already", expected: "no volume of that name",
      found: "device \(number), "
        + (mounts.isEmpty
          ? "mounted nowhere in this mount namespace" : "mounted on \(mounts.joined(separator: ", "))")
        + (isGoing ? "; it goes when its last user is gone" : ""),
      why: "without --name the name follows from the root hash, so it is this very image")
    let other = "give this one another name (--name \(ImageMount.prefix)NAME)"
    if let place = mounts.last {
      diagnostic.next = "use what is mounted there; or take it down first (verity-bpf umount \(place)); or \(other)"
    } else if isGoing {
      diagnostic.next = "find who has it open (fuser /dev/mapper/\(name), or another mount namespace); or \(other)"
    } else {
      diagnostic.next =
        "take it down first, unless another run is setting it up just now: verity-bpf umount \(name); or \(other)"
    }
    return diagnostic
  }

  /// libcryptsetup answers ENODEV to every refusal of the kernel; what the kernel said is in its messages.
  private static func refused(
    _ name: String, _ error: SystemError, _ messages: [String], _ isSigned: Bool
  ) -> Diagnostic {
    let text = messages.joined(separator: " ")
    let unknownKey = text.mentions("Required key not available")
    let rejected = text.mentions("Key was rejected") || text.mentions("Bad message")
    var diagnostic = Diagnostic(
      unknownKey || rejected ? "mount.signature" : "mount.activation",
      unknownKey || rejected ? .integrity : .kernelRefused,
      "the kernel did not take the volume `\(name)`",
      expected: isSigned ? "a signature by a key in a keyring of the kernel" : "a volume by its root hash",
      found: messages.last ?? "\(error.errnoText) (\(error.errnoName))", details: messages)
    if unknownKey {
      diagnostic.why =
        isSigned
        ? "no keyring that dm-verity asks took the signature, and the kernel tells only what the last of them said: the signer's "
          + "certificate may be in none of them (.builtin_trusted_keys, .secondary_trusted_keys, .platform), or one has it and "
          + "the signature is of another root hash"
        : "the kernel takes signed volumes only (dm_verity.require_signatures=1)"
      diagnostic.next =
        isSigned
        ? "see whether it is a signature of this root hash (verity-bpf verify IMAGE --certificate FILE), then where the "
          + "certificate is (keyctl show %:.builtin_trusted_keys %:.platform)"
        : "sign the image: verity-bpf sign root-hash IMAGE --certificate FILE --private-key FILE"
    } else if rejected {
      diagnostic.next =
        "the signature is of another root hash or damaged: verity-bpf sign root-hash IMAGE --certificate FILE --private-key FILE"
    } else {
      diagnostic.next = "look at the kernel's log: dmesg | grep verity"
    }
    return diagnostic
  }
}
