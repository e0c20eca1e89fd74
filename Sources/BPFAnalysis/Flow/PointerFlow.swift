internal import BPFObject
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

    /// Adds what another way brings; whether that is anything new.
    mutating func join(_ other: State) -> Bool {
      let before = self
      pointers |= other.pointers
      context |= other.context
      slots |= other.slots
      contextSlots |= other.contextSlots
      return pointers != before.pointers || context != before.context || slots != before.slots
        || contextSlots != before.contextSlots
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
  /// Whether anything at all hands the program a pointer into the kernel.
  private let hasSources: Bool
  /// Loads of 64 bits that the kernel's own values are filled into.
  private let externs: Set<Int>
  private var places: [Place] = []
  private var work: [Int] = []
  /// A pointer was written through something else than the frame pointer, so it may come back from anywhere.
  private var escapes = false
  /// The program was too tangled to follow.
  private var isTangled: Bool
  /// Instructions of which nobody says what they load.
  private let unfollowed: [Int]

  /// - Parameter followed: of the same program. What it does not follow is taken to load at every place.
  init(_ program: LinkedProgram, contextHoldsPointers: Bool, mapsHoldPointers: Bool, followed: FollowedProgram) {
    code = program.instructions
    count = program.instructions.count / Instruction.size
    self.contextHoldsPointers = contextHoldsPointers
    self.mapsHoldPointers = mapsHoldPointers
    hasSources = followed.hasPointerSources
    isTangled = !followed.isWhole
    unfollowed = followed.unfollowed.compactMap(\.instruction)
    externs = Set(program.externUses.map(\.instruction))
  }

  /// The indexes of loads that may go through a pointer into the kernel, in their order.
  mutating func loads() -> [Int] {
    guard !isTangled else { return everyLoad }
    // Twice at most: the second time with what the first found to escape.
    for _ in 0..<2 {
      let before = escapes
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
      if escapes == before { break }
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
        destination, pointer: instruction.sourceField == Instruction.Load.btfID || externs.contains(index))
      if instruction.sourceField == Instruction.Load.function {
        // Whoever calls the function back passes what it likes.
        reach(index + 1 + immediate, State(pointers: contextHoldsPointers ? 0x3e : 0, context: 0x3e))
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
    if state.isPointer(source) { places[index].loadsKernel = true }
    guard isWide else { return state.set(destination, pointer: false) }
    if source == 10 {
      return state.set(
        destination, pointer: escapes || state.slotIsPointer(offset), context: state.slotIsContext(offset))
    }
    // Through a copy of the frame pointer the stack is memory like any other.
    let fromContext = contextHoldsPointers && (state.isContext(source) || state.contextSlots != 0)
    state.set(
      destination,
      pointer: state.isPointer(source) || fromContext || state.slots != 0 || mapsHoldPointers || escapes)
  }

  private mutating func store(_ opcode: UInt8, _ base: Int, _ value: Int, _ offset: Int, _ state: inout State) {
    if opcode & 0xe0 == 0xc0 {
      // An atomic operation may leave its operand in memory, and bring back what was there.
      if base != 10, state.isPointer(value) || state.isContext(value) && contextHoldsPointers { escapes = true }
      if base == 10 {
        state.setSlot(
          offset, pointer: state.slotIsPointer(offset) || state.isPointer(value),
          context: state.slotIsContext(offset) || state.isContext(value))
      }
      state.set(value, pointer: hasSources, context: true)
      return state.set(0, pointer: hasSources, context: true)
    }
    if base == 10 {
      let isWide = opcode & 0x18 == 0x18
      return state.setSlot(
        offset, pointer: isWide && state.isPointer(value), context: isWide && state.isContext(value))
    }
    if state.isPointer(value) || state.isContext(value) && contextHoldsPointers { escapes = true }
  }

  private func compute(_ opcode: UInt8, _ destination: Int, _ source: Int, _ state: inout State) {
    let isRegister = opcode & 8 != 0
    let is64 = opcode & 7 == 7
    switch opcode & 0xf0 {
    case 0xb0:  // MOV; half a pointer is none
      let copies = isRegister && is64
      state.set(
        destination, pointer: copies && state.isPointer(source), context: copies && state.isContext(source))
    case 0x00, 0x10:  // ADD, SUB
      guard isRegister, is64 else { break }
      state.set(
        destination, pointer: state.isPointer(destination) || state.isPointer(source),
        context: state.isContext(destination) || state.isContext(source))
    default: break
    }
  }

  private mutating func jump(_ index: Int, _ instruction: Instruction, _ state: State) -> Int? {
    let immediate = Int(instruction.immediate)
    switch instruction.opcode & 0xf0 {
    case 0x90: return nil  // EXIT
    case 0x80:  // CALL
      var after = state
      after.pointers &= ~0x3f
      after.context &= ~0x3f
      switch instruction.sourceField {
      case Instruction.Call.function:
        // The callee may be passed the address of what is in this frame.
        if state.slots != 0 || contextHoldsPointers && state.contextSlots != 0 { escapes = true }
        reach(index + 1 + immediate, State(pointers: state.pointers & 0x3e, context: state.context & 0x3e))
        // Nobody follows what the callee returns.
        after.set(0, pointer: hasSources, context: true)
      case Instruction.Call.kernelFunction:
        after.set(0, pointer: true)
      default:
        places[index].callPointers |= state.pointers
        // A helper that is not known may return anything.
        let helper = KnownHelper[UInt32(bitPattern: instruction.immediate)]
        after.set(0, pointer: helper?.traits.contains(.returnsPointer) != false)
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

  fileprivate mutating func set(_ register: Int, pointer: Bool, context isContext: Bool = false) {
    let bit = UInt16(1) << UInt16(register)
    pointers = pointer ? pointers | bit : pointers & ~bit
    context = isContext ? context | bit : context & ~bit
  }

  /// The bit of eight bytes of stack; 0 outside of its 512 bytes.
  private static func slot(_ offset: Int) -> UInt64 {
    guard offset < 0, offset >= -512 else { return 0 }
    return 1 << UInt64((-offset - 1) / 8)
  }

  fileprivate func slotIsPointer(_ offset: Int) -> Bool { slots & Self.slot(offset) != 0 }
  fileprivate func slotIsContext(_ offset: Int) -> Bool { contextSlots & Self.slot(offset) != 0 }

  fileprivate mutating func setSlot(_ offset: Int, pointer: Bool, context isContext: Bool) {
    let bit = Self.slot(offset)
    slots = pointer ? slots | bit : slots & ~bit
    contextSlots = isContext ? contextSlots | bit : contextSlots & ~bit
  }
}
