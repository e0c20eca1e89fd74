/// How many times each function of a program runs at most while the program runs once.
///
/// The verifier follows a function that is global by itself, once, and takes each call of it for one instruction
/// (kernel/bpf/verifier.c, do_check_subprogs). So loops in functions that loops call multiply, and what the verifier has followed
/// says nothing of how long the program runs.
struct CallCounts {
  /// By the place among ``ControlFlow/functions``; nil for one that no number bounds: it is called in a loop, or by itself.
  let most: [Int?]

  init(_ code: [DecodedInstruction], _ flow: ControlFlow) {
    var calls: [[(callee: Int, isRepeated: Bool)]] = Array(repeating: [], count: flow.functions.count)
    var callers = [Int](repeating: 0, count: flow.functions.count)
    let repeated = Self.repeated(code)
    var caller = 0
    for (index, instruction) in code.enumerated() {
      while caller + 1 < flow.functions.count, flow.functions[caller + 1] <= index { caller += 1 }
      guard let entry = Self.entry(instruction) else { continue }
      let callee = flow.function(of: entry)
      // How often a helper calls a function back is not counted here.
      calls[caller].append((callee, repeated[index] || instruction != .callFunction(entry: entry)))
      callers[callee] += 1
    }
    // Callers before what they call. Functions that call each other are never without a caller.
    var most = [Int?](repeating: nil, count: flow.functions.count)
    var sums = [Int?](repeating: 0, count: flow.functions.count)
    sums[0] = callers[0] == 0 ? 1 : nil
    var ready = callers.indices.filter { callers[$0] == 0 }
    while let function = ready.popLast() {
      most[function] = sums[function]
      for call in calls[function] {
        if let sum = sums[call.callee], let count = most[function], !(call.isRepeated && count > 0) {
          let (added, overflow) = sum.addingReportingOverflow(count)
          sums[call.callee] = overflow ? nil : added
        } else {
          sums[call.callee] = nil
        }
        callers[call.callee] -= 1
        if callers[call.callee] == 0 { ready.append(call.callee) }
      }
    }
    self.most = most
  }

  /// The function that an instruction calls, or takes the address of.
  private static func entry(_ instruction: DecodedInstruction) -> Int? {
    switch instruction {
    case .callFunction(let entry), .loadFunction(_, let entry): entry
    case .loadNumber, .loadMap, .loadMapValue, .loadKernelVariable, .loadPacket, .load, .store, .atomic, .move,
      .compute,
      .jump, .mayJump, .branch, .callHelper, .callKernelFunction, .exit, .secondSlot, .unfollowed, .unknown:
      nil
    }
  }

  /// By slot: whether a jump backwards leads over it. Every loop has one that leads over all of its instructions.
  private static func repeated(_ code: [DecodedInstruction]) -> [Bool] {
    var changes = [Int](repeating: 0, count: code.count + 1)
    for (index, instruction) in code.enumerated() {
      switch instruction {
      case .jump(let target), .mayJump(let target), .branch(_, _, _, _, let target):
        guard target >= 0, target <= index else { continue }
        changes[target] += 1
        changes[index + 1] -= 1
      case .loadNumber, .loadMap, .loadMapValue, .loadKernelVariable, .loadFunction, .loadPacket, .load, .store,
        .atomic,
        .move, .compute, .callHelper, .callFunction, .callKernelFunction, .exit, .secondSlot, .unfollowed, .unknown:
        break
      }
    }
    var depth = 0
    return changes.dropLast().map { change in
      depth += change
      return depth > 0
    }
  }
}
