internal import ByteKit

/// One slot of a program (Documentation/bpf/standardization/instruction-set.rst), and the few operations that linking and
/// the analyses look at.
struct Instruction {
  let opcode: UInt8
  /// The number of the register.
  let destination: Int
  /// The number of the register, for the instructions that have one there.
  let source: Int
  /// Instructions to jump, or bytes from an address.
  let offset: Int
  let immediate: Int32

  /// The four bits of `src_reg` as a number, which for loads of 64 bits and for calls is not a register.
  var sourceField: UInt8 { UInt8(truncatingIfNeeded: source) }

  /// - Parameters:
  ///   - index: of the slot.
  ///   - code: instructions in the object's byte order, which is little-endian.
  /// - Returns: nil behind the end.
  @inline(__always)
  init?(at index: Int, in code: borrowing RawSpan) {
    guard let word = try? code.u64(at: index * Self.size) else { return nil }
    opcode = UInt8(truncatingIfNeeded: word)
    destination = Int(word >> 8 & 15)
    source = Int(word >> 12 & 15)
    offset = Int(Int16(truncatingIfNeeded: word >> 16))
    immediate = Int32(truncatingIfNeeded: word >> 32)
  }

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
