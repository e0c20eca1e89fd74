internal import BPFObject
internal import KernelABI
internal import Base

/// What following a program says of its instructions; of one that is not followed, the worst.
struct Interpretation {
  /// What is said of a program that was followed whole.
  private struct Findings {
    /// Instructions that go through an address that may lead into the kernel, in order.
    var accesses: [Int] = []
    /// By the slot of a helper's call: one bit a register, of those that may hold a pointer into the kernel.
    var callPointers: [Int: UInt16] = [:]
    /// By slot: the CO-RE record of the field that the instruction reads, where it is one field's on every way.
    var fields: [Int: Int] = [:]
    /// What instructions do to the stack; only of programs that can be restricted.
    var stack: StackReads?
  }

  private let code: [DecodedInstruction]
  private let flow: ControlFlow
  private let surroundings: Interpreter.Surroundings
  private let findings: Findings?
  /// What is not followed, and why the worst is assumed.
  let unfollowed: [UnfollowedConstruct]

  /// - Parameters:
  ///   - code: the program, taken apart.
  ///   - shared: what is the same for all programs of the object.
  init(
    _ program: LinkedProgram, code: [DecodedInstruction], in object: LinkedObject, shared: SharedConstructs,
    records: [CoreRelocation]
  ) {
    self.code = code
    flow = ControlFlow(code)
    surroundings = Interpreter.Surroundings(program, in: object, shared: shared, code: code, records: records)
    var unfollowed = UnfollowedConstruct.all(in: program, of: object, shared: shared, code: code)
    if let stray = flow.stray {
      unfollowed.append(UnfollowedConstruct("a way out of a function that is no exit", at: stray))
    }
    var findings: Findings?
    if unfollowed.isEmpty {
      var interpreter = Interpreter(code, flow, surroundings, prunesBranches: false)
      interpreter.run()
      if interpreter.isComplete {
        findings = Self.findings(
          &interpreter, records, followsStack: RestrictedClass.hasPacketOrSocket(program.kind.type))
      } else {
        unfollowed.append(UnfollowedConstruct("more ways through its instructions than are followed"))
      }
    }
    self.unfollowed = unfollowed
    self.findings = findings
  }

  /// Whether the answers are more than the worst.
  var isFollowed: Bool { findings != nil }

  /// The instructions that may go through a pointer into the kernel, in their order.
  var accesses: [Int] { findings?.accesses ?? everyAccess }

  /// One bit a register, of those that may hold a pointer into the kernel where a helper is called.
  func pointers(atCall index: Int) -> UInt16 {
    guard let findings else { return .max }
    return findings.callPointers[index] ?? 0
  }

  /// The CO-RE record of the field that an instruction, or the helper that it calls, reads and stays inside of.
  func field(at index: Int) -> Int? { findings?.fields[index] }

  /// The instructions that the verifier comes to because no constant of the object rules them out; nil for all of them.
  ///
  /// The verifier follows only the branch that constants leave, and never looks at the others (kernel/bpf/verifier.c,
  /// is_branch_taken): a helper that is called there alone is not refused. Here the same is done with less: what the
  /// kernel changes in a program, what was on the stack and what several ways lead to with different values is not known,
  /// and then both branches are followed. So nothing is missed that some kernel comes to.
  func liveCode() -> Set<Int>? {
    guard isFollowed else { return nil }
    var interpreter = Interpreter(code, flow, surroundings, prunesBranches: true)
    interpreter.run()
    guard interpreter.isComplete else { return nil }
    var live: Set<Int> = []
    interpreter.visit { index, _, _ in live.insert(index) }
    return live
  }

  /// The first instruction that may read bytes of the stack which the program has not written; nil where there is none, and
  /// for programs whose type is none of a restricted program's.
  var unwrittenStackRead: Int? { findings?.stack?.first(code, flow) }

  /// Whether the verifier lets only a process with CAP_PERFMON do what its instructions do with pointers and the stack.
  func needsPerfmon(_ type: ProgramType) -> Bool {
    !isFollowed || unwrittenStackRead != nil || PointerUse.privileged(code, flow, type) != nil
  }

