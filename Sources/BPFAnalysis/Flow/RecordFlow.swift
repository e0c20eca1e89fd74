internal import BPFObject
internal import KernelABI
internal import Base

/// Follows addresses of kernel fields that a program computes: a pointer plus the offset that a CO-RE record fills in.
///
/// An address counts as a field's when on every way to an instruction exactly one record went into it, and nothing else
/// but a pointer that nothing was added to since it was read. Everything that is not known to be such an address is none.
struct RecordFlow {
  /// A number or address, as far as records are concerned.
  private struct Value: Equatable {
    /// The record that went into it; nil for none.
    var record: Int?
    /// Several records, or arithmetic beyond adding an offset once: nothing that it leads to has a name.
    var isMixed = false
    /// An address in the program's own stack.
    var isStack = false
    /// The number, where it is one that the program itself says.
    var constant: Int64?
    /// The record of a field's size that it is.
    var sizeRecord: Int?

    /// Whether a reader that finds it in memory misses nothing by taking it for ``unknown``.
    var isPlain: Bool { record == nil && sizeRecord == nil && !isMixed && !isStack }

    static let unknown = Value()
    static let mixed = Value(isMixed: true)

    func joined(_ other: Value) -> Value {
      guard record == other.record, !isMixed, !other.isMixed, isStack == other.isStack else { return .mixed }
      return Value(
        record: record, isStack: isStack, constant: constant == other.constant ? constant : nil,
        sizeRecord: sizeRecord == other.sizeRecord ? sizeRecord : nil)
    }
  }

  private struct State: Equatable {
    var registers = [Value](repeating: .unknown, count: 16)
    /// Eight bytes of stack each, from its top.
    var slots = [Value](repeating: .unknown, count: 64)

    init() { registers[10] = Value(isStack: true) }

    var hasMixedSlot: Bool { slots.contains { $0.isMixed } }

    /// Something is written somewhere on the stack: what was mixed may still be.
    mutating func blurSlots(mixed: Bool = false) {
      for index in slots.indices { slots[index] = mixed || slots[index].isMixed ? .mixed : .unknown }
    }

    func joined(_ other: State) -> State {
      var result = self
      for index in registers.indices { result.registers[index] = registers[index].joined(other.registers[index]) }
      for index in slots.indices { result.slots[index] = slots[index].joined(other.slots[index]) }
      return result
    }

    static func slot(_ offset: Int) -> Int? { offset < 0 && offset >= -512 ? (-offset - 1) / 8 : nil }
  }

  private let code: [UInt8]
  private let count: Int
  /// The records of each instruction, as indexes.
  private var offsetRecords: [Int: Int] = [:]
  private var sizeRecords: [Int: Int] = [:]
  /// Instructions that other records change, or several.
  private var otherRecords: Set<Int> = []
  private let records: [CoreRelocation]
  private var states: [State?]
  private var work: [Int] = []
  /// Something mixed was written to where any load may find it.
  private var escapes = false

  init(_ program: LinkedProgram, records: [CoreRelocation]) {
    code = program.instructions
    count = program.instructions.count / Instruction.size
    self.records = records
    states = []
    var seen: Set<Int> = []
    for (index, record) in records.enumerated() {
      if !seen.insert(record.instruction).inserted {
        otherRecords.insert(record.instruction)
        continue
      }
      switch record.kind {
      case .fieldByteOffset?: offsetRecords[record.instruction] = index
      case .fieldByteSize?: sizeRecords[record.instruction] = index
      default: otherRecords.insert(record.instruction)
      }
    }
    for instruction in otherRecords {
      offsetRecords[instruction] = nil
      sizeRecords[instruction] = nil
    }
  }

  /// What each load, and each call of a helper that copies kernel memory, reads, for those whose address is that of a
  /// field and that stay inside it; by instruction.
  mutating func subjects() -> [Int: String] {
    guard !offsetRecords.isEmpty else { return [:] }
    // Twice at most: the second time with what the first found to escape.
    for _ in 0..<2 {
      let before = escapes
      states = Array(repeating: nil, count: count)
      work = []
      reach(0, State())
      var budget = 64 * count + 1024
      while let index = work.popLast() {
        budget -= 1
        guard budget > 0 else { return [:] }
        step(index)
      }
      if escapes == before { break }
    }
    var subjects: [Int: String] = [:]
    for index in 0..<count {
      guard let state = states[index], let subject = subject(index, state) else { continue }
      subjects[index] = subject
    }
    return subjects
  }

  private func subject(_ index: Int, _ state: State) -> String? {
    guard let fields = Instruction(at: index, in: code.rawSpan) else { return nil }
    switch fields.opcode & 7 {
    case 1:
      let address = state.registers[fields.source]
      guard !address.isMixed, !otherRecords.contains(index) else { return nil }
      if let own = offsetRecords[index] {
        // Of two offsets the second is not counted from the structure's beginning.
        return address.record == nil ? records[own].subject : nil
      }
      guard let record = address.record else { return nil }
      let width = [4, 2, 1, 8][Int(fields.opcode >> 3 & 3)]
      guard fields.offset >= 0, let size = records[record].size, fields.offset + width <= size else { return nil }
      return records[record].subject
    case 5 where fields.opcode == Instruction.call && fields.source == 0:
      let address = state.registers[3]
      let size = state.registers[2]
      guard KnownHelper[UInt32(bitPattern: fields.immediate)]?.traits.contains(.copiesKernel) == true, !address.isMixed,
        let record = address.record
      else { return nil }
      if let sized = size.sizeRecord, records[sized].subject == records[record].subject {
        return records[record].subject
      }
      guard let constant = size.constant, constant >= 0, let limit = records[record].size, constant <= limit else {
        return nil
      }
      return records[record].subject
    default: return nil
    }
  }

