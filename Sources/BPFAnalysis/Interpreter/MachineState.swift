/// What is known of the registers and the running function's stack before an instruction.
struct MachineState {
  /// The number of slots of eight bytes in a function's stack (MAX_BPF_STACK).
  static let slotCount = 64

  private var registers: InlineArray<11, AbstractValue>
  /// By slot, from the top of the stack; empty while nothing was stored there.
  private var slots: [StackValue] = []

  /// A function's first instruction.
  ///
  /// - Parameter arguments: of r1 and the following, five at most; of the others nothing is known.
  init(arguments: [AbstractValue]) {
    registers = InlineArray(repeating: .unknown)
    for (index, argument) in arguments.prefix(5).enumerated() { registers[index + 1] = argument }
    registers[DecodedInstruction.framePointer] = AbstractValue(kinds: .stack, number: .frame(0))
  }

  subscript(register: Int) -> AbstractValue {
    get { registers.indices.contains(register) ? registers[register] : .anything }
    set { if registers.indices.contains(register) { registers[register] = newValue } }
  }

  /// The slot that holds the eight bytes at an offset from the frame pointer; nil where that is no slot.
  static func slot(at offset: Int) -> Int? {
    offset < 0 && offset >= -8 * slotCount && offset & 7 == 0 ? -offset / 8 - 1 : nil
  }

  /// The slots that bytes at an offset from the frame pointer touch.
  static func slots(at offset: Int, count: Int) -> Range<Int> {
    let lowest = max(0, -(offset + count - 1) - 1) / 8
    let highest = (-offset - 1) / 8
    guard offset < 0, lowest < slotCount, lowest <= highest else { return 0..<0 }
    return lowest..<min(highest + 1, slotCount)
  }

  /// What a slot holds.
  func slotValue(_ slot: Int) -> AbstractValue { slots.indices.contains(slot) ? slots[slot].value : .unknown }

  /// What any of the slots may hold; nil when nothing was stored in any.
  var anySlot: AbstractValue? {
    guard var joined = slots.first else { return nil }
    for value in slots.dropFirst() { joined = joined.joined(with: value) }
    return joined.value
  }

  /// Stores a value, of which the number is forgotten: calls may write to the stack.
  mutating func setSlot(_ slot: Int, _ value: AbstractValue) {
    let value = StackValue(value)
    if slots.isEmpty {
      // Slots are unknown until something is stored.
      guard value != .unknown else { return }
      slots = Array(repeating: .unknown, count: Self.slotCount)
    }
    if slots.indices.contains(slot) { slots[slot] = value }
  }

  /// A call may have written to the stack: what is there has the records of what was there, or none.
  ///
  /// - Returns: whether there was anything with records, which the function that was called may have seen.
  mutating func loseRecords() -> Bool {
    var hadRecords = false
    for slot in slots.indices where slots[slot].value.records != .none {
      slots[slot] = slots[slot].joined(with: StackValue(AbstractValue(kinds: [], records: .mixed)))
      hadRecords = true
    }
    return hadRecords
  }

  /// Adds what another way brings.
  ///
  /// - Returns: whether that is anything new.
  mutating func join(_ other: MachineState) -> Bool {
    var isNew = false
    for register in registers.indices where registers[register] != other.registers[register] {
      let joined = registers[register].joined(with: other.registers[register])
      if joined != registers[register] {
        registers[register] = joined
        isNew = true
      }
    }
    guard slots != other.slots else { return isNew }
    if slots.isEmpty { slots = Array(repeating: .unknown, count: Self.slotCount) }
    for slot in slots.indices {
      let joined = slots[slot].joined(with: other.slots.isEmpty ? .unknown : other.slots[slot])
      if joined != slots[slot] {
        slots[slot] = joined
        isNew = true
      }
    }
    return isNew
  }
}
