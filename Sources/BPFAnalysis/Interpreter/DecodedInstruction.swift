internal import BPFObject
internal import Base
internal import KernelABI

/// What one slot of a program does, taken apart once; everything else in this module works on this form.
///
/// A list of what is allowed: an opcode, a mode, a source field or a field that today's kernels want to be zero, and that
/// is not here, decodes to ``unknown`` or ``unfollowed(_:)``, and the worst is assumed of the whole program. Source:
/// Documentation/bpf/standardization/instruction-set.rst of Linux 6.18 and the checks of kernel/bpf/verifier.c.
enum DecodedInstruction: Equatable {
  /// Where a load or store goes: a register's value plus an offset in bytes.
  struct Place: Equatable {
    let base: Int
    let offset: Int
    let size: AccessSize
  }

  /// The second operand of an operation.
  enum Operand: Equatable {
    /// With its sign extended to 64 bits.
    case constant(Int64)
    case register(Int)
  }

  /// What is valid and changes values in ways that are not followed.
  enum Unfollowed: Hashable {
    case addressSpaceCast
    case indirectJump
    case indirectCall
  }

  case loadNumber(Int, UInt64)
  /// A map's address, by its index in `fd_array`.
  case loadMap(Int, map: Int)
  /// The address of a byte in a map's first value.
  case loadMapValue(Int, map: Int, offset: UInt64)
  /// The address of a variable of the kernel.
  case loadKernelVariable(Int)
  /// The address of a function of the program's own: the slot that it starts at.
  case loadFunction(Int, entry: Int)
  /// Bytes of the packet, into r0.
  case loadPacket
  case load(Int, Place, extendsSign: Bool)
  case store(Operand, Place)
  case atomic(AtomicOperation, Int, Place)
  /// - bits: how many are taken; 64 for all, and fewer with the sign extended when `extendsSign`, else with zeros.
  case move(Int, Operand, bits: Int, extendsSign: Bool)
  case compute(ArithmeticOperation, Int, Operand, is64: Bool, isSigned: Bool)
  case jump(target: Int)
  /// A jump that is taken once the program has gone on for too long (may_goto).
  case mayJump(target: Int)
  case branch(JumpOperation, Int, Operand, is64: Bool, target: Int)
  case callHelper(UInt32)
  /// The slot that the function starts at.
  case callFunction(entry: Int)
  case callKernelFunction
  case exit
  /// The second half of a 64-bit load.
  case secondSlot
  case unfollowed(Unfollowed)
  /// No form that is known here.
  case unknown

  /// The number of the frame pointer, which is never written to and behind which there is no register.
  static let framePointer = 10

  /// Takes a program apart, slot by slot.
  ///
  /// What refers to a function or variable of the kernel is told by the program's list of them: until the running kernel was
  /// asked, such instructions look like calls of the program's own and like plain numbers.
  static func all(of program: LinkedProgram) -> [DecodedInstruction] {
    // Whatever it is made of: nobody can tell before it is linked.
    guard program.linkError == nil else { return [.unknown] }
    let code = program.instructions.rawSpan
    var decoded: [DecodedInstruction] = []
    decoded.reserveCapacity(code.byteCount / Instruction.size)
    while let found = Instruction(at: decoded.count, in: code) {
      let index = decoded.count
      let isWide = found.opcode == Opcode.loadImmediate64.rawValue
      decoded.append(DecodedInstruction(found, at: index, next: isWide ? Instruction(at: index + 1, in: code) : nil))
      // Whatever its source field says, the opcode takes two slots.
      if isWide, (index + 2) * Instruction.size <= code.byteCount { decoded.append(.secondSlot) }
    }
    for use in program.externUses where decoded.indices.contains(use.instruction) {
      switch decoded[use.instruction] {
      case .callFunction, .callKernelFunction, .callHelper: decoded[use.instruction] = .callKernelFunction
      case .loadNumber(let register, _), .loadKernelVariable(let register), .loadMapValue(let register, _, _),
        .loadMap(let register, _), .loadFunction(let register, _):
        decoded[use.instruction] = .loadKernelVariable(register)
      case .loadPacket, .load, .store, .atomic, .move, .compute, .jump, .mayJump, .branch, .exit, .secondSlot,
        .unfollowed, .unknown:
        decoded[use.instruction] = .unknown
      }
    }
    return decoded
  }

