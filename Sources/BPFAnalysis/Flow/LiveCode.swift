internal import BPFObject
internal import Base

/// The instructions that the verifier visits because a constant of the object does not rule them out.
///
/// The verifier takes what a frozen map holds (`.rodata`) for constants, follows only the branch that they leave, and never
/// looks at the others (kernel/bpf/verifier.c, bpf_map_direct_read and is_branch_taken): a helper that is called there
/// alone is not refused. Here the same is done with less: what the kernel changes in a program (CO-RE, its own symbols),
/// what was on the stack and what several ways lead to with different values is not known, and then both branches are
/// followed. Every function that is called anywhere counts as called, because kernels before 6.8 verify global ones
/// whether they are reached or not. So nothing is missed that some kernel visits.
struct LiveCode {
  /// What is known of a register.
  private enum Value: Equatable {
    case unknown
    case constant(UInt64)
    /// A place in a map whose contents are fixed: its index and an offset in bytes.
    case fixed(map: Int, offset: UInt64)
  }

  /// Larger programs are taken to be live as a whole: what is known costs memory for each instruction.
  private static let followedCount = 1 << 16

  private let code: [UInt8]
  private let count: Int
  private let maps: [LinkedMap]
  private let configurationMap: Int?
  /// Instructions that the kernel rewrites when it loads the program.
  private var rewritten: Set<Int>
  private var states: [[Value]?]
  private var work: [Int] = []

  /// Whether everything is taken to be live.
  private let isWhole: Bool

  /// Finds the live code of a linked program.
  ///
  /// - Parameter isFollowed: whether every instruction's effects are known; otherwise all code is live.
  init(_ program: LinkedProgram, in object: LinkedObject, isFollowed: Bool) {
    code = program.instructions
    count = min(code.count / Instruction.size, Self.followedCount + 1)
    maps = object.maps
    configurationMap = object.configurationMap
    rewritten = Set(program.externUses.map(\.instruction))
    states = Array(repeating: nil, count: count)
    let records = program.coreRelocations.rawSpan
    for record in stride(from: 0, to: records.byteCount, by: max(16, Int(program.coreRelocationRecordSize))) {
      if let offset = try? records.u32(at: record) { rewritten.insert(Int(offset) / Instruction.size) }
    }
    isWhole = !isFollowed || count > Self.followedCount
    guard !isWhole else { return }
    let unknown = [Value](repeating: .unknown, count: 16)
    reach(0, unknown)
    for index in 0..<count {
      guard let found = instruction(at: index) else { continue }
      let isCall = found.opcode == Instruction.call && found.sourceField == Instruction.Call.function
      let isCallback = found.opcode == Instruction.loadImmediate64 && found.sourceField == Instruction.Load.function
      if isCall || isCallback { reach(index + 1 + Int(found.immediate), unknown) }
    }
    // A register only ever goes from known to unknown, so every instruction is visited a few times at most.
    while let index = work.popLast() {
      guard index < count, let state = states[index] else { continue }
      step(index, state)
    }
  }

  /// Whether an instruction is visited.
  func contains(_ index: Int) -> Bool {
    isWhole || index < 0 || index >= count || states[index] != nil
  }

  private func instruction(at index: Int) -> Instruction? { Instruction(at: index, in: code.rawSpan) }

  /// Another way leads to an instruction.
  private mutating func reach(_ index: Int, _ state: [Value]) {
    guard index >= 0, index < count else { return }
    var joined = state
    if let known = states[index] {
      for register in joined.indices where joined[register] != known[register] { joined[register] = .unknown }
      guard joined != known else { return }
    }
    states[index] = joined
    work.append(index)
  }

  private mutating func step(_ index: Int, _ before: [Value]) {
    // What cannot be read leads anywhere.
    guard let found = instruction(at: index) else { return reach(index + 1, before) }
    var after = before
    switch found.opcode & 7 {
    case 0:  // LD
      guard found.opcode == Instruction.loadImmediate64 else {
        for register in 0...5 { after[register] = .unknown }  // packet loads of old
        break
      }
      after[found.destination] = wideImmediate(index, found)
      return reach(index + 2, after)
    case 1: after[found.destination] = loaded(index, found, before)  // LDX
    case 3:  // STX: an atomic operation may put what was there into its source, or into R0
      if found.opcode & 0xe0 == 0xc0 {
        after[found.source] = .unknown
        after[0] = .unknown
      }
    case 5, 6: return jump(index, found, after)  // JMP, JMP32
    case 4, 7: after[found.destination] = rewritten.contains(index) ? .unknown : computed(found, before)
    default: break
    }
    reach(index + 1, after)
  }

  private func wideImmediate(_ index: Int, _ found: Instruction) -> Value {
    guard !rewritten.contains(index), let next = instruction(at: index + 1) else { return .unknown }
    switch found.sourceField {
    case Instruction.Load.value:
      return .constant(UInt64(UInt32(bitPattern: found.immediate)) | UInt64(UInt32(bitPattern: next.immediate)) << 32)
    case Instruction.Load.mapIndexValue:
      return .fixed(map: Int(found.immediate), offset: UInt64(UInt32(bitPattern: next.immediate)))
    default: return .unknown
    }
  }

