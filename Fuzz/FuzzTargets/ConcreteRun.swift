import BPFAnalysis
import BPFObject
import Base
import KernelABI

/// Runs a program with numbers, as a kernel that has verified it would, and holds each read of the kernel's memory and each
/// call that lockdown forbids against the report.
///
/// It knows few instructions, and ends where the verifier would refuse the program or where it knows no better: what it
/// sees on the way there happens, so the analysis must have said it. Nothing of the analysis is used for it.
struct ConcreteRun {
  /// What a register or eight bytes of stack hold.
  private enum Value: Equatable {
    case number(UInt64)
    case context
    /// A pointer to a structure of the kernel.
    case kernel
    /// The address of a map, by its index.
    case map(Int)
    /// An address in a map's first value.
    case mapValue(Int, offset: UInt64)
    /// Memory of which nothing is known but that it is the program's.
    case memory
    /// Bytes from the top of a frame's stack.
    case stack(frame: Int, offset: Int)
  }

  private struct Frame {
    var registers = [Value?](repeating: nil, count: 11)
    /// By offset from the top; eight bytes each.
    var slots: [Int: Value] = [:]
    var returnTo = 0
  }

  private static let stepLimit = 400
  private static let frameLimit = 8

  private let report: ProgramReport
  private let code: [UInt8]
  private let maps: [LinkedMap]
  /// Instructions that the kernel rewrites: what they do is not known here.
  private let rewritten: Set<Int>
  private let contextHoldsPointers: Bool
  private var entropy: UInt64
  private var frames: [Frame]
  private var index = 0

  static func check(
    _ report: ProgramReport, of program: LinkedProgram, maps: [LinkedMap], seed: UInt8
  ) throws(BrokenPromise) {
    guard report.unfollowed.isEmpty else { return }
    for round in 0..<4 {
      var run = ConcreteRun(report, program, maps, seed: UInt64(seed) << 8 | UInt64(round))
      var steps = 0
      while steps < stepLimit, try run.step() { steps += 1 }
    }
  }

  private init(_ report: ProgramReport, _ program: LinkedProgram, _ maps: [LinkedMap], seed: UInt64) {
    self.report = report
    code = program.instructions
    self.maps = maps
    let size = max(16, Int(program.coreRelocationRecordSize))
    let records = stride(from: 0, to: program.coreRelocations.count, by: size).map { start in
      program.coreRelocations[start..<start + 4].reversed().reduce(0) { $0 << 8 | Int($1) } / 8
    }
    rewritten = Set(records)
    contextHoldsPointers = [ProgramType.tracing, .lsm, .structOps, .ext, .netfilter].contains(program.kind.type)
    entropy = seed &* 0x9e37_79b9_7f4a_7c15
    var first = Frame()
    first.registers[1] = .context
    first.registers[10] = .stack(frame: 0, offset: 0)
    frames = [first]
  }

  // MARK: - One instruction

  private struct Fields {
    let opcode: UInt8
    let destination: Int
    let source: Int
    let offset: Int
    let immediate: Int64
  }

  private func fields(_ index: Int) -> Fields? {
    let start = index * 8
    guard index >= 0, start + 8 <= code.count else { return nil }
    let immediate = code[start + 4..<start + 8].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return Fields(
      opcode: code[start], destination: Int(code[start + 1] & 15), source: Int(code[start + 1] >> 4),
      offset: Int(Int16(truncatingIfNeeded: Int(code[start + 2]) | Int(code[start + 3]) << 8)),
      immediate: Int64(Int32(bitPattern: immediate)))
  }

  /// - Returns: false where the run ends.
  private mutating func step() throws(BrokenPromise) -> Bool {
    guard let found = fields(index), found.destination <= 10, found.source <= 10, !rewritten.contains(index) else {
      return false
    }
    switch InstructionClass(rawValue: found.opcode & 7) {
    case .ld: return loadImmediate(found)
    case .ldx: return try load(found)
    case .st, .stx: return store(found)
    case .alu, .alu64: return compute(found)
    case .jmp, .jmp32: return try jump(found)
    case nil: return false
    }
  }

