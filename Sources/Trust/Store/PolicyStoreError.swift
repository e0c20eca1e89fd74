public import KernelABI
public import Base
public import Linux
public import Policy
public import Signatures

/// Why the store cannot be used, or refuses.
public enum PolicyStoreError: Error, Equatable, Sendable {
  /// There is no store yet: nothing, or what an initialisation left that did not come to its end.
  case none(directory: String)
  /// The state is not there, and was. Nothing is guessed from what is.
  case lost(directory: String)
  /// A file of the store is not what was written.
  case damaged(path: String, reason: String)
  /// Others than root and this process's user can change a file of the store, or it is something else.
  case foreign(path: String, reason: String)
  /// Something that is no part of a store lies where one is to be made.
  case notEmpty(path: String)
  /// A statement about signers cannot be understood.
  case statement(reason: String)
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
  case stale(name: String, version: PolicyVersion, lowest: PolicyVersion)
  /// Activation of a version below the last active policy's, whatever its name.
  case downgrade(name: String, version: PolicyVersion, lowest: PolicyVersion)
  /// The policy's name cannot be stored.
  case name(String)
  /// There is no such policy.
  case unknown(name: String)
  /// The active policy cannot be removed.
  case active(name: String)
  /// No policy is active.
  case noneActive
  /// There is no shadow policy.
  case noShadow
  /// A statement about signers was made for another store.
  case otherStore(found: String, expected: String)
  /// The number of a statement is not above the last one's.
  case staleSigners(counter: UInt64, last: UInt64)
  /// No signer would be left who counts.
  case lastSigner
  /// Who is to be retired is no signer of this store.
  case unknownSigner(String)
  /// Who is to be retired signed the active policy.
  case activeSigner(name: String)

  /// The kernel's word for it (security/ipe/policy.c, policy_fs.c).
  public var errno: Errno {
    switch self {
    case .stale, .staleSigners: .estale
    case .downgrade, .name, .otherStore: .einval
    case .unknown, .noneActive, .noShadow, .unknownSigner: .enoent
    case .active, .lastSigner, .activeSigner: .eperm
    }
  }
}

extension PolicyStoreError {
  /// The errno that the kernel answers in the same case, for records that have its form
  /// (include/uapi/asm-generic/errno.h).
  public var errno: Errno {
    switch self {
    case .refused(let refusal): refusal.errno
    case .none: .enoent
    case .foreign: .eperm
    case .invalid, .statement, .signature(.malformed): .ebadmsg
    case .signature(.untrustedSigner): .enokey
    case .signature, .revoked: .ekeyrejected
    case .exists: .eexist
    case .notEmpty: .enotempty
    case .system(let error): error.code ?? .eio
    case .lost, .damaged: .eio
    }
  }
}

extension Diagnostic {
  /// Others can write what says which policy is in force.
  ///
  /// - Parameter next: the command that shows whether it is put right.
  static func foreign(
    _ code: String, _ category: Category, _ message: String, _ reason: String, owner: String, next: String
  ) -> Diagnostic {
    Diagnostic(
      code, category, message, expected: "a file or directory of \(owner), to which nobody else can write",
      found: reason, why: "who can write there decides which policy is in force",
      next: "find out what was written there; then chown and chmod it, and \(next)")
  }

  /// A version that is too low, or a statement that is not the newest: what is in force stays.
  fileprivate static func tooOld(
    _ code: String, _ message: String, expected: String, found: String, _ errno: Errno, why: String? = nil,
    next: String
  ) -> Diagnostic {
    Diagnostic(
      code, .invalid, message, expected: expected, found: "\(found) (the kernel would answer \(errno.name))", why: why,
      next: next)
  }
}