  /// What a load brings, when it is from a place that nobody can write to.
  private func loaded(_ index: Int, _ found: Instruction, _ state: [Value]) -> Value {
    guard !rewritten.contains(index), found.opcode & 0xe0 == 0x60,
      case .fixed(let map, let start) = state[found.source], map >= 0, map < maps.count, map != configurationMap
    else { return .unknown }
    // A map that is shared by its name may have been filled by another object.
    guard maps[map].isFrozen, !maps[map].pinsByName, let offset = Int(exactly: start) else { return .unknown }
    let (at, overflow) = offset.addingReportingOverflow(found.offset)
    guard !overflow else { return .unknown }
    let contents = maps[map].initialValue
    let bytes = contents.rawSpan
    do throws(ByteError) {
      switch found.opcode & 0x18 {
      case 0x00: return .constant(UInt64(try bytes.u32(at: at)))
      case 0x08: return .constant(UInt64(try bytes.u16(at: at)))
      case 0x10: return .constant(UInt64(try bytes.u8(at: at)))
      default: return .constant(try bytes.u64(at: at))
      }
    } catch {
      return .unknown
    }
  }

  private func computed(_ found: Instruction, _ state: [Value]) -> Value {
    let is64 = found.opcode & 7 == 7
    let isRegister = found.opcode & 8 != 0
    let operation = found.opcode & 0xf0
    // The offset says that a move or a division is a signed one.
    guard found.offset == 0 else { return .unknown }
    if operation == 0xb0, isRegister, is64 { return state[found.source] }
    let operand: UInt64
    if isRegister {
      guard case .constant(let value) = state[found.source] else { return .unknown }
      operand = value
    } else {
      operand = Self.extended(found.immediate)
    }
    if operation == 0xb0 { return .constant(is64 ? operand : operand & 0xffff_ffff) }
    if case .fixed(let map, let offset) = state[found.destination], operation == 0, is64 {
      return .fixed(map: map, offset: offset &+ operand)
    }
    guard case .constant(let value) = state[found.destination] else { return .unknown }
    let shift = operand & (is64 ? 63 : 31)
    let low = is64 ? value : value & 0xffff_ffff
    let result: UInt64
    switch operation {
    case 0x00: result = value &+ operand
    case 0x10: result = value &- operand
    case 0x40: result = value | operand
    case 0x50: result = value & operand
    case 0x60: result = low << shift
    case 0x70: result = low >> shift
    case 0xa0: result = value ^ operand
    default: return .unknown
    }
    return .constant(is64 ? result : result & 0xffff_ffff)
  }

  private mutating func jump(_ index: Int, _ found: Instruction, _ state: [Value]) {
    switch found.opcode & 0xf0 {
    case 0x90: return  // EXIT
    case 0x80:  // CALL
      var after = state
      for register in 0...5 { after[register] = .unknown }
      return reach(index + 1, after)
    case 0x00:  // JA, of which the 32-bit form has its distance in the immediate
      let distance = found.opcode & 7 == 6 ? Int(found.immediate) : found.offset
      return reach(index + 1 + distance, state)
    default:
      let taken = rewritten.contains(index) ? nil : isTaken(found, state)
      if taken != true { reach(index + 1, state) }
      if taken != false { reach(index + 1 + found.offset, state) }
    }
  }

  /// Whether a conditional jump is taken; nil when that is not known.
  private func isTaken(_ found: Instruction, _ state: [Value]) -> Bool? {
    guard case .constant(var left) = state[found.destination] else { return nil }
    var right = Self.extended(found.immediate)
    if found.opcode & 8 != 0 {
      guard case .constant(let value) = state[found.source] else { return nil }
      right = value
    }
    var (signedLeft, signedRight) = (Int64(bitPattern: left), Int64(bitPattern: right))
    if found.opcode & 7 == 6 {
      (left, right) = (left & 0xffff_ffff, right & 0xffff_ffff)
      signedLeft = Int64(Int32(truncatingIfNeeded: left))
      signedRight = Int64(Int32(truncatingIfNeeded: right))
    }
    switch found.opcode & 0xf0 {
    case 0x10: return left == right
    case 0x20: return left > right
    case 0x30: return left >= right
    case 0x40: return left & right != 0
    case 0x50: return left != right
    case 0x60: return signedLeft > signedRight
    case 0x70: return signedLeft >= signedRight
    case 0xa0: return left < right
    case 0xb0: return left <= right
    case 0xc0: return signedLeft < signedRight
    case 0xd0: return signedLeft <= signedRight
    default: return nil
    }
  }

  /// An immediate as 64-bit operations take it.
  private static func extended(_ immediate: Int32) -> UInt64 {
    UInt64(bitPattern: Int64(immediate))
  }
}