  private subscript(register: Int) -> Value? {
    get { frames[frames.count - 1].registers[register] }
    set { frames[frames.count - 1].registers[register] = newValue }
  }

  private mutating func anyNumber() -> UInt64 {
    entropy = entropy &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return entropy >> 61 == 0 ? 0 : entropy >> 32
  }

  private mutating func loadImmediate(_ found: Fields) -> Bool {
    guard found.opcode == 0x18, found.destination < 10, found.offset == 0, let next = fields(index + 1),
      next.opcode == 0, next.destination == 0, next.source == 0, next.offset == 0
    else { return false }
    let low = UInt64(truncatingIfNeeded: found.immediate) & 0xffff_ffff
    let high = UInt64(truncatingIfNeeded: next.immediate) & 0xffff_ffff
    let pseudo = PseudoLoad(rawValue: UInt8(found.source))
    if found.source == 0 {
      self[found.destination] = .number(low | high << 32)
    } else if pseudo == .mapIndex, low < UInt64(maps.count) {
      self[found.destination] = .map(Int(low))
    } else if pseudo == .mapIndexValue, low < UInt64(maps.count) {
      self[found.destination] = .mapValue(Int(low), offset: high)
    } else {
      return false
    }
    index += 2
    return true
  }

  private static func size(_ opcode: UInt8) -> Int { [4, 2, 1, 8][Int(opcode >> 3 & 3)] }

  private mutating func load(_ found: Fields) throws(BrokenPromise) -> Bool {
    guard found.opcode & 0xe0 == 0x60, found.destination < 10, found.immediate == 0, let base = self[found.source]
    else {
      return false
    }
    let size = Self.size(found.opcode)
    switch base {
    case .kernel, .map:
      try require(
        report.kernelReads.contains { $0.means == .pointer && $0.instruction == index },
        "instruction \(index) reads the kernel through a pointer, and the report does not say so")
      self[found.destination] = size == 8 && base == .kernel ? .kernel : .number(anyNumber())
    case .context:
      guard found.offset >= 0, found.offset.isMultiple(of: size) else { return false }
      if contextHoldsPointers {
        guard size == 8 else { return false }
        self[found.destination] = .kernel
      } else {
        self[found.destination] = .number(anyNumber())
      }
    case .stack(let frame, let offset):
      let place = offset + found.offset
      guard size == 8, frame < frames.count, let value = frames[frame].slots[place] else { return false }
      self[found.destination] = value
    case .mapValue(let map, let offset):
      guard let number = constant(map, offset, found.offset, size) else { return false }
      self[found.destination] = .number(number)
    case .memory: self[found.destination] = .number(anyNumber())
    case .number: return false
    }
    index += 1
    return true
  }

