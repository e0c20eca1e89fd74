/// Where a program's functions and straight runs of instructions begin.
///
/// The verifier wants every function to be one piece, entered at its beginning and left by an exit or a jump
/// (kernel/bpf/verifier.c, check_subprogs). A program that is not like this is not followed.
struct ControlFlow {
  /// The slots that functions start at, in order; the program's own is the first.
  let functions: [Int]
  /// The functions whose addresses are taken.
  let callbacks: [Int]
  /// By slot: the number of the run that starts there, or -1.
  let runs: [Int32]
  let runCount: Int
  /// The slot of the first instruction that leads out of its function, or into the middle of an instruction.
  let stray: Int?

  init(_ code: [DecodedInstruction]) {
    var starts: Set<Int> = [0]
    var taken: Set<Int> = []
    var stray: Int?
    for (index, instruction) in code.enumerated() {
      switch instruction {
      case .loadFunction(_, let entry):
        guard Self.isInstruction(entry, code) else {
          stray = stray ?? index
          continue
        }
        taken.insert(entry)
        starts.insert(entry)
      case .callFunction(let entry):
        guard Self.isInstruction(entry, code) else {
          stray = stray ?? index
          continue
        }
        starts.insert(entry)
      case .loadNumber, .loadMap, .loadMapValue, .loadKernelVariable, .loadPacket, .load, .store, .atomic, .move,
        .compute, .jump, .mayJump, .branch, .callHelper, .callKernelFunction, .exit, .secondSlot, .unfollowed, .unknown:
        break
      }
    }
    let functions = starts.sorted()
    var runs = [Int32](repeating: -1, count: code.count)
    var count: Int32 = 0
    func start(_ index: Int) {
      guard runs.indices.contains(index), runs[index] < 0 else { return }
      runs[index] = count
      count += 1
    }
    for function in functions { start(function) }
    var (function, index) = (0, 0)
    while index < code.count {
      while function + 1 < functions.count, functions[function + 1] <= index { function += 1 }
      let end = function + 1 < functions.count ? functions[function + 1] : code.count
      let range = functions[function]..<end
      let next = index + (index + 1 < code.count && code[index + 1] == .secondSlot ? 2 : 1)
      var targets: [Int] = []
      switch code[index] {
      case .jump(let target): targets = [target]
      case .mayJump(let target), .branch(_, _, _, _, let target): targets = [target, next]
      case .exit, .unfollowed, .unknown: break
      case .loadNumber, .loadMap, .loadMapValue, .loadKernelVariable, .loadFunction, .loadPacket, .load, .store,
        .atomic, .move, .compute, .callHelper, .callFunction, .callKernelFunction, .secondSlot:
        // A function does not run into the next.
        if !range.contains(next) { stray = stray ?? index }
      }
      for target in targets {
        guard range.contains(target), Self.isInstruction(target, code) else {
          stray = stray ?? index
          continue
        }
        start(target)
      }
      index = next
    }
    self.functions = functions
    callbacks = taken.sorted()
    self.runs = runs
    runCount = Int(count)
    self.stray = stray
  }

  /// Whether an instruction begins in a slot.
  private static func isInstruction(_ index: Int, _ code: [DecodedInstruction]) -> Bool {
    code.indices.contains(index) && code[index] != .secondSlot
  }

  /// The function that a slot belongs to, as its place among ``functions``.
  func function(of index: Int) -> Int {
    var (low, high) = (0, functions.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if functions[middle] <= index { low = middle } else { high = middle }
    }
    return low
  }
}
