public import Diagnostics
public import ImageFiles
public import LinuxSys

/// Why an image was not mounted or unmounted. What had been set up by then has been undone.
public enum ActivationError: Error, Sendable {
  /// The system refused, for what is named in the text.
  case system(SystemError, doing: String)
  /// The image cannot be opened.
  case imageFile(ImageFileError)
  /// The image was refused before anything was set up.
  case image(Diagnostic)
  /// libcryptsetup or the kernel did not activate the volume.
  case activation(name: String, VerityActivation.Failure, isSigned: Bool)
  /// What is mounted on a directory is nothing that this program mounted.
  case notOurs(directory: String, found: String)
}

extension ActivationError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .system(let error, let doing):
      var diagnostic = error.diagnostic
      diagnostic.message = "\(doing): \(diagnostic.message)"
      if ["EPERM", "EACCES"].contains(error.errnoName) {
        diagnostic.next = "run as root; without privilege `verity-bpf load --image` reads the image by itself"
      }
      return diagnostic
    case .imageFile(let error): return error.diagnostic
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
        expected: "an EROFS image on a loop device, or a volume named \(ImageMount.prefix)…", found: found,
        next: "umount \(directory)")
    }
  }

  /// libcryptsetup answers ENODEV to every refusal of the kernel; what the kernel said is in its messages.
  private static func refused(
    _ name: String, _ error: SystemError, _ messages: [String], _ isSigned: Bool
  ) -> Diagnostic {
    let text = messages.joined(separator: " ")
    let unknownKey = text.contains("Required key not available")
    let rejected = text.contains("Key was rejected") || text.contains("Bad message")
    var diagnostic = Diagnostic(
      unknownKey || rejected ? "mount.signature" : "mount.activation",
      unknownKey || rejected ? .integrity : .kernelRefused,
      "the kernel did not take the volume `\(name)`",
      expected: isSigned ? "a signature by a key in a keyring of the kernel" : "a volume by its root hash",
      found: messages.last ?? error.errnoText, details: messages)
    if unknownKey {
      diagnostic.why =
        isSigned
        ? "the signer's certificate is in none of the keyrings .builtin_trusted_keys, .secondary_trusted_keys, .platform"
        : "the kernel takes signed volumes only (dm_verity.require_signatures=1)"
      diagnostic.next =
        isSigned
        ? "keyctl show %:.platform; or mount by root hash alone: --no-signature"
        : "sign the image: verity-bpf sign root-hash IMAGE"
    } else if rejected {
      diagnostic.next = "the signature is of another root hash or damaged: verity-bpf sign root-hash IMAGE"
    } else {
      diagnostic.next = "look at the kernel's log: dmesg | grep verity"
    }
    return diagnostic
  }
}
