internal import BPFObject
internal import KernelABI
internal import Base

/// Follows pointers to kernel structures through a program's registers and stack.
///
/// A register *may* hold such a pointer when on some way through the program it does: what is not known is taken for a
/// pointer, so that no load is missed. What the verifier knows better (that a value is a number, that a branch is never
/// taken) makes some of the loads that are found here harmless.
struct PointerFlow {
  /// What may be where before an instruction.
  fileprivate struct State {
    /// One bit a register: may hold a pointer into the kernel.
    var pointers: UInt16 = 0
    /// One bit a register: may hold the context.
    var context: UInt16 = 0
    /// One bit for each eight bytes of stack, from its top: may hold a pointer.
    var slots: UInt64 = 0
    /// The same for the context.
    var contextSlots: UInt64 = 0
    /// One bit a register: may hold the address of a map, which the kernel lets a program read like a structure of its own
    /// (`struct bpf_map`, Linux 5.9; kernel/bpf/verifier.c, check_ptr_to_map_access).
    var maps: UInt16 = 0
    /// One bit for each eight bytes of stack: may hold the address of a map.
    var mapSlots: UInt64 = 0

    /// Adds what another way brings; whether that is anything new.
    mutating func join(_ other: State) -> Bool {
      let before = self
      pointers |= other.pointers
      context |= other.context
      slots |= other.slots
      contextSlots |= other.contextSlots
      maps |= other.maps
      mapSlots |= other.mapSlots
      return pointers != before.pointers || context != before.context || slots != before.slots
        || contextSlots != before.contextSlots || maps != before.maps || mapSlots != before.mapSlots
    }
  }

  /// What is known of one instruction.
  private struct Place {
    var state = State()
    /// Whether any way leads here.
    var isReached = false
    /// Whether it is a load that may go through a pointer into the kernel.
    var loadsKernel = false
    /// For a call of a helper one bit a register, of those that may hold a pointer then.
    var callPointers: UInt16 = 0
  }

  private let code: [UInt8]
  private let count: Int
  private let contextHoldsPointers: Bool
  private let mapsHoldPointers: Bool
  /// Loads of 64 bits that the kernel's own values are filled into.
  private let externs: Set<Int>
  private var places: [Place] = []
  private var work: [Int] = []
  /// Whether looking into a map may find another map.
  private let findsMaps: Bool
  /// Whether a function's address is taken: a helper may call it.
  private let hasCallbacks: Bool
  /// What was found out on the way and holds for the whole program, so that what was looked at before is looked at again.
  private struct Found: Equatable {
    /// A pointer was written through something else than the frame pointer, so it may come back from anywhere.
    var escapes = false
    /// A function of the program may return a pointer into the kernel.
    var returnsPointer = false
    /// A function of the program may return the address of a map.
    var returnsMap = false
  }
  private var found = Found()
  private var escapes: Bool {
    get { found.escapes }
    set { found.escapes = newValue }
  }
  /// The program was too tangled to follow.
  private var isTangled: Bool
  /// Instructions of which nobody says what they load.
  private let unfollowed: [Int]

  /// - Parameter followed: of the same program. What it does not follow is taken to load at every place.
  init(
    _ program: LinkedProgram, contextHoldsPointers: Bool, mapsHoldPointers: Bool, findsMaps: Bool,
    followed: FollowedProgram
  ) {
    code = program.instructions
    count = program.instructions.count / Instruction.size
    self.contextHoldsPointers = contextHoldsPointers
    self.mapsHoldPointers = mapsHoldPointers
    self.findsMaps = findsMaps
    hasCallbacks = followed.hasCallbacks
    isTangled = !followed.isWhole
    unfollowed = followed.unfollowed.compactMap(\.instruction)
    externs = Set(program.externUses.map(\.instruction))
  }

  /// The indexes of loads that may go through a pointer into the kernel, in their order.
  mutating func loads() -> [Int] {
    guard !isTangled else { return everyLoad }
    // Each time with what the one before found; each of the three things is found once.
    while true {
      let before = found
      places = Array(repeating: Place(), count: count)
      work = []
      // A program that a compiler made takes two or three steps for each instruction.
      var budget = 64 * count + 1024
      reach(0, State(context: 1 << 1))
      while let start = work.popLast() {
        var next: Int? = start
        while let index = next {
          budget -= 1
          guard budget > 0 else {
            isTangled = true
            return everyLoad
          }
          next = step(index, places[index].state)
        }
      }
      if found == before { break }
    }
    return places.indices.filter { places[$0].loadsKernel }
  }

  /// One bit a register, of those that may hold a pointer into the kernel where a helper is called. To be asked after
  /// ``loads()``.
  func pointers(atCall index: Int) -> UInt16 {
    isTangled || !places.indices.contains(index) ? .max : places[index].callPointers
  }

