internal import BPFObject

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
  /// Nobody here knows what it is.
  case unknown

  init(_ found: Instruction, next: Instruction?) {
    // The frame pointer is never written to, and there is no register behind it.
    guard found.destination <= 10, found.source <= 10 else {
      self = .unknown
      return
    }
    let isFollowed: Bool
    switch found.opcode & 7 {
    case 0: isFollowed = Self.followsLoad(found, next)
    case 1: isFollowed = Self.memoryLoads.contains(found.opcode) && found.immediate == 0 && found.destination < 10
    case 2: isFollowed = Self.immediateStores.contains(found.opcode) && found.source == 0
    case 3:
      self = Self.store(found)
      return
    case 4, 7:
      self = Self.arithmetic(found)
      return
    default:
      self = Self.jump(found)
      return
    }
    self = isFollowed ? .followed : .unknown
  }

  /// BPF_LDX with BPF_MEM in four sizes, and with BPF_MEMSX (Linux 6.6) in three.
  private static let memoryLoads: [UInt8] = [0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91]
  /// BPF_ST with BPF_MEM in four sizes.
  private static let immediateStores: [UInt8] = [0x62, 0x6a, 0x72, 0x7a]
  /// BPF_STX with BPF_MEM in four sizes.
  private static let registerStores: [UInt8] = [0x63, 0x6b, 0x73, 0x7b]
  /// BPF_STX with BPF_ATOMIC: add, or, and, xor, each with and without BPF_FETCH; exchange; compare-and-exchange.
  private static let atomicOperations: [Int32] = [0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1]

  /// BPF_LD: 64-bit immediates, and the packet loads of old (BPF_ABS and BPF_IND).
  private static func followsLoad(_ found: Instruction, _ next: Instruction?) -> Bool {
    switch found.opcode {
    case Instruction.loadImmediate64:
      guard let next, next.opcode == 0, next.destination == 0, next.source == 0, next.offset == 0 else { return false }
      switch found.sourceField {
      case Instruction.Load.value, Instruction.Load.btfID, Instruction.Load.function, Instruction.Load.mapIndex,
        Instruction.Load.mapIndexValue:
        return found.destination < 10 && found.offset == 0
      default: return false
      }
    case 0x20, 0x28, 0x30: return found.destination == 0 && found.source == 0 && found.offset == 0
    case 0x40, 0x48, 0x50: return found.destination == 0 && found.offset == 0
    default: return false
    }
  }

  private static func store(_ found: Instruction) -> InstructionForm {
    if registerStores.contains(found.opcode) { return found.immediate == 0 ? .followed : .unknown }
    // Loads and stores with an order (Linux 6.15) come in all four sizes, the operations in two.
    if found.opcode & 0xe0 == 0xc0 {
      if found.immediate == 0x100 { return .unfollowed("a load-acquire") }
      if found.immediate == 0x110 { return .unfollowed("a store-release") }
      let isWideEnough = found.opcode == 0xc3 || found.opcode == 0xdb
      return isWideEnough && atomicOperations.contains(found.immediate) ? .followed : .unknown
    }
    return .unknown
  }

  private static func arithmetic(_ found: Instruction) -> InstructionForm {
    guard found.destination < 10 else { return .unknown }
    let isRegister = found.opcode & 8 != 0
    let is64 = found.opcode & 7 == 7
    switch found.opcode & 0xf0 {
    case 0x80:  // NEG
      return !isRegister && found.source == 0 && found.offset == 0 && found.immediate == 0 ? .followed : .unknown
    case 0xd0:  // END, in which the bit of the register says the byte order; none for the unconditional swap
      let isWidth = [16, 32, 64].contains(found.immediate)
      return isWidth && found.source == 0 && found.offset == 0 && !(is64 && isRegister) ? .followed : .unknown
    case 0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xc0:  // ADD SUB MUL OR AND LSH RSH XOR ARSH
      return isPlainOperand(found, isRegister) && found.offset == 0 ? .followed : .unknown
    case 0x30, 0x90:  // DIV MOD, signed with offset 1
      return isPlainOperand(found, isRegister) && (0...1).contains(found.offset) ? .followed : .unknown
    case 0xb0:  // MOV, with sign extension from as many bits as the offset says
      if is64, isRegister, found.offset == 1 { return .unfollowed("a cast between address spaces") }
      let widths = !isRegister ? [0] : is64 ? [0, 8, 16, 32] : [0, 8, 16]
      return isPlainOperand(found, isRegister) && widths.contains(found.offset) ? .followed : .unknown
    default: return .unknown
    }
  }

  private static func jump(_ found: Instruction) -> InstructionForm {
    let isRegister = found.opcode & 8 != 0
    switch found.opcode {
    case 0x05: return found.destination == 0 && found.source == 0 && found.immediate == 0 ? .followed : .unknown
    case 0x06: return found.destination == 0 && found.source == 0 && found.offset == 0 ? .followed : .unknown
    case Instruction.mayGoTo:
      return found.destination == 0 && found.source == 0 && found.immediate == 0 ? .followed : .unknown
    case 0x0d: return .unfollowed("an indirect jump")
    case 0x8d: return .unfollowed("an indirect call")
    case Instruction.call:
      guard found.destination == 0 else { return .unknown }
      switch found.sourceField {
      case Instruction.Call.helper, Instruction.Call.function: return found.offset == 0 ? .followed : .unknown
      // The offset is the module's index in `fd_array`.
      case Instruction.Call.kernelFunction: return .followed
      default: return .unknown
      }
    case 0x95:
      let isPlain = found.destination == 0 && found.source == 0 && found.offset == 0 && found.immediate == 0
      return isPlain ? .followed : .unknown
    default: break
    }
    switch found.opcode & 0xf0 {
    case 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0:
      return isPlainOperand(found, isRegister) ? .followed : .unknown
    default: return .unknown
    }
  }

  /// Whether the operand that is not used is zero.
  private static func isPlainOperand(_ found: Instruction, _ isRegister: Bool) -> Bool {
    isRegister ? found.immediate == 0 : found.source == 0
  }
}
