internal import BPFObject
internal import KernelABI

/// The instructions that the analyses follow, in every form that they take them in.
///
/// A list of what is allowed: an opcode, a mode, a source field or a field that today's kernels want to be zero, and that
/// is not here, makes the whole program one of which the worst is assumed. Source:
/// Documentation/bpf/standardization/instruction-set.rst of Linux 6.18 and the checks of kernel/bpf/verifier.c.
enum InstructionForm: Equatable {
  /// The analyses know what it does to every register and to memory.
  case followed
  /// It is known what it is, and the analyses do not follow it.
  case unfollowed(String)
  /// It is not known what it is.
  case unknown

  /// The number of the frame pointer, which is never written to and behind which there is no register.
  private static let framePointer = 10

  /// - Parameter next: the slot behind the instruction, which belongs to a 64-bit load.
  init(_ found: Instruction, next: Instruction?) {
    guard found.destination <= Self.framePointer, found.source <= Self.framePointer else {
      self = .unknown
      return
    }
    let opcode = Opcode(rawValue: found.opcode)
    self =
      switch opcode.instructionClass {
      case .ld: Self.load(found, opcode, next)
      case .ldx: Self.memoryLoad(found, opcode)
      case .st: Self.immediateStore(found, opcode)
      case .stx: Self.registerStore(found, opcode)
      case .alu: Self.arithmetic(found, opcode, is64: false)
      case .alu64: Self.arithmetic(found, opcode, is64: true)
      case .jmp: Self.jump(found, opcode)
      case .jmp32: Self.jump32(found, opcode)
      }
  }

  /// A form that is followed where its fields are as today's kernels want them.
  private init(followedIf isKnown: Bool) { self = isKnown ? .followed : .unknown }

  /// BPF_LD: 64-bit immediates, and the packet loads of classic BPF.
  private static func load(_ found: Instruction, _ opcode: Opcode, _ next: Instruction?) -> InstructionForm {
    switch opcode.mode {
    case .immediate:
      guard opcode.size == .doubleWord, found.destination < framePointer, found.offset == 0, let next,
        next.opcode == 0, next.destination == 0, next.source == 0, next.offset == 0
      else { return .unknown }
      switch PseudoLoad(rawValue: found.sourceField) {
      case .btfID, .function, .mapIndex, .mapIndexValue: return .followed
      // The linker writes indexes, so a descriptor's number is none of its own.
      case .mapFD, .mapValue: return .unknown
      case nil: return InstructionForm(followedIf: found.sourceField == 0)
      }
    case .absolute:
      return InstructionForm(
        followedIf: opcode.size != .doubleWord && found.destination == 0 && found.source == 0 && found.offset == 0)
    case .indirect:
      return InstructionForm(followedIf: opcode.size != .doubleWord && found.destination == 0 && found.offset == 0)
    case .memory, .memorySignExtending, .atomic, nil: return .unknown
    }
  }

  private static func memoryLoad(_ found: Instruction, _ opcode: Opcode) -> InstructionForm {
    let isPlain = found.immediate == 0 && found.destination < framePointer
    switch opcode.mode {
    case .memory: return InstructionForm(followedIf: isPlain)
    case .memorySignExtending: return InstructionForm(followedIf: isPlain && opcode.size != .doubleWord)
    case .immediate, .absolute, .indirect, .atomic, nil: return .unknown
    }
  }

  private static func immediateStore(_ found: Instruction, _ opcode: Opcode) -> InstructionForm {
    switch opcode.mode {
    case .memory: return InstructionForm(followedIf: found.source == 0)
    case .immediate, .absolute, .indirect, .memorySignExtending, .atomic, nil: return .unknown
    }
  }

  private static func registerStore(_ found: Instruction, _ opcode: Opcode) -> InstructionForm {
    switch opcode.mode {
    case .memory: return InstructionForm(followedIf: found.immediate == 0)
    case .atomic:
      switch AtomicOperation(rawValue: found.immediate) {
      case .add, .or, .and, .xor, .fetchAdd, .fetchOr, .fetchAnd, .fetchXor, .exchange, .compareExchange:
        return InstructionForm(followedIf: opcode.size == .word || opcode.size == .doubleWord)
      case .loadAcquire: return .unfollowed("a load-acquire")
      case .storeRelease: return .unfollowed("a store-release")
      case nil: return .unknown
      }
    case .immediate, .absolute, .indirect, .memorySignExtending, nil: return .unknown
    }
  }