  /// What is at a place in a map's first value; nil where there is nothing.
  private mutating func constant(_ map: Int, _ start: UInt64, _ offset: Int, _ size: Int) -> UInt64? {
    guard let start = Int(exactly: start), start < 1 << 32, start + offset >= 0 else { return nil }
    let place = start + offset
    let value = maps[map].initialValue
    guard place + size <= Int(maps[map].valueSize), place.isMultiple(of: size) else { return nil }
    guard maps[map].isFrozen, place + size <= value.count else { return anyNumber() }
    return value[place..<place + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private mutating func store(_ found: Fields) -> Bool {
    guard found.opcode & 0xe0 == 0x60, let base = self[found.destination] else { return false }
    let isRegister = found.opcode & 7 == 3
    guard isRegister ? found.immediate == 0 : found.source == 0,
      let value = isRegister ? self[found.source] : .number(UInt64(bitPattern: found.immediate))
    else { return false }
    let size = Self.size(found.opcode)
    switch base {
    case .stack(let frame, let offset):
      let place = offset + found.offset
      guard size == 8, frame < frames.count, place.isMultiple(of: 8), place >= -512, place < 0 else { return false }
      // Nobody may find an address in a stack that is gone.
      if case .stack(let other, _) = value, other > frame { return false }
      frames[frame].slots[place] = value
    case .memory:
      guard case .number = value else { return false }
    case .number, .context, .kernel, .map, .mapValue: return false
    }
    index += 1
    return true
  }

  private mutating func compute(_ found: Fields) -> Bool {
    let is64 = found.opcode & 7 == InstructionClass.alu64.rawValue
    let isRegister = found.opcode & OperandSource.register.rawValue != 0
    guard found.destination < 10, found.offset == 0, isRegister ? found.immediate == 0 : found.source == 0,
      let right = isRegister ? self[found.source] : .number(UInt64(bitPattern: found.immediate)),
      let operation = ArithmeticOperation(rawValue: found.opcode & 0xf0)
    else { return false }
    if operation == .mov {
      if is64 {
        self[found.destination] = right
      } else {
        guard case .number(let number) = right else { return false }
        self[found.destination] = .number(number & 0xffff_ffff)
      }
      index += 1
      return true
    }
    guard let left = self[found.destination], let result = Self.result(operation, left, right, is64: is64) else {
      return false
    }
    self[found.destination] = result
    index += 1
    return true
  }

  /// Nil for what the verifier does not let a program do with pointers, and for operations that are not known here.
  private static func result(_ operation: ArithmeticOperation, _ left: Value, _ right: Value, is64: Bool) -> Value? {
    if case .number(let one) = left, case .number(let other) = right {
      let (one, other) = is64 ? (one, other) : (one & 0xffff_ffff, other & 0xffff_ffff)
      let shift = other & (is64 ? 63 : 31)
      let number: UInt64
      switch operation {
      case .add: number = one &+ other
      case .sub: number = one &- other
      case .mul: number = one &* other
      case .div: number = other == 0 ? 0 : one / other
      case .or: number = one | other
      case .and: number = one & other
      case .lsh: number = one << shift
      case .rsh: number = one >> shift
      case .mod: number = other == 0 ? one : one % other
      case .xor: number = one ^ other
      case .neg, .mov, .arsh, .end: return nil
      }
      return .number(is64 ? number : number & 0xffff_ffff)
    }
    guard is64, operation == .add || operation == .sub else { return nil }
    if operation == .add, case .number = left { return result(.add, right, left, is64: true) }
    guard case .number(let number) = right, let distance = Int(exactly: Int64(bitPattern: number)),
      abs(distance) < 1 << 28
    else { return nil }
    let moved = operation == .add ? distance : -distance
    switch left {
    case .stack(let frame, let offset): return .stack(frame: frame, offset: offset + moved)
    case .mapValue(let map, let offset): return .mapValue(map, offset: offset &+ UInt64(bitPattern: Int64(moved)))
    case .kernel, .memory: return left
    // The context's address may only be moved by what instructions say; a map's not at all.
    case .number, .context, .map: return nil
    }
  }

  // MARK: - Ways

  private mutating func jump(_ found: Fields) throws(BrokenPromise) -> Bool {
    let is64 = found.opcode & 7 == InstructionClass.jmp.rawValue
    let isRegister = found.opcode & OperandSource.register.rawValue != 0
    guard let operation = JumpOperation(rawValue: found.opcode & 0xf0) else { return false }
    switch operation {
    case .ja:
      guard !isRegister, found.destination == 0, found.source == 0 else { return false }
      guard is64 ? found.immediate == 0 : found.offset == 0 else { return false }
      index += 1 + (is64 ? found.offset : Int(found.immediate))
      return true
    case .call:
      guard is64, !isRegister, found.destination == 0, found.offset == 0 else { return false }
      return try call(found)
    case .exit:
      guard is64, !isRegister, found.destination == 0, found.source == 0, found.offset == 0, found.immediate == 0,
        frames.count > 1, let result = self[0]
      else { return false }
      let place = frames.removeLast().returnTo
      // An address in a stack that is gone cannot be returned.
      if case .stack = result { return false }
      for register in 1...5 { self[register] = nil }
      self[0] = result
      index = place
      return true
    case .jeq, .jgt, .jge, .jset, .jne, .jsgt, .jsge, .jlt, .jle, .jslt, .jsle, .jcond:
      guard isRegister ? found.immediate == 0 : found.source == 0,
        case .number(let left)? = self[found.destination],
        case .number(let right)? = isRegister ? self[found.source] : .number(UInt64(bitPattern: found.immediate)),
        let isTaken = Self.isTaken(operation, left, right, is64: is64)
      else { return false }
      index += 1 + (isTaken ? found.offset : 0)
      return true
    }
  }

  private static func isTaken(_ operation: JumpOperation, _ left: UInt64, _ right: UInt64, is64: Bool) -> Bool? {
    let (left, right) = is64 ? (left, right) : (left & 0xffff_ffff, right & 0xffff_ffff)
    let signed = { (number: UInt64) in is64 ? Int64(bitPattern: number) : Int64(Int32(truncatingIfNeeded: number)) }
    return switch operation {
    case .jeq: left == right
    case .jgt: left > right
    case .jge: left >= right
    case .jset: left & right != 0
    case .jne: left != right
    case .jsgt: signed(left) > signed(right)
    case .jsge: signed(left) >= signed(right)
    case .jlt: left < right
    case .jle: left <= right
    case .jslt: signed(left) < signed(right)
    case .jsle: signed(left) <= signed(right)
    case .ja, .call, .exit, .jcond: nil
    }
  }

  private mutating func call(_ found: Fields) throws(BrokenPromise) -> Bool {
    if PseudoCall(rawValue: UInt8(found.source)) == .function { return callFunction(found) }
    guard found.source == 0, let helper = Helper(called: UInt32(truncatingIfNeeded: found.immediate)) else {
      return false
    }
    if let reason = LockdownRestriction.reason(ofCalling: helper.rawValue) {
      try require(
        report.restrictions.contains { $0.reason == reason && $0.helper?.instructions.contains(index) == true },
        "instruction \(index) is reached, and lockdown forbids it, which the report does not say")
    }
    guard let result = result(of: helper) else { return false }
    for register in 1...5 { self[register] = nil }
    self[0] = result
    index += 1
    return true
  }

  private static let numberHelpers: Set<Helper> = [
    .ktimeGetNs, .getPrandomU32, .getSmpProcessorId, .probeReadKernel, .probeRead, .probeReadUser, .probeWriteUser,
  ]

  /// What a helper returns; nil for those that are not known here, and for arguments that the verifier refuses.
  private mutating func result(of helper: Helper) -> Value? {
    if helper == .getCurrentTaskBtf { return .kernel }
    if Self.numberHelpers.contains(helper) { return .number(anyNumber()) }
    guard helper == .mapLookupElem, case .map(let map)? = self[1], case .stack? = self[2] else { return nil }
    guard anyNumber() & 1 == 0 else { return .number(0) }
    return maps[map].type == .arrayOfMaps || maps[map].type == .hashOfMaps ? .map(map) : .memory
  }

  private mutating func callFunction(_ found: Fields) -> Bool {
    guard frames.count < Self.frameLimit else { return false }
    var frame = Frame()
    for register in 1...5 { frame.registers[register] = self[register] }
    frame.registers[10] = .stack(frame: frames.count, offset: 0)
    frame.returnTo = index + 1
    frames.append(frame)
    index += 1 + Int(found.immediate)
    return true
  }
}
