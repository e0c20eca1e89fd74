/// The few instructions that linking looks at (Documentation/bpf/standardization/instruction-set.rst).
enum Instruction {
  /// Bytes.
  static let size = 8
  /// BPF_LD | BPF_IMM | BPF_DW: takes two slots.
  static let loadImmediate64: UInt8 = 0x18
  /// BPF_JMP | BPF_CALL.
  static let call: UInt8 = 0x85
  /// BPF_JMP | BPF_JCOND (BPF_MAY_GOTO), since Linux 6.9.
  static let mayGoTo: UInt8 = 0xe5

  /// `src_reg` of a 64-bit load (include/uapi/linux/bpf.h, BPF_PSEUDO_*).
  enum Load {
    static let value: UInt8 = 0
    static let mapFD: UInt8 = 1
    static let mapValue: UInt8 = 2
    static let btfID: UInt8 = 3
    static let function: UInt8 = 4
    static let mapIndex: UInt8 = 5
    static let mapIndexValue: UInt8 = 6
  }

  /// `src_reg` of a call.
  enum Call {
    static let helper: UInt8 = 0
    static let function: UInt8 = 1
    static let kernelFunction: UInt8 = 2
  }
}