  private static func arithmetic(_ found: Instruction, _ opcode: Opcode, is64: Bool) -> InstructionForm {
    guard found.destination < framePointer else { return .unknown }
    let isPlain = hasPlainOperand(found, opcode)
    switch opcode.arithmetic {
    case .add, .sub, .mul, .or, .and, .lsh, .rsh, .xor, .arsh:
      return InstructionForm(followedIf: isPlain && found.offset == 0)
    // Signed with offset 1.
    case .div, .mod: return InstructionForm(followedIf: isPlain && (0...1).contains(found.offset))
    case .neg:
      return InstructionForm(
        followedIf: opcode.source == .constant && found.source == 0 && found.offset == 0 && found.immediate == 0)
    // The operand's bit says the byte order; the unconditional swap of ALU64 has none.
    case .end:
      return InstructionForm(
        followedIf: [16, 32, 64].contains(found.immediate) && found.source == 0 && found.offset == 0
          && !(is64 && opcode.source == .register))
    // With sign extension from as many bits as the offset says.
    case .mov:
      switch opcode.source {
      case .constant: return InstructionForm(followedIf: isPlain && found.offset == 0)
      case .register:
        if is64, found.offset == 1 { return .unfollowed("a cast between address spaces") }
        return InstructionForm(followedIf: isPlain && (is64 ? [0, 8, 16, 32] : [0, 8, 16]).contains(found.offset))
      }
    case nil: return .unknown
    }
  }

  private static func jump(_ found: Instruction, _ opcode: Opcode) -> InstructionForm {
    let hasNoRegisters = found.destination == 0 && found.source == 0
    switch opcode.jump {
    case .ja:
      switch opcode.source {
      case .constant: return InstructionForm(followedIf: hasNoRegisters && found.immediate == 0)
      case .register: return .unfollowed("an indirect jump")
      }
    case .call:
      switch opcode.source {
      case .constant: return call(found)
      case .register: return .unfollowed("an indirect call")
      }
    case .exit:
      return InstructionForm(
        followedIf: opcode.source == .constant && hasNoRegisters && found.offset == 0 && found.immediate == 0)
    case .jcond:
      return InstructionForm(followedIf: opcode.source == .constant && hasNoRegisters && found.immediate == 0)
    case .jeq, .jgt, .jge, .jset, .jne, .jsgt, .jsge, .jlt, .jle, .jslt, .jsle:
      return InstructionForm(followedIf: hasPlainOperand(found, opcode))
    case nil: return .unknown
    }
  }

  private static func call(_ found: Instruction) -> InstructionForm {
    guard found.destination == 0 else { return .unknown }
    switch PseudoCall(rawValue: found.sourceField) {
    case .function: return InstructionForm(followedIf: found.offset == 0)
    // The offset is the module's index in `fd_array`.
    case .kernelFunction: return .followed
    case nil: return InstructionForm(followedIf: found.sourceField == 0 && found.offset == 0)
    }
  }

  /// BPF_JMP32: comparisons of half registers, and a jump whose distance is the immediate.
  private static func jump32(_ found: Instruction, _ opcode: Opcode) -> InstructionForm {
    switch opcode.jump {
    case .ja:
      return InstructionForm(
        followedIf: opcode.source == .constant && found.destination == 0 && found.source == 0 && found.offset == 0)
    case .jeq, .jgt, .jge, .jset, .jne, .jsgt, .jsge, .jlt, .jle, .jslt, .jsle:
      return InstructionForm(followedIf: hasPlainOperand(found, opcode))
    case .call, .exit, .jcond, nil: return .unknown
    }
  }

  /// Whether the operand that is not used is zero.
  private static func hasPlainOperand(_ found: Instruction, _ opcode: Opcode) -> Bool {
    switch opcode.source {
    case .constant: found.source == 0
    case .register: found.immediate == 0
    }
  }
}