  private mutating func reach(_ index: Int, _ state: State) {
    guard index >= 0, index < count else { return }
    let joined = states[index]?.joined(state) ?? state
    guard states[index] != joined else { return }
    states[index] = joined
    work.append(index)
  }

  private mutating func step(_ index: Int) {
    guard let instruction = Instruction(at: index, in: code.rawSpan), var state = states[index] else { return }
    let (opcode, destination, source) = (instruction.opcode, instruction.destination, instruction.source)
    let (offset, immediate) = (instruction.offset, Int(instruction.immediate))
    switch opcode & 7 {
    case 0:
      state.registers[destination] = .unknown
      guard opcode == Instruction.loadImmediate64 else { break }
      if source == 0 { state.registers[destination] = constant(index, nil) }
      if source == Int(Instruction.Load.function) { reach(index + 1 + immediate, State()) }
      return reach(index + 2, state)
    case 1:
      state.registers[destination] = loaded(index, source, offset, isWide: opcode & 0x18 == 0x18, state)
    case 2:
      forget(destination, offset, mixed: false, &state)
    case 3:
      let isAtomic = opcode & 0xe0 == 0xc0
      forget(destination, offset, mixed: isAtomic || !state.registers[source].isPlain, &state)
      if isAtomic {
        // What was in memory comes back, into r0 from a compare-and-exchange; what was in the register may be there.
        if destination == 10, let slot = State.slot(offset) { state.slots[slot] = .mixed }
        state.registers[source] = .mixed
        state.registers[0] = .mixed
      } else if destination == 10, opcode & 0x18 == 0x18, offset & 7 == 0, let slot = State.slot(offset) {
        state.slots[slot] = state.registers[source]
      }
    case 5, 6: return jump(index, opcode, source, offset, immediate, state)
    default:
      compute(index, opcode, destination, source, Int64(immediate), &state)
    }
    reach(index + 1, state)
  }

  /// A number that the instruction says, or that a record fills in.
  private func constant(_ index: Int, _ number: Int64?) -> Value {
    if otherRecords.contains(index) { return .unknown }
    if let record = offsetRecords[index] { return Value(record: record) }
    if let record = sizeRecords[index] { return Value(sizeRecord: record) }
    return Value(constant: number)
  }

  /// Something was written to memory: to the stack, when the register can point there.
  private mutating func forget(_ base: Int, _ offset: Int, mixed: Bool, _ state: inout State) {
    // Through a copy of the frame pointer any slot may be meant.
    guard base == 10 else {
      if mixed { escapes = true }
      return state.blurSlots(mixed: mixed)
    }
    guard let slot = State.slot(offset) else { return }
    state.slots[slot] = .unknown
    if slot > 0 { state.slots[slot - 1] = offset & 7 == 0 ? state.slots[slot - 1] : .unknown }
  }

  private func compute(
    _ index: Int, _ opcode: UInt8, _ destination: Int, _ source: Int, _ immediate: Int64, _ state: inout State
  ) {
    let isRegister = opcode & 8 != 0
    let operand = isRegister ? state.registers[source] : constant(index, immediate)
    let value = state.registers[destination]
    switch opcode & 0xf0 {
    // Half a register, or a part of it with its sign, is another number.
    case 0xb0:
      let isWhole = Instruction(at: index, in: code.rawSpan)?.offset == 0 && (!isRegister || opcode & 7 == 7)
      state.registers[destination] = isWhole ? operand : .mixed
    case 0x00 where value.isStack || operand.isStack, 0x10 where value.isStack || operand.isStack:
      state.registers[destination] = Value(isStack: true)
    case 0x00 where opcode & 7 == 7:
      // Adding an offset that no record stands for leads out of the field, or to where nobody said.
      let adds = operand.record != nil || value.record != nil
      let isPlain = !operand.isMixed && !value.isMixed && (operand.record == nil || value.record == nil)
      guard adds else {
        state.registers[destination] = !operand.isMixed && operand.constant == 0 ? value : .mixed
        return
      }
      let number = operand.record == nil ? operand : value
      guard isPlain, number.sizeRecord == nil, number.constant == nil || number.constant == 0 else {
        state.registers[destination] = .mixed
        return
      }
      state.registers[destination] = Value(record: operand.record ?? value.record)
    default: state.registers[destination] = .mixed
    }
  }

  /// What a load brings.
  private func loaded(_ index: Int, _ base: Int, _ offset: Int, isWide: Bool, _ state: State) -> Value {
    if base == 10 { return isWide ? State.slot(offset).map { state.slots[$0] } ?? .mixed : .unknown }
    // The kernel's memory holds nothing that the program has computed.
    if !state.registers[base].isStack, offsetRecords[index] != nil { return .unknown }
    return escapes || state.registers[base].isStack && state.hasMixedSlot ? .mixed : .unknown
  }

  private mutating func jump(
    _ index: Int, _ opcode: UInt8, _ source: Int, _ offset: Int, _ immediate: Int, _ state: State
  ) {
    switch opcode & 0xf0 {
    case 0x90: return
    case 0x80:
      var after = state
      for register in 0...5 { after.registers[register] = .unknown }
      // Helpers and subprograms write to the stack where they are told to.
      after.blurSlots()
      if source == Int(Instruction.Call.function) {
        // The callee may write to this frame and return what it computed.
        escapes = true
        after.registers[0] = .mixed
        var callee = State()
        for register in 1...5 { callee.registers[register] = state.registers[register] }
        reach(index + 1 + immediate, callee)
      }
      reach(index + 1, after)
    case 0x00: reach(index + 1 + (opcode & 7 == 6 ? immediate : offset), state)
    default:
      reach(index + 1, state)
      reach(index + 1 + offset, state)
    }
  }
}
