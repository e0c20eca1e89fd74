public import KernelABI

/// What a program is, read from its section's name (libbpf's table of section names).
public struct ProgramKind: Equatable, Sendable {
  public var type: ProgramType
  /// ``AttachType/unspecified`` when the type has none.
  public var expectedAttachType: AttachType
  /// `BPF_F_SLEEPABLE`, `BPF_F_XDP_HAS_FRAGS`: flags of BPF_PROG_LOAD.
  public var flags: UInt32
  /// The kernel object whose BTF id goes to `attach_btf_id`, when the type needs one.
  public var attachTarget: AttachTarget?
  /// `?section`: the program is loaded only when it is asked for.
  public var isOptional: Bool
  /// What stands after the slash in the section name: a tracepoint's name, a function's, an iterator's …
  public var target: String

  /// A program of this type, everything else zero or empty.
  public init(type: ProgramType) {
    self.type = type
    expectedAttachType = .unspecified
    flags = 0
    attachTarget = nil
    isOptional = false
    target = ""
  }

  /// A type or function to look up in the kernel's BTF by name.
  public struct AttachTarget: Hashable, Sendable {
    /// The BTF name: `btf_trace_sched_switch`, `bpf_iter_task`, `bpf_lsm_file_open`, a function …
    public let name: String
    /// A typedef for tracepoints, a function or variable otherwise.
    public let kind: BTFKind
    /// The module that has it, `vmlinux` for the kernel itself; nil where any may.
    public let module: String?

    /// Names a type or function of the kernel, or of one of its modules.
    public init(name: String, kind: BTFKind, module: String? = nil) {
      self.name = name
      self.kind = kind
      self.module = module
    }
  }
}