  /// - Parameters:
  ///   - index: its slot, from which distances are counted.
  ///   - next: the slot behind the instruction, which belongs to a 64-bit load.
  init(_ found: Instruction, at index: Int, next: Instruction?) {
    guard found.destination <= Self.framePointer, found.source <= Self.framePointer else {
      self = .unknown
      return
    }
    let opcode = Opcode(rawValue: found.opcode)
    let form: DecodedInstruction? =
      switch opcode.instructionClass {
      case .ld: Self.immediateOrPacketLoad(found, opcode, index, next)
      case .ldx: Self.memoryLoad(found, opcode)
      case .st: Self.immediateStore(found, opcode)
      case .stx: Self.registerStore(found, opcode)
      case .alu: Self.arithmetic(found, opcode, is64: false)
      case .alu64: Self.arithmetic(found, opcode, is64: true)
      case .jmp: Self.jump(found, opcode, index)
      case .jmp32: Self.jump32(found, opcode, index)
      }
    self = form ?? .unknown
  }

  /// BPF_LD: 64-bit immediates, and the packet loads of classic BPF.
  private static func immediateOrPacketLoad(
    _ found: Instruction, _ opcode: Opcode, _ index: Int, _ next: Instruction?
  ) -> DecodedInstruction? {
    switch opcode.mode {
    case .immediate:
      guard opcode.size == .doubleWord, found.destination < framePointer, found.offset == 0, let next,
        next.opcode == 0, next.destination == 0, next.source == 0, next.offset == 0
      else { return nil }
      let (low, high) = (UInt64(UInt32(bitPattern: found.immediate)), UInt64(UInt32(bitPattern: next.immediate)))
      switch PseudoLoad(rawValue: found.sourceField) {
      case .btfID: return .loadKernelVariable(found.destination)
      case .function: return .loadFunction(found.destination, entry: index + 1 + Int(found.immediate))
      case .mapIndex: return .loadMap(found.destination, map: Int(low))
      case .mapIndexValue: return .loadMapValue(found.destination, map: Int(low), offset: high)
      // The linker writes indexes, so a descriptor's number is none of its own.
      case .mapFD, .mapValue: return nil
      case nil: return found.sourceField == 0 ? .loadNumber(found.destination, low | high << 32) : nil
      }
    case .absolute:
      return opcode.size != .doubleWord && found.destination == 0 && found.source == 0 && found.offset == 0
        ? .loadPacket : nil
    case .indirect:
      return opcode.size != .doubleWord && found.destination == 0 && found.offset == 0 ? .loadPacket : nil
    case .memory, .memorySignExtending, .atomic, nil: return nil
    }
  }

  private static func memoryLoad(_ found: Instruction, _ opcode: Opcode) -> DecodedInstruction? {
    guard found.immediate == 0, found.destination < framePointer else { return nil }
    let place = Place(base: found.source, offset: found.offset, size: opcode.size)
    switch opcode.mode {
    case .memory: return .load(found.destination, place, extendsSign: false)
    case .memorySignExtending:
      return opcode.size == .doubleWord ? nil : .load(found.destination, place, extendsSign: true)
    case .immediate, .absolute, .indirect, .atomic, nil: return nil
    }
  }

  private static func immediateStore(_ found: Instruction, _ opcode: Opcode) -> DecodedInstruction? {
    switch opcode.mode {
    case .memory:
      guard found.source == 0 else { return nil }
      return .store(
        .constant(Int64(found.immediate)), Place(base: found.destination, offset: found.offset, size: opcode.size))
    case .immediate, .absolute, .indirect, .memorySignExtending, .atomic, nil: return nil
    }
  }

  private static func registerStore(_ found: Instruction, _ opcode: Opcode) -> DecodedInstruction? {
    let place = Place(base: found.destination, offset: found.offset, size: opcode.size)
    switch opcode.mode {
    case .memory: return found.immediate == 0 ? .store(.register(found.source), place) : nil
    case .atomic:
      guard let operation = AtomicOperation(rawValue: found.immediate) else { return nil }
      switch operation {
      case .add, .or, .and, .xor: break
      case .fetchAdd, .fetchOr, .fetchAnd, .fetchXor, .exchange:
        // What was there goes into the source.
        guard found.source < framePointer else { return nil }
      case .compareExchange: break
      case .loadAcquire:
        guard found.destination < framePointer else { return nil }
        return .load(
          found.destination, Place(base: found.source, offset: found.offset, size: opcode.size), extendsSign: false)
      case .storeRelease: return .store(.register(found.source), place)
      }
      return opcode.size == .word || opcode.size == .doubleWord ? .atomic(operation, found.source, place) : nil
    case .immediate, .absolute, .indirect, .memorySignExtending, nil: return nil
    }
  }

