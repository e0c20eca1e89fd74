public import KernelABI
public import Base
public import Linux
public import Policy
public import Signatures

/// Why the store cannot be used, or refuses.
public enum PolicyStoreError: Error, Equatable, Sendable {
  /// The state is not there. Nothing is guessed from what is.
  case lost(directory: String)
  /// A file of the store is not what was written.
  case damaged(path: String, reason: String)
  /// There is a store already.
  case exists(directory: String)
  /// The store's rules refuse.
  case refused(StoreRefusal)
  /// The signed text is no policy.
  case invalid(InvalidPolicy)
  case signature(SignatureError)
  /// The policy's signer was revoked.
  case revoked(Revocation)
  case system(SystemError)
}

/// What the rules of policy versions refuse, each with the errno that the kernel would answer.
public enum StoreRefusal: Error, Equatable, Sendable {
  /// The version is not above the highest this name ever had.
  case stale(name: String, version: PolicyVersion, floor: PolicyVersion)
  /// Activation of a version below the last active policy's, whatever its name.
  case downgrade(name: String, version: PolicyVersion, floor: PolicyVersion)
  /// The policy's name cannot be stored.
  case name(String)
  /// There is no such policy.
  case unknown(name: String)
  /// The active policy cannot be removed.
  case active(name: String)
  /// No policy is active.
  case noneActive

  /// The kernel's word for it (security/ipe/policy.c, policy_fs.c).
  public var errno: Errno {
    switch self {
    case .stale: .estale
    case .downgrade, .name: .einval
    case .unknown, .noneActive: .enoent
    case .active: .eperm
    }
  }
}

extension PolicyStoreError {
  /// The errno that the kernel answers in the same case, for records that have its form
  /// (include/uapi/asm-generic/errno.h).
  public var errno: Errno {
    switch self {
    case .refused(.stale): .estale
    case .refused: .einval
    case .invalid, .signature(.malformed): .ebadmsg
    case .signature(.untrustedSigner): .enokey
    case .signature, .revoked: .ekeyrejected
    case .lost, .damaged, .exists, .system: .eio
    }
  }
}

extension PolicyStoreError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .lost(let directory):
      Diagnostic(
        "store.lost", .integrity, "the policy store `\(directory)` has no state", expected: "\(directory)/state",
        why: "the state holds the lowest versions that may be installed; without it an old policy could come back",
        next:
          "restore the directory from a backup; or, when this machine never had a store: verity-bpf policy init --store \(directory) --certificate FILE"
      )
    case .damaged(let path, let reason):
      Diagnostic(
        "store.damaged", .integrity, "`\(path)` is not what was written to it", found: reason,
        why: "no policy is taken from a store that cannot be trusted", next: "restore the directory from a backup")
    case .exists(let directory):
      Diagnostic(
        "store.exists", .incomplete, "`\(directory)` holds a store already",
        why: "a new one would forget which versions were installed", next: "verity-bpf policy list --store \(directory)"
      )
    case .refused(let refusal): refusal.diagnostic
    case .invalid(let error): error.diagnostic
    case .signature(let error): error.diagnostic
    case .revoked(let revocation): revocation.diagnostic
    case .system(let error): error.diagnostic
    }
  }
}

extension StoreRefusal {
  var diagnostic: Diagnostic {
    switch self {
    case .stale(let name, let version, let floor):
      Diagnostic(
        "store.stale", .invalid, "policy `\(name)` \(version) is not newer than what was installed",
        expected: "a version above \(floor)", found: "\(version) (the kernel would answer ESTALE)",
        why: "an old policy may allow what a newer one revoked; this holds after removal too",
        next: "raise policy_version and sign again")
    case .downgrade(let name, let version, let floor):
      Diagnostic(
        "store.downgrade", .invalid, "policy `\(name)` \(version) is older than the active policy",
        expected: "version \(floor) or above", found: "\(version) (the kernel would answer EINVAL)",
        next: "raise policy_version and sign again")
    case .name(let name):
      Diagnostic(
        "store.name", .invalid, "the name `\(name)` cannot be stored",
        expected: "at most 200 bytes, without control characters")
    case .unknown(let name):
      Diagnostic("store.unknown", .incomplete, "no policy `\(name)` is installed", next: "verity-bpf policy list")
    case .active(let name):
      Diagnostic(
        "store.active", .invalid, "policy `\(name)` is active", found: "the kernel would answer EPERM",
        next: "activate another policy first")
    case .noneActive:
      Diagnostic(
        "store.none-active", .incomplete, "no policy is active", next: "verity-bpf policy activate NAME")
    }
  }
}