  /// Every load but those from the stack: the answer for a program that is too tangled to follow.
  private var everyLoad: [Int] {
    (0..<count).filter { index in
      guard let instruction = Instruction(at: index, in: code.rawSpan) else { return true }
      return instruction.opcode & 7 == 1 && instruction.source != 10 || unfollowed.contains(index)
    }
  }

  /// Another way leads to an instruction, which is looked at later.
  private mutating func reach(_ index: Int, _ state: State) {
    if let index = enter(index, state) { work.append(index) }
  }

  /// Another way leads to an instruction.
  ///
  /// - Returns: it, when that is anything new.
  private mutating func enter(_ index: Int, _ state: State) -> Int? {
    guard index >= 0, index < count else { return nil }
    let isNew = places[index].state.join(state)
    guard isNew || !places[index].isReached else { return nil }
    places[index].isReached = true
    return index
  }

  /// Looks at an instruction.
  ///
  /// - Returns: the one to look at next, when this one leads there with anything new.
  private mutating func step(_ index: Int, _ before: State) -> Int? {
    guard let instruction = Instruction(at: index, in: code.rawSpan) else { return nil }
    let (opcode, destination, source) = (instruction.opcode, instruction.destination, instruction.source)
    let (offset, immediate) = (instruction.offset, Int(instruction.immediate))
    var after = before
    switch opcode & 7 {
    case 0:  // LD
      guard opcode == Instruction.loadImmediate64 else {
        after.set(0, pointer: false)  // packet loads of old
        break
      }
      after.set(
        destination, pointer: instruction.sourceField == Instruction.Load.btfID || externs.contains(index),
        map: instruction.sourceField == Instruction.Load.mapIndex)
      if instruction.sourceField == Instruction.Load.function {
        // A callback's arguments depend on the helper that calls it; a map is always the first.
        reach(index + 1 + immediate, State(pointers: contextHoldsPointers ? 0x3e : 0, context: 0x3e, maps: 1 << 1))
      }
      return enter(index + 2, after)
    case 1:  // LDX
      load(index, destination, source, offset, isWide: opcode & 0x18 == 0x18, &after)
    case 2:  // ST
      if destination == 10 { after.setSlot(offset, pointer: false, context: false) }
    case 3:  // STX
      store(opcode, destination, source, offset, &after)
    case 5, 6:  // JMP, JMP32
      return jump(index, instruction, after)
    default:  // ALU, ALU64
      compute(opcode, destination, source, &after)
    }
    return enter(index + 1, after)
  }

  private mutating func load(
    _ index: Int, _ destination: Int, _ source: Int, _ offset: Int, isWide: Bool, _ state: inout State
  ) {
    if state.isPointer(source) || state.isMap(source) { places[index].loadsKernel = true }
    guard isWide else { return state.set(destination, pointer: false) }
    // A callback is handed the stack, and what is read out of a map can be on it.
    if state.isMap(source), hasCallbacks { escapes = true }
    if source == 10 {
      return state.set(
        destination, pointer: escapes || state.slotIsPointer(offset), context: state.slotIsContext(offset),
        map: state.slotIsMap(offset))
    }
    // Through a copy of the frame pointer the stack is memory like any other.
    let fromContext = contextHoldsPointers && (state.isContext(source) || state.contextSlots != 0)
    state.set(
      destination,
      pointer: state.isPointer(source) || state.isMap(source) || fromContext || state.slots != 0 || mapsHoldPointers
        || escapes,
      map: state.mapSlots != 0)
  }

  private mutating func store(_ opcode: UInt8, _ base: Int, _ value: Int, _ offset: Int, _ state: inout State) {
    if opcode & 0xe0 == 0xc0 {
      // An atomic operation may leave its operand in memory, and bring back what was there.
      if base != 10, leadsIntoKernel(value, state) { escapes = true }
      if base == 10 {
        state.setSlot(
          offset, pointer: state.slotIsPointer(offset) || state.isPointer(value),
          context: state.slotIsContext(offset) || state.isContext(value),
          map: state.slotIsMap(offset) || state.isMap(value))
      }
      state.set(value, pointer: true, context: true)
      return state.set(0, pointer: true, context: true)
    }
    if base == 10 {
      let isWide = opcode & 0x18 == 0x18
      return state.setSlot(
        offset, pointer: isWide && state.isPointer(value), context: isWide && state.isContext(value),
        map: isWide && state.isMap(value))
    }
    if leadsIntoKernel(value, state) { escapes = true }
  }

  /// Whether the kernel may be read through a register's value, once that is in memory.
  private func leadsIntoKernel(_ register: Int, _ state: State) -> Bool {
    state.isPointer(register) || state.isMap(register) || state.isContext(register) && contextHoldsPointers
  }

