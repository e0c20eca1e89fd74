public import KernelABI

/// What one host says of itself, as it was read: texts of small files, answers to probes. Nothing here is judged.
///
/// The facts can be written down as JSON and judged elsewhere.
public struct HostFacts: Equatable, Sendable {
  /// What reading a file came to.
  public enum Reading: Equatable, Sendable {
    /// The text, without the white space at its end. For a directory its names, one a line; for a device, nothing.
    case text(String)
    /// There is no such file.
    case absent
    /// It could not be read, with the errno's name (`EACCES`).
    case refused(String)

    public var text: String? {
      guard case .text(let text) = self else { return nil }
      return text
    }
  }

  /// utsname's release.
  public var release: String
  /// By path; what was not asked for is not in it. The firmware's variable is its bytes as hexadecimal digits.
  public var files: [String: Reading] = [:]
  /// The options of ``optionNames`` that are set in the kernel's configuration; nil when that could not be found.
  public var options: [String: String]?
  /// lsm_list_modules(2), by number.
  public var securityModuleIDs: [UInt64]?
  /// The effective capabilities that bpf(2) asks for, by name; nil when unknown.
  public var capabilities: [String]?
  public var isInUserNamespace: Bool?
  /// Where BPF file systems are mounted; nil where that is not known.
  public var bpfFileSystems: [String]?
  /// What is known of the gate in the kernel; nil where that was not asked.
  public var gate: GatePresence?
  /// What this program itself has installed here; nil where that was not asked.
  public var installed: InstalledTrust?
  /// The kernel's own keyrings that this process may see.
  public var keyrings: [KeyringFacts] = []
  /// What the kernel said to each probe.
  public var probes: [Probe: ProbeAnswer] = [:]

  public init(release: String) { self.release = release }

  /// What reading a statement came to, with the words of its path. What was not read counts as refused: nothing is
  /// concluded from it.
  public subscript(statement: KernelStatement, words: String...) -> Reading {
    get { files[statement.place(words)] ?? .refused("not read") }
    set { files[statement.place(words)] = newValue }
  }

  /// Whether an option of the kernel's configuration is `y` or `m`; nil when the configuration is not known.
  func hasOption(_ name: String) -> Bool? { options.map { $0[name] == "y" || $0[name] == "m" } }
}

/// How far a gate in the kernel binds, by what its pins show.
public enum GatePresence: String, CaseIterable, Sendable {
  case none, incomplete, watching, enforcing, sealed
  /// Something is pinned there, and this process may not look at it.
  case closed
  /// What is pinned there is no gate that this build knows.
  case other
}

/// One keyring of the kernel, and what is in it.
public struct KeyringFacts: Equatable, Sendable {
  /// With its dot, `.platform`.
  public let name: String
  /// `type description` of each key; nil when the ring could not be read.
  public let keys: [String]?
  /// The errno's name when it could not.
  public let refusal: String?

  public init(name: String, keys: [String]?, refusal: String? = nil) {
    self.name = name
    self.keys = keys
    self.refusal = refusal
  }
}

/// Programs that are offered to the kernel to see what it says.
public enum Probe: String, CaseIterable, Sendable {
  /// A program without signature: the control of the next two.
  case unsigned
  /// The same with 64 bytes as its signature that are none.
  case garbageSignature = "garbage-signature"
  /// The same with a signature of no bytes.
  case emptySignature = "empty-signature"
  /// A tracing program: the control of the next two.
  case tracing
  /// The same calling bpf_probe_read_kernel, which lockdown=confidentiality forbids.
  case kernelRead = "kernel-read"
  /// The same calling bpf_probe_write_user, which lockdown=integrity forbids.
  case userWrite = "user-write"
}

/// What the kernel said to a probe.
public enum ProbeAnswer: Equatable, Sendable {
  case taken
  /// The errno's name.
  case refused(String)
}
