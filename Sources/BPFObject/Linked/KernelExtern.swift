/// Something that an object expects from the running kernel: a function or a variable of the kernel.
///
/// Linking lists externs and their uses; whoever loads the object looks them up in the kernel's BTF or symbol table
/// and hands the answers to ``LinkedObject/resolving(_:configuration:)``.
public struct KernelExtern: Equatable, Sendable {
  /// What it is, and how it is found.
  public enum Kind: Equatable, Sendable {
    /// A kernel function (kfunc); the associated value is its prototype, a FUNC_PROTO of ``LinkedObject/btf``.
    case function(prototype: UInt32)
    /// A kernel variable with a type, found in the kernel's BTF; the associated value is its type as the object
    /// declares it, an id of ``LinkedObject/btf``.
    case variable(type: UInt32)
    /// A symbol without a type (`extern const void NAME __ksym`), of which only the address is known (kallsyms).
    case address
  }

  /// The symbol.
  public let name: String
  /// What the kernel calls it: `bpf_task_acquire` for `bpf_task_acquire___v2`, of which an object can so declare
  /// several shapes (libbpf, essent_name).
  public var kernelName: String { StructOpsMaps.withoutFlavour(name) }
  /// What it is, and how it is found.
  public let kind: Kind
  /// `__weak`: the object also works where the kernel has no such symbol.
  public let isWeak: Bool

  /// Names an extern.
  public init(name: String, kind: Kind, isWeak: Bool) {
    self.name = name
    self.kind = kind
    self.isWeak = isWeak
  }
}

/// An instruction that refers to an extern; until it is resolved, it has the object's own bytes.
public struct ExternUse: Equatable, Sendable {
  /// Index of the instruction in the linked program.
  public let instruction: Int
  /// Index in ``LinkedObject/externs``.
  public let extern: Int

  /// Names an instruction and an extern by their indexes.
  public init(instruction: Int, extern: Int) {
    self.instruction = instruction
    self.extern = extern
  }
}

/// A variable in `.kconfig`: a value of the kernel's configuration, or of libbpf's own names that begin with `LINUX_`.
public struct ConfigurationField: Equatable, Sendable {
  /// What the object declares the variable as (libbpf, find_kcfg_type).
  public enum Kind: Equatable, Sendable {
    case bool
    case character
    /// `enum libbpf_tristate`: 0 no, 1 yes, 2 module.
    case tristate
    case integer(isSigned: Bool)
    /// An array of characters.
    case text
  }

  /// `CONFIG_HZ`, `LINUX_KERNEL_VERSION` …
  public let name: String
  /// What the object declares it as.
  public let kind: Kind
  /// Bytes from the start of the map's value.
  public let offset: Int
  /// Bytes.
  public let size: Int
  /// `__weak`: all zero where the kernel's configuration has no such option.
  public let isWeak: Bool

  /// Describes a field of the map's value.
  public init(name: String, kind: Kind, offset: Int, size: Int, isWeak: Bool) {
    self.name = name
    self.kind = kind
    self.offset = offset
    self.size = size
    self.isWeak = isWeak
  }
}

/// What the running kernel has for an extern.
public enum ExternResolution: Equatable, Sendable {
  /// A function or variable in BTF: its type id, and the module whose BTF that is. `module` is 0 for the kernel
  /// itself; for a module it is an index in `fd_array` in the case of a function, and a BTF descriptor in the case of
  /// a variable (include/uapi/linux/bpf.h, BPF_PSEUDO_KFUNC_CALL and BPF_PSEUDO_BTF_ID).
  case btf(id: UInt32, module: UInt32)
  /// An address from /proc/kallsyms.
  case address(UInt64)
  /// The kernel has no such symbol, and the object does not insist.
  case absent
}
