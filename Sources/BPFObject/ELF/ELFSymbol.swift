/// One entry of the symbol table (System V gABI, `Elf64_Sym`).
struct ELFSymbol: Equatable, Sendable {
  let index: Int
  let name: String
  /// The low half of `st_info`.
  let type: UInt8
  /// The high half of `st_info`.
  let binding: UInt8
  /// The low two bits of `st_other`.
  let visibility: UInt8
  /// 0 for an undefined symbol; 0xfff1 for an absolute one.
  let section: Int
  /// Bytes from the section's start.
  let value: UInt64
  /// Bytes.
  let size: UInt64

  /// Values of `st_info`, `st_other` and `st_shndx` (elf.h).
  enum Constant {
    static let object: UInt8 = 1
    static let function: UInt8 = 2
    static let section: UInt8 = 3
    static let local: UInt8 = 0
    static let weak: UInt8 = 2
    static let absolute = 0xfff1
    static let common = 0xfff2
    static let reserved = 0xff00
  }

  var isUndefined: Bool { section == 0 }
  var isLocal: Bool { binding == Constant.local }
  var isWeak: Bool { binding == Constant.weak }
  /// STV_INTERNAL or STV_HIDDEN: global for the linker, private to the object.
  var isHidden: Bool { visibility == 1 || visibility == 2 }
}

/// One entry of a relocation section (System V gABI, `Elf64_Rel`).
struct ELFRelocation: Equatable, Sendable {
  /// Bytes from the start of the section that is relocated.
  let offset: Int
  /// Index of the symbol.
  let symbol: Int
  /// `R_BPF_*` (LLVM, Documentation/bpf/llvm_reloc.rst in the kernel's tree).
  let type: UInt32

  /// R_BPF_64_64, against the operand of a 64-bit load.
  static let wide: UInt32 = 1
  /// R_BPF_64_32, against the operand of a call.
  static let call: UInt32 = 10
}