extension PolicyStoreError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .none(let directory):
      Diagnostic(
        "store.none", .incomplete, "there is no policy store `\(directory)` yet", expected: "\(directory)/state",
        next: "verity-bpf policy init --store \(directory) --certificate FILE")
    case .foreign(let path, let reason):
      .foreign(
        "store.permissions", .integrity, "`\(path)` does not belong to the policy store alone: \(reason)", reason,
        owner: "root or of this user", next: "verity-bpf policy list")
    case .notEmpty(let path):
      Diagnostic(
        "store.not-empty", .incomplete, "`\(path)` is no part of a policy store", expected: "an empty directory",
        next: "name another directory, or move the file elsewhere")
    case .statement(let reason):
      Diagnostic(
        "store.statement", .invalid, "this is no statement about signers of policies",
        expected: "what `policy sign-trust` makes",
        found: reason)
    case .lost(let directory):
      Diagnostic(
        "store.lost", .integrity, "the policy store `\(directory)` has no state", expected: "\(directory)/state",
        why: "the state holds the lowest versions that may be installed; without it an old policy could come back",
        next: Self.restore)
    case .damaged(let path, let reason):
      Diagnostic(
        "store.damaged", .integrity, "`\(path)` is not what was written to it", found: reason,
        why: "no policy is taken from a store that cannot be trusted", next: Self.restore)
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

  private static let restore = "restore the directory from a backup"
}

extension StoreRefusal {
  private static let raise = "raise policy_version and sign again"

  var diagnostic: Diagnostic {
    switch self {
    case .stale(let name, let version, let lowest):
      .tooOld(
        "store.stale", "policy `\(name)` \(version) is not newer than what was installed",
        expected: "a version above \(lowest)", found: "\(version)", errno,
        why: "an old policy may allow what a newer one revoked; this holds after removal too", next: Self.raise)
    case .downgrade(let name, let version, let lowest):
      .tooOld(
        "store.downgrade", "policy `\(name)` \(version) is older than the active policy",
        expected: "version \(lowest) or above", found: "\(version)", errno, next: Self.raise)
    case .name(let name):
      Diagnostic(
        "store.name", .invalid, "the name `\(name)` cannot be stored",
        expected: "at most 200 bytes, without control characters")
    case .unknown(let name):
      Diagnostic("store.unknown", .incomplete, "no policy `\(name)` is installed", next: "verity-bpf policy list")
    case .active(let name):
      Diagnostic(
        "store.active", .invalid, "policy `\(name)` is active", found: "the kernel would answer \(errno.name)",
        next: "activate another policy first")
    case .otherStore(let found, let expected):
      Diagnostic(
        "store.other", .invalid, "the statement was made for another policy store", expected: "store \(expected)",
        found: "store \(found)", next: "sign a statement for this store: --store-id \(expected)")
    case .staleSigners(let counter, let last):
      Diagnostic(
        "store.stale-signers", .invalid, "the statement about signers is not newer than the last one",
        expected: "a number above \(last)", found: "\(counter)",
        why: "an old statement could bring a signer back who was retired",
        next: "sign a statement with a higher number: --counter N")
    case .lastSigner:
      Diagnostic(
        "store.last-signer", .invalid, "no signer would be left whose signatures count",
        expected: "one at least whose certificate is made for signing and was not revoked",
        why: "no policy could be installed any more, nor anything said about signers",
        next: "trust another signer in the same statement")
    case .unknownSigner(let digest):
      Diagnostic(
        "store.unknown-signer", .invalid, "\(digest) is no signer of this store", expected: "one of its signers",
        next: "verity-bpf policy list --signers")
    case .activeSigner(let name):
      Diagnostic(
        "store.active-signer", .invalid, "who is to be retired signed the active policy `\(name)`",
        why: "without their word the policy does not count, and nothing is loaded",
        next: "install and activate a policy of another signer first; a stolen key belongs into `revoked`")
    case .noShadow:
      Diagnostic(
        "store.no-shadow", .incomplete, "there is no shadow policy", next: "verity-bpf policy install --shadow FILE")
    case .noneActive:
      Diagnostic(
        "store.none-active", .incomplete, "no policy is active", next: "verity-bpf policy activate NAME")
    }
  }
}
