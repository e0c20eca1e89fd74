/// The first byte of an instruction, taken apart (Documentation/bpf/standardization/instruction-set.rst).
public struct Opcode: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Of a load or store.
  @inlinable
  public init(_ class: InstructionClass, _ mode: AccessMode, _ size: AccessSize) {
    rawValue = `class`.rawValue | mode.rawValue | size.rawValue
  }

  /// Of an instruction that computes.
  @inlinable
  public init(_ class: InstructionClass, _ operation: ArithmeticOperation, _ source: OperandSource) {
    rawValue = `class`.rawValue | operation.rawValue | source.rawValue
  }

  /// Of a jump.
  @inlinable
  public init(_ class: InstructionClass, _ operation: JumpOperation, _ source: OperandSource) {
    rawValue = `class`.rawValue | operation.rawValue | source.rawValue
  }

  @inlinable public var instructionClass: InstructionClass {
    // Bit by bit, so that the compiler sees that no value is left out.
    switch (rawValue & 4 != 0, rawValue & 2 != 0, rawValue & 1 != 0) {
    case (false, false, false): .ld
    case (false, false, true): .ldx
    case (false, true, false): .st
    case (false, true, true): .stx
    case (true, false, false): .alu
    case (true, false, true): .jmp
    case (true, true, false): .jmp32
    case (true, true, true): .alu64
    }
  }

  /// Of a load or store; meaningless in the other classes.
  @inlinable public var size: AccessSize {
    switch (rawValue & 0x10 != 0, rawValue & 0x08 != 0) {
    case (false, false): .word
    case (false, true): .halfWord
    case (true, false): .byte
    case (true, true): .doubleWord
    }
  }

  /// Of a load or store; nil in the other classes and for a mode that is not known here.
  @inlinable public var mode: AccessMode? {
    switch instructionClass {
    case .ld, .ldx, .st, .stx: AccessMode(rawValue: rawValue & 0xe0)
    case .alu, .alu64, .jmp, .jmp32: nil
    }
  }

  /// Of an instruction that computes; nil in the other classes and for an operation that is not known here.
  @inlinable public var arithmetic: ArithmeticOperation? {
    switch instructionClass {
    case .alu, .alu64: ArithmeticOperation(rawValue: rawValue & 0xf0)
    case .ld, .ldx, .st, .stx, .jmp, .jmp32: nil
    }
  }

  /// Of a jump, a call or the end; nil in the other classes and for an operation that is not known here.
  @inlinable public var jump: JumpOperation? {
    switch instructionClass {
    case .jmp, .jmp32: JumpOperation(rawValue: rawValue & 0xf0)
    case .ld, .ldx, .st, .stx, .alu, .alu64: nil
    }
  }

  /// Of an instruction that computes or jumps; meaningless in the other classes.
  @inlinable public var source: OperandSource { rawValue & 0x08 == 0 ? .constant : .register }

  /// BPF_LD | BPF_IMM | BPF_DW: a 64-bit load, which takes two slots.
  @inlinable public static var loadImmediate64: Opcode { Opcode(rawValue: 0x18) }
  /// BPF_JMP | BPF_CALL, with the number in the immediate.
  @inlinable public static var call: Opcode { Opcode(rawValue: 0x85) }
  /// BPF_JMP | BPF_EXIT.
  @inlinable public static var exit: Opcode { Opcode(rawValue: 0x95) }
  /// BPF_JMP | BPF_JCOND (`may_goto`), since 6.9.
  @inlinable public static var mayGoto: Opcode { Opcode(rawValue: 0xe5) }
  /// BPF_JMP32 | BPF_JA: a jump whose distance is the immediate (`gotol`), since 6.6.
  @inlinable public static var longJump: Opcode { Opcode(rawValue: 0x06) }
  /// BPF_JMP | BPF_X | BPF_JA: a jump to where a register says (`gotox`), since 6.19.
  @inlinable public static var indirectJump: Opcode { Opcode(rawValue: 0x0d) }
}
