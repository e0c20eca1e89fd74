internal import BPFObject
internal import KernelABI

/// Follows all ways through a program at once, over what registers and stack may hold.
///
/// One state is kept for each straight run of instructions, joined over all ways that lead there; functions are entered with
/// what all of their callers hand over, and return what all of their ends leave. What the program stores where other
/// instructions may find it is kept once for the whole program (``Shared``). States only ever grow, in few steps, so this
/// ends; a program that takes more than ``stepLimit`` steps an instruction, or has more than ``instructionLimit``, is not followed.
struct Interpreter {
  /// What surrounds the instructions, and is the same for every way through them.
  struct Surroundings {
    /// What 64 bits of the context may be.
    var contextHolds: AbstractValue.Kinds
    /// Whether what is read from the program's own memory may be one: maps have fields for them, or are shared with others.
    var memoryHoldsPointers: Bool
    /// Whether looking into some map may find a map.
    var findsMaps: Bool
    /// By index in `fd_array`.
    var maps: [LinkedMap]
    /// Whose value the kernel's configuration says.
    var configurationMap: Int?
    /// The slots that the kernel rewrites when it loads the program, by what it knows of itself.
    var rewritten: Set<Int>
    /// CO-RE records of fields' offsets and sizes, by slot.
    var fieldOffsets: [Int: Int32]
    var fieldSizes: [Int: Int32]
  }

  /// What holds for the whole program: it only grows, and everything is looked at again when it has.
  struct Shared: Equatable {
    /// What was stored through an address in the program's own memory.
    var memory: AbstractValue?
    /// What was stored in the context.
    var context: AbstractValue?
    /// What was stored in structures of the kernel.
    var kernel: AbstractValue?
    /// What was stored somewhere in some function's stack.
    var stack: AbstractValue?
    /// What was stored in a stack at a place that is not known.
    var unknownSlots: AbstractValue?
    /// What functions return, by their place in ``ControlFlow/functions``.
    var results: [AbstractValue]
    /// What functions are called back with, of r1 to r5.
    var callbackArguments: [AbstractValue]
  }

  /// Programs of more slots are not followed: a state is kept for each run.
  static let instructionLimit = 1 << 18
  /// A program that a compiler made takes two or three steps an instruction.
  static let stepLimit = 64

  let code: [DecodedInstruction]
  let flow: ControlFlow
  let surroundings: Surroundings
  /// Whether branches are left out that constants of the object rule out.
  let prunesBranches: Bool
  var shared: Shared
  /// Before each run.
  private var states: [MachineState?]
  /// The runs that have a state, in the order in which they got it.
  private var reached: [Int] = []
  private var pending: RunQueue
  /// Whether everything was followed within the limits.
  private(set) var isComplete = false

  init(_ code: [DecodedInstruction], _ flow: ControlFlow, _ surroundings: Surroundings, prunesBranches: Bool) {
    self.code = code
    self.flow = flow
    self.surroundings = surroundings
    self.prunesBranches = prunesBranches
    states = Array(repeating: nil, count: flow.runCount)
    pending = RunQueue(count: flow.runCount)
    shared = Shared(
      results: Array(repeating: .unknown, count: flow.functions.count),
      callbackArguments: Array(repeating: .unknown, count: 5))
  }

  /// Follows the program from its beginning until nothing new is found.
  mutating func run() {
    guard flow.stray == nil, code.count <= Self.instructionLimit else { return }
    var budget = Self.stepLimit * code.count + 1024
    let starts = runStarts()
    enterFunctions()
    while true {
      let before = shared
      while let run = pending.takeFirst() {
        guard let state = states[run] else { continue }
        budget -= follow(from: starts[run], state) { _, _, _ in }
        guard budget > 0 else { return }
      }
      if shared == before { break }
      enterFunctions()
      for run in reached { pending.insert(run) }
    }
    isComplete = true
  }

  /// Looks at every instruction that any way leads to, with what holds before it. To be called after ``run()``.
  mutating func visit(_ body: (Int, DecodedInstruction, borrowing MachineState) -> Void) {
    for (run, start) in runStarts().enumerated() {
      guard let state = states[run] else { continue }
      _ = follow(from: start, state, body)
    }
  }

  private func runStarts() -> [Int] {
    var starts = [Int](repeating: 0, count: flow.runCount)
    for (index, run) in flow.runs.enumerated() where run >= 0 { starts[Int(run)] = index }
    return starts
  }

  private mutating func enterFunctions() {
    reach(0, MachineState(arguments: [AbstractValue(kinds: .context)]))
    for callback in flow.callbacks { reach(callback, MachineState(arguments: shared.callbackArguments)) }
    // Kernels before 6.8 verify global functions whether they are reached or not.
    guard prunesBranches else { return }
    let argument = AbstractValue(kinds: .all, records: .mixed)
    for function in flow.functions.dropFirst() {
      reach(function, MachineState(arguments: Array(repeating: argument, count: 5)))
    }
  }

  /// Another way leads to a run.
  mutating func reach(_ index: Int, _ state: MachineState) {
    guard flow.runs.indices.contains(index), flow.runs[index] >= 0 else { return }
    let run = Int(flow.runs[index])
    guard states[run] != nil else {
      states[run] = state
      reached.append(run)
      return pending.insert(run)
    }
    if states[run]?.join(state) == true { pending.insert(run) }
  }

  /// Follows a run to its end.
  ///
  /// - Returns: how many instructions it took.
  private mutating func follow(
    from start: Int, _ first: MachineState, _ body: (Int, DecodedInstruction, borrowing MachineState) -> Void
  ) -> Int {
    var (index, count, state) = (start, 0, first)
    while code.indices.contains(index) {
      count += 1
      body(index, code[index], state)
      guard let next = step(index, &state) else { break }
      // Another run begins: its state is that of all ways that lead there.
      if flow.runs.indices.contains(next), flow.runs[next] >= 0 {
        reach(next, state)
        break
      }
      index = next
    }
    return count
  }
}
