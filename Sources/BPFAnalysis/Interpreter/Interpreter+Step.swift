internal import BPFObject
internal import KernelABI

extension Interpreter {
  /// What an instruction does to what is known.
  ///
  /// - Returns: the slot behind it; nil where no way leads there.
  mutating func step(_ index: Int, _ state: inout MachineState) -> Int? {
    let isRewritten = surroundings.rewritten.contains(index)
    switch code[index] {
    case .loadNumber(let register, let number):
      state[register] = filledIn(index) ?? .constant(number)
      return index + 2
    case .loadMap(let register, let map):
      state[register] = AbstractValue(kinds: .map, number: Int32(exactly: map).map { .map($0) } ?? .unknown)
      return index + 2
    case .loadMapValue(let register, let map, let offset):
      let number = Int32(exactly: map).map { AbstractValue.Number.mapValue(map: $0, offset: offset) } ?? .unknown
      state[register] = AbstractValue(number: isRewritten ? .unknown : number)
      return index + 2
    case .loadKernelVariable(let register):
      state[register] = AbstractValue(kinds: .readFromKernel)
      return index + 2
    case .loadFunction(let register, _):
      state[register] = .unknown
      return index + 2
    case .loadPacket:
      for register in 0...5 { state[register] = .unknown }
    case .load(let register, let place, let extendsSign):
      state[register] = loaded(index, place, extendsSign: extendsSign, state)
    case .store(let operand, let place):
      store(index, value(of: operand, index, state), place, &state)
    case .atomic(let operation, let source, let place):
      atomic(index, operation, source, place, &state)
    case .move(let register, let operand, let bits, let extendsSign):
      state[register] = moved(index, operand, bits: bits, extendsSign: extendsSign, state)
    case .compute(let operation, let register, let operand, let is64, let isSigned):
      state[register] = computed(
        operation, state[register], value(of: operand, index, state), is64: is64, isSigned: isSigned,
        isRewritten: isRewritten)
    case .jump(let target):
      reach(target, state)
      return nil
    case .mayJump(let target):
      reach(target, state)
    case .branch(let operation, let register, let operand, let is64, let target):
      let isTaken =
        prunesBranches && !isRewritten
        ? Self.isTaken(operation, state[register], value(of: operand, index, state), is64: is64) : nil
      if isTaken != false { reach(target, state) }
      if isTaken == true { return nil }
    case .callHelper(let number): callHelper(number, &state)
    case .callKernelFunction: callKernelFunction(&state)
    case .callFunction(let entry): callFunction(entry, &state)
    case .exit:
      let place = flow.function(of: index)
      shared.results[place] = shared.results[place].joined(with: state[0].withoutNumber)
      return nil
    // The whole program is taken for the worst, see ``UnfollowedConstruct``.
    case .secondSlot, .unfollowed, .unknown: return nil
    }
    return index + 1
  }

  /// What the kernel fills into an instruction's immediate; nil where it fills in nothing.
  private func filledIn(_ index: Int) -> AbstractValue? {
    if let record = surroundings.fieldOffsets[index] { return AbstractValue(records: .fieldOffset(record)) }
    if let record = surroundings.fieldSizes[index] { return AbstractValue(records: .fieldSize(record)) }
    return surroundings.rewritten.contains(index) ? .unknown : nil
  }

  private func value(of operand: DecodedInstruction.Operand, _ index: Int, _ state: MachineState) -> AbstractValue {
    switch operand {
    case .register(let register): state[register]
    case .constant(let number): filledIn(index) ?? .constant(UInt64(bitPattern: number))
    }
  }

  private func moved(
    _ index: Int, _ operand: DecodedInstruction.Operand, bits: Int, extendsSign: Bool, _ state: MachineState
  ) -> AbstractValue {
    let value = value(of: operand, index, state)
    if bits == 64 { return value }
    // Half a pointer is none, and a part of a number is another number.
    guard !extendsSign, case .constant(let number) = value.number else {
      if case .constant = operand { return AbstractValue(records: value.records) }
      return AbstractValue(records: .mixed)
    }
    return .constant(number & 0xffff_ffff)
  }

