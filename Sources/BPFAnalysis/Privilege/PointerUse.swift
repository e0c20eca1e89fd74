internal import BPFObject
internal import KernelABI

/// Whether a program does with pointers what the verifier allows only to a process with CAP_PERFMON (kernel/bpf/verifier.c,
/// `allow_ptr_leaks` and `bypass_spec_v1`): subtracting one from another, comparing those that are none of a packet's, moving
/// one by a number in a register, writing one where others read it, returning one.
///
/// All ways are followed at once, over what each register and slot of the stack may be. What callbacks, functions of the
/// kernel and loads from other memory bring counts as a number, as it does for the verifier nearly always.
struct PointerUse {
  /// What a value may be.
  struct Sorts: OptionSet, Equatable {
    let rawValue: UInt8

    static let number = Sorts(rawValue: 1)
    /// An address in a packet, or its end.
    static let packet = Sorts(rawValue: 2)
    static let stack = Sorts(rawValue: 4)
    static let mapValue = Sorts(rawValue: 8)
    static let context = Sorts(rawValue: 16)
    /// A map, a socket, a structure of the kernel, reserved memory.
    static let other = Sorts(rawValue: 32)

    var mayBePointer: Bool { !subtracting(.number).isEmpty }
    /// Of a packet alone, as far as it is a pointer.
    var isOfPacket: Bool { subtracting([.number, .packet]).isEmpty }
  }

  struct State: Equatable {
    var registers: [Sorts] = Array(repeating: .number, count: 11)
    /// By slot of eight bytes, from the top of the stack.
    var slots: [Sorts] = Array(repeating: .number, count: MachineState.slotCount)

    /// Adds what another way brings; returns whether that is anything new.
    mutating func join(_ other: State) -> Bool {
      let before = self
      for index in registers.indices { registers[index].formUnion(other.registers[index]) }
      for index in slots.indices { slots[index].formUnion(other.slots[index]) }
      return self != before
    }
  }

  private let code: [DecodedInstruction]
  private let flow: ControlFlow
  private let type: ProgramType
  private var states: [State?]
  private var pending: RunQueue
  /// What functions return, by their place in the flow.
  private var results: [Sorts]
  /// The first instruction that needs CAP_PERFMON.
  private var first: Int?

  /// The first instruction that needs CAP_PERFMON; nil where none does. A program that takes longer than others are followed is
  /// taken for one that does.
  static func privileged(_ code: [DecodedInstruction], _ flow: ControlFlow, _ type: ProgramType) -> Int? {
    guard flow.stray == nil, code.count <= Interpreter.instructionLimit else { return 0 }
    var use = PointerUse(code, flow, type)
    return use.run() ? use.first : 0
  }

  private init(_ code: [DecodedInstruction], _ flow: ControlFlow, _ type: ProgramType) {
    self.code = code
    self.flow = flow
    self.type = type
    states = Array(repeating: nil, count: flow.runCount)
    pending = RunQueue(count: flow.runCount)
    results = Array(repeating: .number, count: flow.functions.count)
  }

  /// Follows the program until nothing new is found; false when that takes too long.
  private mutating func run() -> Bool {
    var starts = [Int](repeating: 0, count: flow.runCount)
    for (index, run) in flow.runs.enumerated() where run >= 0 { starts[Int(run)] = index }
    var budget = Interpreter.stepLimit * code.count + 1024
    enter(0, [.context])
    for callback in flow.callbacks { enter(callback, []) }
    while true {
      let before = results
      while let run = pending.takeFirst() {
        guard var state = states[run] else { continue }
        var index = starts[run]
        while code.indices.contains(index) {
          budget -= 1
          guard budget > 0 else { return false }
          guard let next = step(index, &state) else { break }
          if flow.runs.indices.contains(next), flow.runs[next] >= 0 {
            reach(next, state)
            break
          }
          index = next
        }
      }
      if results == before { return true }
      for run in states.indices where states[run] != nil { pending.insert(run) }
    }
  }

  private mutating func enter(_ entry: Int, _ arguments: [Sorts]) {
    var state = State()
    for (index, argument) in arguments.prefix(5).enumerated() { state.registers[index + 1] = argument }
    state.registers[DecodedInstruction.framePointer] = .stack
    reach(entry, state)
  }

  private mutating func reach(_ index: Int, _ state: State) {
    guard flow.runs.indices.contains(index), flow.runs[index] >= 0 else { return }
    let run = Int(flow.runs[index])
    if states[run] == nil {
      states[run] = state
      pending.insert(run)
    } else if states[run]?.join(state) == true {
      pending.insert(run)
    }
  }

  private mutating func note(_ index: Int) { first = min(first ?? index, index) }