  private func compute(_ opcode: UInt8, _ destination: Int, _ source: Int, _ state: inout State) {
    let isRegister = opcode & 8 != 0
    let is64 = opcode & 7 == 7
    switch opcode & 0xf0 {
    case 0xb0:  // MOV; half a pointer is none
      let copies = isRegister && is64
      state.set(
        destination, pointer: copies && state.isPointer(source), context: copies && state.isContext(source),
        map: copies && state.isMap(source))
    case 0x00, 0x10:  // ADD, SUB
      guard isRegister, is64 else { break }
      state.set(
        destination, pointer: state.isPointer(destination) || state.isPointer(source),
        context: state.isContext(destination) || state.isContext(source),
        map: state.isMap(destination) || state.isMap(source))
    default: break
    }
  }

  private mutating func jump(_ index: Int, _ instruction: Instruction, _ state: State) -> Int? {
    let immediate = Int(instruction.immediate)
    switch instruction.opcode & 0xf0 {
    case 0x90:  // EXIT
      if state.isPointer(0) { found.returnsPointer = true }
      if state.isMap(0) { found.returnsMap = true }
      return nil
    case 0x80:  // CALL
      var after = state
      after.pointers &= ~0x3f
      after.context &= ~0x3f
      after.maps &= ~0x3f
      switch instruction.sourceField {
      case Instruction.Call.function:
        // The callee may be passed the address of what is in this frame.
        if state.hasPointerOnStack(contextHoldsPointers) { escapes = true }
        reach(
          index + 1 + immediate,
          State(pointers: state.pointers & 0x3e, context: state.context & 0x3e, maps: state.maps & 0x3e))
        // Which function returns what is not asked, only whether any returns a pointer.
        after.set(0, pointer: found.returnsPointer, context: true, map: found.returnsMap)
      case Instruction.Call.kernelFunction:
        after.set(0, pointer: true)
      default:
        places[index].callPointers |= state.pointers
        if hasCallbacks, state.hasPointerOnStack(contextHoldsPointers) { escapes = true }
        // A helper that is not known may return anything.
        let helper = KnownHelper[UInt32(bitPattern: instruction.immediate)]
        after.set(
          0, pointer: helper?.traits.contains(.returnsPointer) != false,
          map: findsMaps && instruction.immediate == Int32(Helper.mapLookupElem.rawValue))
      }
      return enter(index + 1, after)
    case 0x00:  // JA, of which the 32-bit form has its distance in the immediate
      return enter(index + 1 + (instruction.opcode & 7 == 6 ? immediate : instruction.offset), state)
    default:
      reach(index + 1 + instruction.offset, state)
      return enter(index + 1, state)
    }
  }
}

extension PointerFlow.State {
  fileprivate func isPointer(_ register: Int) -> Bool { pointers & 1 << UInt16(register) != 0 }
  fileprivate func isContext(_ register: Int) -> Bool { context & 1 << UInt16(register) != 0 }
  fileprivate func isMap(_ register: Int) -> Bool { maps & 1 << UInt16(register) != 0 }

  /// Whether anything on this function's stack may lead into the kernel.
  fileprivate func hasPointerOnStack(_ contextHoldsPointers: Bool) -> Bool {
    slots != 0 || mapSlots != 0 || contextHoldsPointers && contextSlots != 0
  }

  fileprivate mutating func set(_ register: Int, pointer: Bool, context isContext: Bool = false, map: Bool = false) {
    let bit = UInt16(1) << UInt16(register)
    pointers = pointer ? pointers | bit : pointers & ~bit
    context = isContext ? context | bit : context & ~bit
    maps = map ? maps | bit : maps & ~bit
  }

  /// The bit of eight bytes of stack; 0 outside of its 512 bytes.
  private static func slot(_ offset: Int) -> UInt64 {
    guard offset < 0, offset >= -512 else { return 0 }
    return 1 << UInt64((-offset - 1) / 8)
  }

  fileprivate func slotIsPointer(_ offset: Int) -> Bool { slots & Self.slot(offset) != 0 }
  fileprivate func slotIsContext(_ offset: Int) -> Bool { contextSlots & Self.slot(offset) != 0 }

  fileprivate func slotIsMap(_ offset: Int) -> Bool { mapSlots & Self.slot(offset) != 0 }

  fileprivate mutating func setSlot(_ offset: Int, pointer: Bool, context isContext: Bool, map: Bool = false) {
    let bit = Self.slot(offset)
    slots = pointer ? slots | bit : slots & ~bit
    contextSlots = isContext ? contextSlots | bit : contextSlots & ~bit
    mapSlots = map ? mapSlots | bit : mapSlots & ~bit
  }
}