  // MARK: - Memory

  /// The slots of the running function's stack that a place lies in; nil where that is not known, or it is not the stack.
  private func frameSlots(_ index: Int, _ place: DecodedInstruction.Place, _ state: MachineState) -> Range<Int>? {
    guard case .frame(let offset) = state[place.base].number, !surroundings.rewritten.contains(index) else {
      return nil
    }
    return MachineState.slots(at: Int(offset) + place.offset, count: place.size.bytes)
  }

  private func loaded(
    _ index: Int, _ place: DecodedInstruction.Place, extendsSign: Bool, _ state: MachineState
  ) -> AbstractValue {
    let base = state[place.base]
    let isRewritten = surroundings.rewritten.contains(index)
    // CO-RE may widen a load.
    guard place.size == .doubleWord || isRewritten else {
      return extendsSign ? .unknown : AbstractValue(number: constant(base, place))
    }
    if let slots = frameSlots(index, place, state) {
      var value: AbstractValue?
      for slot in slots { value = joined(value, state.slotValue(slot)) }
      value = joined(value, shared.unknownSlots)
      // Behind the stack there is nothing that the verifier lets a program read.
      return value ?? .anything
    }
    var value = AbstractValue(kinds: .number, number: isRewritten ? .unknown : constant(base, place))
    if base.kinds.contains(.context) {
      value.kinds.formUnion(surroundings.contextHolds)
      value = joined(value, shared.context) ?? value
    }
    if !base.kinds.isDisjoint(with: .leadIntoKernel) {
      value.kinds.insert(.kernel)
      value = joined(value, shared.kernel) ?? value
    }
    if base.kinds.contains(.memory) {
      value.kinds.formUnion(surroundings.memoryHoldsPointers ? [.memory, .kernel] : .memory)
      value = joined(value, shared.memory) ?? value
    }
    if base.kinds.contains(.stack) {
      value = joined(joined(value, state.anySlot), shared.stack) ?? value
    }
    return value
  }

  private func joined(_ value: AbstractValue?, _ other: AbstractValue?) -> AbstractValue? {
    guard let value else { return other }
    return other.map { value.joined(with: $0) } ?? value
  }

  private mutating func store(
    _ index: Int, _ value: AbstractValue, _ place: DecodedInstruction.Place, _ state: inout MachineState
  ) {
    // Half a pointer is none; where half of a field's address is, nothing has a name.
    let isWhole = place.size == .doubleWord && !surroundings.rewritten.contains(index)
    let stored = isWhole ? value.withoutNumber : AbstractValue(records: value.records == .none ? .none : .mixed)
    if let slots = frameSlots(index, place, state) {
      shared.stack = joined(shared.stack, stored)
      let isAligned = isWhole && slots.count == 1
      for slot in slots { state.setSlot(slot, isAligned ? stored : state.slotValue(slot).joined(with: stored)) }
      return
    }
    let base = state[place.base].kinds
    if base.contains(.stack) {
      shared.stack = joined(shared.stack, stored)
      shared.unknownSlots = joined(shared.unknownSlots, stored)
    }
    if !base.isDisjoint(with: .harmless) { shared.memory = joined(shared.memory, stored) }
    if base.contains(.context) { shared.context = joined(shared.context, stored) }
    if !base.isDisjoint(with: .leadIntoKernel) { shared.kernel = joined(shared.kernel, stored) }
  }

  /// An atomic operation may leave its operand in memory, and bring back what was there.
  private mutating func atomic(
    _ index: Int, _ operation: AtomicOperation, _ source: Int, _ place: DecodedInstruction.Place,
    _ state: inout MachineState
  ) {
    var brought = loaded(index, place, extendsSign: false, state).withoutNumber
    brought.records = .mixed
    let kept = joined(brought, state[source].withoutNumber) ?? brought
    store(index, kept, place, &state)
    switch operation {
    case .fetchAdd, .fetchOr, .fetchAnd, .fetchXor, .exchange: state[source] = brought
    case .compareExchange: state[0] = brought
    case .add, .or, .and, .xor, .loadAcquire, .storeRelease: break
    }
  }
}