  /// The first of its functions that the verifier follows once, and that runs more than so many times.
  ///
  /// - Parameter isFollowedAtCalls: whether the verifier follows the function that starts in a slot at each of its calls.
  func repeatedFunction(limit: Int, isFollowedAtCalls: (Int) -> Bool) -> Int? {
    guard flow.functions.count > 1 else { return nil }
    guard flow.stray == nil else { return flow.functions[1] }
    let counts = CallCounts(code, flow)
    return zip(flow.functions, counts.most).dropFirst().first { entry, count in
      !isFollowedAtCalls(entry) && count.map { $0 > limit } ?? true
    }?.0
  }

  /// Every load but those from the running function's own stack, and what nobody knows.
  private var everyAccess: [Int] {
    code.indices.filter { index in
      switch code[index] {
      case .load(_, let place, _): place.base != DecodedInstruction.framePointer
      case .unfollowed, .unknown: true
      case .loadNumber, .loadMap, .loadMapValue, .loadKernelVariable, .loadFunction, .loadPacket, .store, .atomic,
        .move, .compute, .jump, .mayJump, .branch, .callHelper, .callFunction, .callKernelFunction, .exit, .secondSlot:
        false
      }
    }
  }

  private static func findings(
    _ interpreter: inout Interpreter, _ records: [CoreRelocation], followsStack: Bool
  ) -> Findings {
    let surroundings = interpreter.surroundings
    var findings = Findings()
    if followsStack { findings.stack = StackReads() }
    interpreter.visit { index, instruction, state in
      findings.stack?.note(index, instruction, state, surroundings)
      switch instruction {
      case .load(_, let place, _):
        guard !state[place.base].kinds.isDisjoint(with: .leadIntoKernel) else { return }
        findings.accesses.append(index)
        findings.fields[index] = field(index, place, state[place.base], surroundings, records)
      case .store(_, let place), .atomic(_, _, let place):
        if state[place.base].kinds.contains(.kernel) { findings.accesses.append(index) }
      case .callHelper(let number):
        var pointers: UInt16 = 0
        for register in 1...5 where state[register].kinds.contains(.kernel) { pointers |= 1 << UInt16(register) }
        findings.callPointers[index] = pointers
        if KnownHelper[number]?.traits.contains(.copiesKernel) == true {
          findings.fields[index] = copiedField(address: state[3], size: state[2], records)
        }
      case .loadNumber, .loadMap, .loadMapValue, .loadKernelVariable, .loadFunction, .loadPacket, .move, .compute,
        .jump, .mayJump, .branch, .callFunction, .callKernelFunction, .exit, .secondSlot, .unfollowed, .unknown:
        break
      }
    }
    findings.accesses.sort()
    return findings
  }

  /// The field that a load reads.
  private static func field(
    _ index: Int, _ place: DecodedInstruction.Place, _ address: AbstractValue,
    _ surroundings: Interpreter.Surroundings, _ records: [CoreRelocation]
  ) -> Int? {
    if let own = surroundings.fieldOffsets[index] {
      // Of two offsets the second is not counted from the structure's beginning, and a load that is wider than the field
      // reads its neighbours too.
      guard address.records == .none, let size = records[Int(own)].size, place.size.bytes <= size else { return nil }
      return Int(own)
    }
    guard case .fieldOffset(let record) = address.records, !surroundings.rewritten.contains(index),
      let size = records[Int(record)].size, place.offset >= 0, place.offset + place.size.bytes <= size
    else { return nil }
    return Int(record)
  }

  /// The field that a helper copies.
  private static func copiedField(
    address: AbstractValue, size: AbstractValue, _ records: [CoreRelocation]
  ) -> Int? {
    guard case .fieldOffset(let number) = address.records else { return nil }
    let record = records[Int(number)]
    if case .fieldSize(let sized) = size.records {
      return record.subject != nil && records[Int(sized)].subject == record.subject ? Int(number) : nil
    }
    guard case .constant(let count) = size.number, let limit = record.size, count <= UInt64(limit) else { return nil }
    return Int(number)
  }
}

