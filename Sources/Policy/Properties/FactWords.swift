public import KernelABI

/// Who vouches for a fact: a set, because both may.
public struct Witnesses: OptionSet, Sendable, Hashable, FactWord {
  static let all: [Witnesses] = [.kernel, .userspace, .both]

  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The running kernel says so: the active dm-verity table, its own signature check.
  public static let kernel = Witnesses(rawValue: 1)
  /// This project's own arithmetic says so: a Merkle proof over the bytes, a signature checked in user space.
  public static let userspace = Witnesses(rawValue: 2)
  public static let both: Witnesses = [.kernel, .userspace]

  /// `KERNEL`, `USERSPACE` or `BOTH`; nil for any other word.
  public init?(word: String) {
    switch word {
    case "KERNEL": self = .kernel
    case "USERSPACE": self = .userspace
    case "BOTH": self = .both
    default: return nil
    }
  }

  /// Whether those that a rule names vouch, with or without others.
  func satisfies(_ wanted: Witnesses) -> Bool { isSuperset(of: wanted) }

  /// The word policies and facts files use; nil for the empty set.
  public var word: String? {
    switch self {
    case .kernel: "KERNEL"
    case .userspace: "USERSPACE"
    case .both: "BOTH"
    default: nil
    }
  }
}

/// The result of checking a BPF program's explicit signature, in the words of `bpf_signature=`.
public enum SignatureVerdict: String, Sendable, CaseIterable, FactWord {
  /// There is none.
  case unsigned = "UNSIGNED"
  case ok = "OK"
  case badSignature = "BADSIG"
  case unknownKey = "UNKNOWNKEY"
  /// The instructions are covered, the maps are not.
  case partial = "PARTIALSIG"
  /// A map's contents are others than the signed ones.
  case unexpected = "UNEXPECTED"
  case fault = "FAULT"
  /// Nobody looked.
  case none = "NONE"
  /// The same as OK, in the words of the kernel's own field (`prog->aux->sig.verdict`).
  case verified = "VERIFIED"
  /// OK, and the signature covers the initial contents of the maps too.
  case metadataVerified = "METADATA_VERIFIED"
  /// The signature holds, by a certificate that is not valid now. It is not OK: a policy that takes it says so.
  case expired = "EXPIRED"

  /// Whether an object with this verdict satisfies `bpf_signature=` of that word.
  ///
  /// OK and VERIFIED are two names for one thing, and METADATA_VERIFIED is stronger than both.
  func satisfies(_ wanted: SignatureVerdict) -> Bool {
    switch wanted {
    case .ok, .verified: self == .ok || self == .verified || self == .metadataVerified
    case .unsigned, .badSignature, .unknownKey, .partial, .unexpected, .fault, .none, .metadataVerified, .expired:
      self == wanted
    }
  }
}

/// The keyring that held the key of an explicit signature, in the words of `bpf_keyring=`.
public enum SignatureKeyring: Sendable, Hashable, FactWord {
  /// One that the kernel made for itself.
  case kernel(Keyring)
  /// One that its user fills.
  case user

  static let all: [SignatureKeyring] = [
    .kernel(.builtin), .kernel(.secondary), .kernel(.platform), .user, .kernel(.bpf), .kernel(.dmVerity),
  ]

  /// `USER`, or the word of a keyring that can hold keys for programs; nil for any other word.
  public init?(word: String) {
    guard let known = Self.all.first(where: { $0.word == word }) else { return nil }
    self = known
  }

  var word: String? {
    switch self {
    case .kernel(let ring): ring.policyWord
    case .user: "USER"
    }
  }
}

/// What a dm-verity table does with a block that does not verify.
public enum DMVerityMode: String, Sendable, CaseIterable, FactWord {
  /// The read fails.
  case eio = "EIO"
  case restart = "RESTART"
  case panic = "PANIC"
  /// `ignore_corruption`: the corrupted data is returned, and a line logged.
  case logging = "LOGGING"
}

/// What programs do, in the words of `x_class=`.
public enum ProgramClass: String, Sendable, CaseIterable, FactWord {
  /// Nothing but look at, change or drop the packet or socket they are called for, with notes in bounded maps.
  case restricted = "RESTRICTED"
  /// More than that.
  case full = "FULL"

  static let areGrades = true
  /// What is restricted does nothing that a full program may not do.
  func satisfies(_ wanted: ProgramClass) -> Bool { wanted == .full || self == wanted }
}

/// What programs read of the kernel's memory, in the words of `x_reads=`, the least first.
public enum KernelReads: String, Sendable, CaseIterable, Comparable, FactWord {
  /// Nothing but what they are called with.
  case none = "NONE"
  /// Fields that their author declared by name, and nothing else.
  case declared = "DECLARED"
  /// Nobody said what.
  case undeclared = "UNDECLARED"

  static let areGrades = true
  /// Who reads less may do what is allowed to those who read more.
  func satisfies(_ wanted: KernelReads) -> Bool { self <= wanted }

  public static func < (left: Self, right: Self) -> Bool {
    (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
  }
}

/// The kernel's lockdown modes, in capitals as policies have all their words.
extension LockdownMode: FactWord {
  static let areGrades = true
  /// What loads under the stricter mode loads under the others.
  func satisfies(_ wanted: LockdownMode) -> Bool { self >= wanted }

  var word: String? { policyWord }
  init?(word: String) {
    guard let mode = Self.allCases.first(where: { $0.policyWord == word }) else { return nil }
    self = mode
  }
}