  /// - Returns: the slot behind the instruction; nil where no way leads there.
  private mutating func step(_ index: Int, _ state: inout State) -> Int? {
    switch code[index] {
    case .loadNumber(let register, _): return set(register, .number, &state, index + 2)
    case .loadMap(let register, _), .loadKernelVariable(let register), .loadFunction(let register, _):
      return set(register, .other, &state, index + 2)
    case .loadMapValue(let register, _, _): return set(register, .mapValue, &state, index + 2)
    case .loadPacket:
      for register in 0...5 { state.registers[register] = .number }
    case .load(let register, let place, _): state.registers[register] = loaded(place, state)
    case .store(let operand, let place): store(index, sorts(operand, state), place, &state)
    case .atomic(let operation, let source, _):
      if state.registers[source].mayBePointer { note(index) }
      switch operation {
      case .fetchAdd, .fetchOr, .fetchAnd, .fetchXor, .exchange: state.registers[source] = .number
      case .compareExchange: state.registers[0] = .number
      case .add, .or, .and, .xor, .loadAcquire, .storeRelease: break
      }
    case .move(let register, let operand, let bits, _):
      let value = sorts(operand, state)
      if bits < 64, value.mayBePointer { note(index) }
      state.registers[register] = bits == 64 ? value : .number
    case .compute(let operation, let register, let operand, let is64, _):
      state.registers[register] = computed(index, operation, state.registers[register], operand, is64: is64, state)
    case .jump(let target):
      reach(target, state)
      return nil
    case .mayJump(let target): reach(target, state)
    case .branch(let operation, let register, let operand, let is64, let target):
      compare(index, operation, state.registers[register], operand, is64: is64, state)
      reach(target, state)
    case .callHelper(let number):
      for register in 1...5 { state.registers[register] = .number }
      state.registers[0] = Self.result(of: number)
    case .callKernelFunction:
      for register in 0...5 { state.registers[register] = .number }
    case .callFunction(let entry):
      enter(entry, (1...5).map { state.registers[$0] })
      for register in 1...5 { state.registers[register] = .number }
      state.registers[0] = results[flow.function(of: entry)]
    case .exit:
      let function = flow.function(of: index)
      // A function hands its result to its caller, the program to the kernel.
      if function == 0, state.registers[0].mayBePointer { note(index) }
      results[function].formUnion(state.registers[0])
      return nil
    case .secondSlot, .unfollowed, .unknown: return nil
    }
    return index + 1
  }

  private func set(_ register: Int, _ sorts: Sorts, _ state: inout State, _ next: Int) -> Int {
    state.registers[register] = sorts
    return next
  }

  private func sorts(_ operand: DecodedInstruction.Operand, _ state: State) -> Sorts {
    switch operand {
    case .register(let register): state.registers[register]
    case .constant: .number
    }
  }

  // MARK: - Memory

  private func loaded(_ place: DecodedInstruction.Place, _ state: State) -> Sorts {
    if place.base == DecodedInstruction.framePointer {
      guard place.size == .doubleWord, let slot = MachineState.slot(at: place.offset) else { return .number }
      return state.slots[slot]
    }
    return state.registers[place.base].contains(.context) ? ContextLayout.sorts(type, place) : .number
  }

  private mutating func store(
    _ index: Int, _ value: Sorts, _ place: DecodedInstruction.Place, _ state: inout State
  ) {
    guard place.base == DecodedInstruction.framePointer else {
      if value.mayBePointer, state.registers[place.base] != .stack { note(index) }
      return
    }
    if place.size == .doubleWord, let slot = MachineState.slot(at: place.offset) {
      state.slots[slot] = value
      return
    }
    for slot in MachineState.slots(at: place.offset, count: place.size.bytes) {
      // Half of a pointer is left then.
      if state.slots[slot].mayBePointer { note(index) }
      state.slots[slot] = .number
    }
  }

  // MARK: - Arithmetic

  /// adjust_reg_min_max_vals, adjust_ptr_min_max_vals and sanitize_ptr_alu. What is prohibited to every process is not noted.
  private mutating func computed(
    _ index: Int, _ operation: ArithmeticOperation, _ value: Sorts, _ operand: DecodedInstruction.Operand, is64: Bool,
    _ state: State
  ) -> Sorts {
    let other = sorts(operand, state)
    guard value.mayBePointer || other.mayBePointer else { return .number }
    switch operation {
    case .add, .sub:
      if value.mayBePointer, other.mayBePointer || !is64 {
        if operation == .sub { note(index) }
        return value.contains(.number) && is64 ? value.union(other) : .number
      }
      guard is64 else { return .number }
      // Where a number in a register moves a pointer, the verifier masks it against speculation, which it can do for addresses
      // in a map's value alone without knowing where in the stack they lead.
      if case .register = operand, !value.union(other).isSubset(of: [.number, .mapValue]) { note(index) }
      return value.union(other).subtracting(.number)
    case .neg, .end:
      note(index)
      return .number
    case .mul, .div, .or, .and, .lsh, .rsh, .mod, .xor, .mov, .arsh: return .number
    }
  }

  /// Pointers of one packet may be compared, and every pointer with nothing (check_cond_jmp_op).
  private mutating func compare(
    _ index: Int, _ operation: JumpOperation, _ value: Sorts, _ operand: DecodedInstruction.Operand, is64: Bool,
    _ state: State
  ) {
    let other = sorts(operand, state)
    guard value.mayBePointer || other.mayBePointer else { return }
    if case .constant(0) = operand, is64, operation == .jeq || operation == .jne { return }
    if is64, value.isOfPacket, other.isOfPacket, value.mayBePointer, other.mayBePointer { return }
    note(index)
  }

  /// What a helper returns (its `ret_type`). The list of helpers is closed, so that every one which returns a pointer is known.
  private static func result(of number: UInt32) -> Sorts {
    if KnownHelper[number]?.traits.contains(.returnsPointer) == true { return .other }
    return Helper(called: number).flatMap { pointers[$0] } ?? .number
  }

  private static let pointers: [Helper: Sorts] = [
    .mapLookupElem: .mapValue, .mapLookupPercpuElem: .mapValue, .getLocalStorage: .mapValue, .skStorageGet: .mapValue,
    .inodeStorageGet: .mapValue, .taskStorageGet: .mapValue, .cgrpStorageGet: .mapValue, .skLookupTcp: .other,
    .skLookupUdp: .other, .skcLookupTcp: .other, .skFullsock: .other, .tcpSock: .other, .getListenerSock: .other,
    .ringbufReserve: .other, .dynptrData: .other,
  ]
}
