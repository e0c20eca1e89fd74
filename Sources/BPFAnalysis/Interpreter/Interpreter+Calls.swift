internal import BPFObject
internal import KernelABI

/// What a helper hands a function that it calls back, argument by argument.
private enum CallbackArgument {
  case number
  /// The address of a map.
  case map
  /// A pointer to a structure of the kernel.
  case kernel
  /// What the helper itself was given in this register.
  case given(register: Int)
}

extension Interpreter {
  mutating func callHelper(_ number: UInt32, _ state: inout MachineState) {
    let helper = KnownHelper[number]
    callBack(number, state)
    let arguments = (1...5).map { state[$0].records }
    let map = state[1].number
    clobber(&state)
    // A helper that is not known may return anything.
    guard let helper else { return state[0] = .anything }
    guard helper.traits.contains(.returnsPointer) else {
      if number == Helper.mapLookupElem.rawValue, findsMap(in: map) { state[0].kinds.insert(.map) }
      return
    }
    // Of some the result is an argument moved to this processor's copy.
    state[0] = AbstractValue(
      kinds: .readFromKernel, records: arguments.allSatisfy { $0 == .none } ? .none : .mixed)
  }

  /// Whether looking into a map may find a map.
  private func findsMap(in map: AbstractValue.Number) -> Bool {
    guard surroundings.findsMaps, case .map(let index) = map, surroundings.maps.indices.contains(Int(index)) else {
      return surroundings.findsMaps
    }
    return surroundings.maps[Int(index)].type.holdsMaps
  }

  mutating func callKernelFunction(_ state: inout MachineState) {
    shared.callbackArguments = Array(repeating: .anything, count: 5)
    clobber(&state)
    state[0] = .anything
  }

  mutating func callFunction(_ entry: Int, _ state: inout MachineState) {
    // Numbers are not handed over: a global function is verified for all of them, and a frame's addresses count from
    // another frame there.
    reach(entry, MachineState(arguments: (1...5).map { state[$0].withoutNumber }))
    clobber(&state)
    state[0] = shared.results[flow.function(of: entry)]
  }

  /// Registers that a call does not keep, and what it may have done to the stack.
  private mutating func clobber(_ state: inout MachineState) {
    for register in 0...5 { state[register] = .unknown }
    // What is called may have copied what was there to anywhere.
    if state.loseRecords() {
      let mixed = AbstractValue(records: .mixed)
      shared.memory = shared.memory?.joined(with: mixed) ?? mixed
      shared.stack = shared.stack?.joined(with: mixed) ?? mixed
    }
  }

  /// A helper that calls a function of the program's own hands it this. Which function is not asked.
  private mutating func callBack(_ number: UInt32, _ state: MachineState) {
    guard let helper = KnownHelper[number] else {
      return shared.callbackArguments = Array(repeating: .anything, count: 5)
    }
    guard helper.traits.contains(.callsBack) else { return }
    let handed = Helper(called: number).flatMap { Self.callbackArguments[$0] }
    for index in shared.callbackArguments.indices {
      let argument: AbstractValue
      if let handed {
        switch index < handed.count ? handed[index] : .number {
        case .number: argument = .unknown
        case .map: argument = AbstractValue(kinds: [.map, .number])
        case .kernel: argument = AbstractValue(kinds: .readFromKernel)
        case .given(let register): argument = state[register].withoutNumber
        }
      } else {
        argument = .anything
      }
      shared.callbackArguments[index] = shared.callbackArguments[index].joined(with: argument)
    }
  }

  /// Of the helpers that call back; one that is not here hands over anything. Source: the `set_callee_state` functions of
  /// kernel/bpf/verifier.c (set_loop_callback_state and its neighbours).
  private static let callbackArguments: [Helper: [CallbackArgument]] = [
    .loop: [.number, .given(register: 3)],
    .forEachMapElem: [.map, .number, .number, .given(register: 3)],
    .timerSetCallback: [.map, .number, .number],
    .findVma: [.kernel, .kernel, .given(register: 4)],
    .userRingbufDrain: [.number, .given(register: 3)],
  ]
}
