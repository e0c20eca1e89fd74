internal import BPFObject
internal import KernelABI

/// Where a program may read bytes of its stack that it has not written.
///
/// What lies there is left over from the kernel's own functions. For programs of who may trace the kernel, which is who loads
/// programs here, the verifier has nothing against such a read since Linux 6.3 (kernel/bpf/verifier.c, `allow_uninit_stack`).
///
/// Each function is followed with the bytes of its own stack that were written on every way to an instruction. Memory of
/// callers, and places that are not known, count as not written.
struct StackReads {
  /// What one instruction does to the running function's stack; bytes count from the end of the stack.
  struct Effect {
    /// What it reads; nil for a place that is not known.
    var reads: [Range<Int>?] = []
    /// What it has written in any case once it is done.
    var writes: [Range<Int>] = []
  }

  /// A bit for each byte of a stack.
  private struct Bytes: Equatable {
    var words: InlineArray<8, UInt64> = InlineArray(repeating: 0)

    static func == (left: Bytes, right: Bytes) -> Bool {
      left.words.indices.allSatisfy { left.words[$0] == right.words[$0] }
    }

    mutating func insert(_ range: Range<Int>) {
      for byte in range { words[byte / 64] |= 1 << UInt64(byte % 64) }
    }

    func contains(_ range: Range<Int>) -> Bool {
      range.allSatisfy { words[$0 / 64] & 1 << UInt64($0 % 64) != 0 }
    }

    /// Leaves what is in both; returns whether that is less than before.
    mutating func narrow(to other: Bytes) -> Bool {
      var isLess = false
      for index in words.indices {
        let both = words[index] & other.words[index]
        if both != words[index] { isLess = true }
        words[index] = both
      }
      return isLess
    }
  }

  /// Bytes of a function's stack (MAX_BPF_STACK).
  static let size = MachineState.slotCount * 8

  private(set) var effects: [Int: Effect] = [:]

  /// Notes what an instruction does, by what is known before it.
  mutating func note(
    _ index: Int, _ instruction: DecodedInstruction, _ state: borrowing MachineState,
    _ surroundings: Interpreter.Surroundings
  ) {
    var effect = Effect()
    switch instruction {
    case .load(_, let place, _):
      effect.read(Self.bytes(index, place, state, surroundings), through: state[place.base])
    case .store(_, let place):
      if let bytes = Self.bytes(index, place, state, surroundings) { effect.writes.append(bytes) }
    case .atomic(_, _, let place):
      let bytes = Self.bytes(index, place, state, surroundings)
      effect.read(bytes, through: state[place.base])
      if let bytes { effect.writes.append(bytes) }
    case .callHelper(let number): effect.call(number, state, surroundings)
    case .loadNumber, .loadMap, .loadMapValue, .loadKernelVariable, .loadFunction, .loadPacket, .move, .compute, .jump,
      .mayJump, .branch, .callFunction, .callKernelFunction, .exit, .secondSlot, .unfollowed, .unknown:
      return
    }
    if !effect.reads.isEmpty || !effect.writes.isEmpty { effects[index] = effect }
  }

  /// The bytes of the running function's stack at a place; nil where that is not known, or it is not the stack.
  private static func bytes(
    _ index: Int, _ place: DecodedInstruction.Place, _ state: borrowing MachineState,
    _ surroundings: Interpreter.Surroundings
  ) -> Range<Int>? {
    guard case .frame(let offset) = state[place.base].number, !surroundings.rewritten.contains(index) else {
      return nil
    }
    return bytes(at: Int(offset) + place.offset, count: place.size.bytes)
  }

  /// - Parameter offset: from the frame pointer.
  static func bytes(at offset: Int, count: Int) -> Range<Int>? {
    let start = size + offset
    guard start >= 0, count <= size - start else { return nil }
    return start..<(start + count)
  }