extension Interpreter.Surroundings {
  init(
    _ program: LinkedProgram, in object: LinkedObject, shared: SharedConstructs, code: [DecodedInstruction],
    records: [CoreRelocation]
  ) {
    contextHolds = Self.contextHolds(program.kind)
    maps = object.maps
    let used = code.compactMap { instruction in
      switch instruction {
      case .loadMap(_, let map), .loadMapValue(_, let map, _):
        object.maps.indices.contains(map) ? object.maps[map] : nil
      case .loadNumber, .loadKernelVariable, .loadFunction, .loadPacket, .load, .store, .atomic, .move, .compute, .jump,
        .mayJump, .branch, .callHelper, .callFunction, .callKernelFunction, .exit, .secondSlot, .unfollowed, .unknown:
        nil
      }
    }
    // The kernel takes the pinned map's own types, and a type tag on a field (`__kptr`) says that it holds a pointer to a
    // structure of the kernel.
    memoryHoldsPointers =
      used.contains(where: \.pinsByName) || shared.hasTypeTags
    findsMaps = used.contains { $0.type.holdsMaps }
    configurationMap = object.configurationMap
    rewritten = Set(program.externUses.map(\.instruction))
    fieldOffsets = [:]
    fieldSizes = [:]
    // By the records themselves, also where nothing can be said of them.
    let bytes = program.coreRelocations.rawSpan
    for record in stride(from: 0, to: bytes.byteCount, by: max(16, Int(program.coreRelocationRecordSize))) {
      if let offset = try? bytes.u32(at: record) { rewritten.insert(Int(offset) / Instruction.size) }
    }
    var seen: Set<Int> = []
    for (number, record) in records.enumerated() {
      let slot = record.instruction
      fieldOffsets[slot] = nil
      fieldSizes[slot] = nil
      // Two records for one instruction: nobody knows which of them it is.
      guard seen.insert(slot).inserted, let number = Int32(exactly: number) else { continue }
      switch record.kind {
      case .fieldByteOffset: fieldOffsets[slot] = number
      case .fieldByteSize: fieldSizes[slot] = number
      case .fieldExists, .fieldSigned, .fieldLeftShift, .fieldRightShift, .localTypeID, .targetTypeID, .typeExists,
        .typeSize, .typeMatches, .enumeratorExists, .enumeratorValue, nil:
        break
      }
    }
  }

  /// What 64 bits of a program's context may be: pointers to structures of the kernel in all programs but those whose
  /// context is known to hold none. (Sockets that a context points to are read through the kernel's own view of them.)
  static func contextHolds(_ kind: ProgramKind) -> AbstractValue.Kinds {
    switch kind.type {
    case .socketFilter, .kprobe, .schedCls, .schedAct, .tracepoint, .xdp, .perfEvent, .cgroupSkb, .cgroupSock,
      .lwtIn, .lwtOut, .lwtXmit, .sockOps, .skSkb, .cgroupDevice, .skMsg, .rawTracepoint, .cgroupSockAddr,
      .lwtSeg6local, .lircMode2, .skReuseport, .flowDissector, .cgroupSysctl, .cgroupSockopt, .skLookup, .syscall:
      .harmless
    // An iterator is also handed buffers.
    case .tracing: kind.expectedAttachType == .traceIter ? [.readFromKernel, .memory] : .readFromKernel
    case .lsm: .readFromKernel
    // A writable tracepoint hands over the address of the structure that it is about.
    case .unspec, .rawTracepointWritable, .structOps, .ext, .netfilter: [.readFromKernel, .memory]
    }
  }
}

extension MapType {
  /// Whether looking into such a map finds a map.
  var holdsMaps: Bool { self == .arrayOfMaps || self == .hashOfMaps }
}