  private static func arithmetic(_ found: Instruction, _ opcode: Opcode, is64: Bool) -> DecodedInstruction? {
    guard found.destination < framePointer, let operation = opcode.arithmetic else { return nil }
    switch operation {
    case .add, .sub, .mul, .or, .and, .lsh, .rsh, .xor, .arsh, .div, .mod:
      // Signed with offset 1, which only divisions know.
      guard let operand = operand(found, opcode),
        found.offset == 0 || found.offset == 1 && (operation == .div || operation == .mod)
      else { return nil }
      return .compute(operation, found.destination, operand, is64: is64, isSigned: found.offset == 1)
    case .neg:
      guard opcode.source == .constant, found.source == 0, found.offset == 0, found.immediate == 0 else { return nil }
      return .compute(.neg, found.destination, .constant(0), is64: is64, isSigned: false)
    // The operand's bit says the byte order; the unconditional swap of ALU64 has none.
    case .end:
      guard [16, 32, 64].contains(found.immediate), found.source == 0, found.offset == 0,
        !(is64 && opcode.source == .register)
      else { return nil }
      return .compute(.end, found.destination, .constant(Int64(found.immediate)), is64: true, isSigned: false)
    case .mov: return move(found, opcode, is64: is64)
    }
  }

  /// With sign extension from as many bits as the offset says.
  private static func move(_ found: Instruction, _ opcode: Opcode, is64: Bool) -> DecodedInstruction? {
    if is64, opcode.source == .register, found.offset == 1 { return .unfollowed(.addressSpaceCast) }
    guard let operand = operand(found, opcode) else { return nil }
    if found.offset == 0 { return .move(found.destination, operand, bits: is64 ? 64 : 32, extendsSign: false) }
    guard opcode.source == .register, [8, 16, 32].contains(found.offset), is64 || found.offset < 32 else { return nil }
    return .move(found.destination, operand, bits: found.offset, extendsSign: true)
  }

  private static func jump(_ found: Instruction, _ opcode: Opcode, _ index: Int) -> DecodedInstruction? {
    guard let operation = opcode.jump else { return nil }
    let hasNoRegisters = found.destination == 0 && found.source == 0
    switch operation {
    case .ja:
      switch opcode.source {
      case .constant: return hasNoRegisters && found.immediate == 0 ? .jump(target: index + 1 + found.offset) : nil
      case .register: return .unfollowed(.indirectJump)
      }
    case .call:
      switch opcode.source {
      case .constant: return call(found, index)
      case .register: return .unfollowed(.indirectCall)
      }
    case .exit:
      return opcode.source == .constant && hasNoRegisters && found.offset == 0 && found.immediate == 0 ? .exit : nil
    case .jcond:
      return opcode.source == .constant && hasNoRegisters && found.immediate == 0
        ? .mayJump(target: index + 1 + found.offset) : nil
    case .jeq, .jgt, .jge, .jset, .jne, .jsgt, .jsge, .jlt, .jle, .jslt, .jsle:
      return branch(operation, found, opcode, index, is64: true)
    }
  }

  private static func call(_ found: Instruction, _ index: Int) -> DecodedInstruction? {
    guard found.destination == 0 else { return nil }
    switch PseudoCall(rawValue: found.sourceField) {
    case .function: return found.offset == 0 ? .callFunction(entry: index + 1 + Int(found.immediate)) : nil
    // The offset is the module's index in `fd_array`.
    case .kernelFunction: return .callKernelFunction
    case nil:
      return found.sourceField == 0 && found.offset == 0 ? .callHelper(UInt32(bitPattern: found.immediate)) : nil
    }
  }

  /// BPF_JMP32: comparisons of half registers, and a jump whose distance is the immediate.
  private static func jump32(_ found: Instruction, _ opcode: Opcode, _ index: Int) -> DecodedInstruction? {
    guard let operation = opcode.jump else { return nil }
    switch operation {
    case .ja:
      return opcode.source == .constant && found.destination == 0 && found.source == 0 && found.offset == 0
        ? .jump(target: index + 1 + Int(found.immediate)) : nil
    case .jeq, .jgt, .jge, .jset, .jne, .jsgt, .jsge, .jlt, .jle, .jslt, .jsle:
      return branch(operation, found, opcode, index, is64: false)
    case .call, .exit, .jcond: return nil
    }
  }

  private static func branch(
    _ operation: JumpOperation, _ found: Instruction, _ opcode: Opcode, _ index: Int, is64: Bool
  ) -> DecodedInstruction? {
    guard let operand = operand(found, opcode) else { return nil }
    return .branch(operation, found.destination, operand, is64: is64, target: index + 1 + found.offset)
  }

  /// The second operand; nil where the one that is not used is not zero.
  private static func operand(_ found: Instruction, _ opcode: Opcode) -> Operand? {
    switch opcode.source {
    case .constant: found.source == 0 ? .constant(Int64(found.immediate)) : nil
    case .register: found.immediate == 0 ? .register(found.source) : nil
    }
  }
}