  /// The first instruction that may read what was not written, or that would be looked at for longer than the program is
  /// followed; nil where there is none. Of a program that was followed whole.
  func first(_ code: [DecodedInstruction], _ flow: ControlFlow) -> Int? {
    // Programs that read no stack but by spilling and filling are most.
    guard effects.values.contains(where: { !$0.reads.isEmpty }) else { return nil }
    var starts = [Int](repeating: 0, count: flow.runCount)
    for (index, run) in flow.runs.enumerated() where run >= 0 { starts[Int(run)] = index }
    var written = [Bytes?](repeating: nil, count: flow.runCount)
    var pending = RunQueue(count: flow.runCount)
    var budget = Interpreter.stepLimit * code.count + 1024
    func reach(_ index: Int, _ bytes: Bytes) {
      guard flow.runs.indices.contains(index), flow.runs[index] >= 0 else { return }
      let run = Int(flow.runs[index])
      guard written[run] != nil else {
        written[run] = bytes
        return pending.insert(run)
      }
      if written[run]?.narrow(to: bytes) == true { pending.insert(run) }
    }
    for function in flow.functions { reach(function, Bytes()) }
    while let run = pending.takeFirst() {
      guard var bytes = written[run] else { continue }
      var index = starts[run]
      while code.indices.contains(index) {
        budget -= 1
        guard budget > 0 else { return index }
        for range in effects[index]?.writes ?? [] { bytes.insert(range) }
        guard let next = Self.next(index, code[index], { reach($0, bytes) }) else { break }
        if flow.runs.indices.contains(next), flow.runs[next] >= 0 {
          reach(next, bytes)
          break
        }
        index = next
      }
    }
    return firstRead(code, flow, starts, written)
  }

  private func firstRead(
    _ code: [DecodedInstruction], _ flow: ControlFlow, _ starts: [Int], _ written: [Bytes?]
  ) -> Int? {
    var first: Int?
    for (run, start) in starts.enumerated() {
      guard var bytes = written[run] else { continue }
      var index = start
      while code.indices.contains(index) {
        let effect = effects[index]
        if effect?.reads.contains(where: { $0.map { !bytes.contains($0) } ?? true }) == true {
          first = min(first ?? index, index)
        }
        for range in effect?.writes ?? [] { bytes.insert(range) }
        guard let next = Self.next(index, code[index], { _ in }), flow.runs.indices.contains(next), flow.runs[next] < 0
        else { break }
        index = next
      }
    }
    return first
  }

  /// The slot behind an instruction; nil where control flow does not go on there. The closure is called with the targets of
  /// jumps.
  private static func next(_ index: Int, _ instruction: DecodedInstruction, _ reach: (Int) -> Void) -> Int? {
    switch instruction {
    case .jump(let target):
      reach(target)
      return nil
    case .mayJump(let target), .branch(_, _, _, _, let target): reach(target)
    case .exit, .secondSlot, .unfollowed, .unknown: return nil
    case .loadNumber, .loadMap, .loadMapValue, .loadKernelVariable, .loadFunction: return index + 2
    case .loadPacket, .load, .store, .atomic, .move, .compute, .callHelper, .callFunction, .callKernelFunction: break
    }
    return index + 1
  }
}

extension StackReads.Effect {
  /// A read of bytes of the stack, or through an address that may be one in some stack.
  fileprivate mutating func read(_ bytes: Range<Int>?, through address: AbstractValue) {
    if bytes != nil || address.kinds.contains(.stack) { reads.append(bytes) }
  }

  fileprivate mutating func call(
    _ number: UInt32, _ state: borrowing MachineState, _ surroundings: Interpreter.Surroundings
  ) {
    guard let arguments = Helper(called: number).flatMap({ MemoryArgument.all[$0] }) else {
      // Nobody has looked at what it does with memory.
      for register in 1...5 where state[register].kinds.contains(.stack) { reads.append(nil) }
      return
    }
    for argument in arguments where state[argument.register].kinds.contains(.stack) {
      let count = argument.size(state, surroundings)
      guard case .frame(let offset) = state[argument.register].number else {
        if argument.isRead { reads.append(nil) }
        continue
      }
      if argument.isRead {
        // Of a size that is not known the verifier has seen that it ends where the stack does.
        reads.append(StackReads.bytes(at: Int(offset), count: count ?? max(0, -Int(offset))))
      }
      if argument.isWritten, let count, let bytes = StackReads.bytes(at: Int(offset), count: count) {
        writes.append(bytes)
      }
    }
  }
}
