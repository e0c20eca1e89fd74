internal import BPFObject
internal import KernelABI
internal import Base

extension ProgramReport {
  /// Reads a linked program.
  ///
  /// - Parameters:
  ///   - btf: the object's type information; nil when it cannot be read, and then names are missing.
  ///   - shared: what is the same for all of its programs.
  init(_ program: LinkedProgram, in object: LinkedObject, btf: BTF?, shared: SharedConstructs) {
    name = program.name
    section = program.section
    kind = program.kind
    linkError = program.linkError
    typeName = program.kind.type.name
    attachTypeName = Self.hasAttachType(program.kind) ? program.kind.expectedAttachType.name : nil
    isSleepable = program.kind.flags & ProgramFlag.sleepable.rawValue != 0
    instructionCount = program.instructions.count / Instruction.size
    editedInstructionCount = program.edits.count
    submitted = SubmittedInstructions(program)
    let code = DecodedInstruction.all(of: program)
    let scan = Scan(code)
    helpers = scan.helpers
    let usedMaps = scan.maps.compactMap { $0 < object.maps.count ? object.maps[$0] : nil }
    maps = usedMaps.map(\.name)
    kernelSymbols = Set(program.externUses.map(\.extern)).sorted().compactMap {
      $0 < object.externs.count ? object.externs[$0].name : nil
    }
    subprograms = Self.functions(program, btf).dropFirst().map { $0 }
    coreRelocations = Self.coreRelocations(program, btf)
    let interpretation = Interpretation(
      program, code: code, in: object, shared: shared, records: coreRelocations)
    unfollowed = interpretation.unfollowed
    restrictions =
      LockdownRestriction.restrictions(of: unfollowed)
      + LockdownRestriction.restrictions(of: helpers, in: interpretation)
      + LockdownRestriction.restrictions(of: program.kind, section: program.section)
    let declaration = object.readDeclaration(of: program.name)
    let reads = KernelReads(interpretation, helpers: helpers, relocations: coreRelocations, declaration: declaration)
    kernelReads = reads.all
    readDeclaration = declaration
    undeclaredReads = reads.undeclared(kernelFunctions: scan.kernelFunctions)
    var objections = RestrictedClass.objections(
      type: program.kind.type, isSleepable: isSleepable, maysGoOn: scan.maysGoOn, helpers: helpers,
      kernelReads: kernelReads,
      kernelSymbols: kernelSymbols, shared: shared.objections, unfollowed: unfollowed)
    if objections.isEmpty {
      // Looked for only where the class depends on it.
      objections = Self.objections(to: program, interpretation, shared)
    }
    classObjections = objections
    capabilities =
      linkError == nil
      ? Self.capabilities(program.kind, helpers, maps: shared.maps.types, kernelSymbols, interpretation)
      : [.bpf, .netAdmin, .perfmon, .sysAdmin, .sysBoot]
    requirements = KernelRequirement.all(
      of: program.kind, isLinked: linkError == nil, hasAttachType: attachTypeName != nil, maps: shared.maps,
      helpers: helpers,
      hasMaps: !scan.maps.isEmpty, relocations: coreRelocations, kernelSymbols: kernelSymbols)
    minimumKernel = requirements.reduce(requirements[0]) { $1.version > $0.version ? $1 : $0 }
  }

  /// What keeps a program from the restricted class that its instructions show together, and none alone.
  private static func objections(
    to program: LinkedProgram, _ interpretation: Interpretation, _ shared: SharedConstructs
  ) -> [ClassObjection] {
    var found: [ClassObjection] = []
    if let place = interpretation.unwrittenStackRead { found.append(.readsUnwrittenStack(place)) }
    var isStatic: Set<Int> = []
    let records = program.funcInfo.rawSpan
    for record in stride(from: 0, to: records.byteCount, by: max(8, Int(program.funcInfoRecordSize))) {
      guard let offset = try? records.u32(at: record), let type = try? records.u32(at: record + 4) else { break }
      if shared.staticFunctions.contains(type) { isStatic.insert(Int(offset)) }
    }
    let repeated = interpretation.repeatedFunction(limit: RestrictedClass.callLimit) { isStatic.contains($0) }
    if let repeated { found.append(.repeatsFunction(repeated)) }
    return found
  }

  /// Attach type 0 is cgroup_inet_ingress, which only cgroup_skb programs mean by it.
  private static func hasAttachType(_ kind: ProgramKind) -> Bool {
    kind.expectedAttachType != .unspecified || kind.type == .cgroupSkb
  }

  /// What the instructions refer to, in one pass over them.
  private struct Scan {
    /// By number.
    var helpers: [HelperUse] = []
    /// Indexes of maps, in their order.
    var maps: [Int] = []
    /// Calls of kernel functions.
    var kernelFunctions: [Int] = []
    /// Whether there is a BPF_JCOND (may_goto, Linux 6.9), whose loops the verifier does not follow to their end.
    var maysGoOn = false

    init(_ code: [DecodedInstruction]) {
      var calls: [(helper: UInt32, place: Int)] = []
      var used: [Int] = []
      for (place, instruction) in code.enumerated() {
        switch instruction {
        case .callHelper(let helper): calls.append((helper, place))
        case .callKernelFunction: kernelFunctions.append(place)
        case .loadMap(_, let map), .loadMapValue(_, let map, _): used.append(map)
        case .mayJump: maysGoOn = true
        case .loadNumber, .loadKernelVariable, .loadFunction, .loadPacket, .load, .store, .atomic, .move, .compute,
          .jump, .branch, .callFunction, .exit, .secondSlot, .unfollowed, .unknown:
          break
        }
      }
      // Sorted, because looking for each among all would take long with many maps.
      used.sort()
      maps = used.indices.filter { $0 == 0 || used[$0] != used[$0 - 1] }.map { used[$0] }
      calls.sort { $0 < $1 }
      var rest = calls[...]
      while let first = rest.first {
        let same = rest.prefix { $0.helper == first.helper }
        helpers.append(
          HelperUse(id: first.helper, name: Helper(called: first.helper)?.name, instructions: same.map(\.place)))
        rest = rest.dropFirst(same.count)
      }
    }
  }

  /// The names of the program's functions, from its func_info.
  private static func functions(_ program: LinkedProgram, _ btf: BTF?) -> [String] {
    let records = program.funcInfo.rawSpan
    var names: [String] = []
    for record in stride(from: 0, to: records.byteCount, by: max(8, Int(program.funcInfoRecordSize))) {
      guard let id = try? records.u32(at: record + 4) else { break }
      guard let btf, let type = try? btf.type(id), let name = try? btf.name(of: type), !name.isEmpty else {
        names.append("type \(id)")
        continue
      }
      names.append(name)
    }
    return names
  }

  private static func coreRelocations(_ program: LinkedProgram, _ btf: BTF?) -> [CoreRelocation] {
    let records = program.coreRelocations.rawSpan
    var relocations: [CoreRelocation] = []
    for record in stride(from: 0, to: records.byteCount, by: max(16, Int(program.coreRelocationRecordSize))) {
      guard let offset = try? records.u32(at: record), let type = try? records.u32(at: record + 4),
        let access = try? records.u32(at: record + 8), let number = try? records.u32(at: record + 12)
      else { break }
      let kind = CoreRelocationKind(rawValue: number)
      let path = try? btf?.string(at: access)
      let relocated = kind.flatMap { kind in
        path.flatMap { btf?.relocated(kind: kind, typeID: type, access: $0) }
      }
      relocations.append(
        CoreRelocation(
          kind: kind, subject: relocated?.subject, instruction: Int(offset) / Instruction.size, size: relocated?.size))
    }
    return relocations
  }

  /// Asks a kernel about each relocation; what cannot be read there does not exist there.
  mutating func match(_ program: LinkedProgram, _ match: CoreMatch) {
    let records = program.coreRelocations.rawSpan
    let size = max(16, Int(program.coreRelocationRecordSize))
    for index in coreRelocations.indices {
      guard let type = try? records.u32(at: index * size + 4), let access = try? records.u32(at: index * size + 8),
        let kind = coreRelocations[index].kind, let text = try? match.object.string(at: access)
      else { continue }
      coreRelocations[index].existsInKernel = (try? match.exists(kind: kind, root: type, access: text)) ?? false
    }
  }

  /// What the type asks for, the helpers' and functions' own demands (kernel/trace/bpf_trace.c, kernel/bpf/helpers.c,
  /// kernel/bpf/syscall.c), those of the object's maps, which are made with every program of it, and what the instructions do
  /// with pointers.
  private static func capabilities(
    _ kind: ProgramKind, _ helpers: [HelperUse], maps: [MapType], _ kernelSymbols: [String],
    _ interpretation: Interpretation
  ) -> [Capability] {
    var needed = kind.type.capabilities
    for type in maps { needed.formUnion(type.capabilities) }
    for symbol in kernelSymbols { needed.formUnion(KernelFunctions.capabilities(symbol)) }
    for helper in helpers {
      if Helper(called: helper.id) == .probeWriteUser { needed.insert(.sysAdmin) }
      if KnownHelper[helper.id]?.traits.contains(.needsPerfmon) == true { needed.insert(.perfmon) }
    }
    // Followed only where nothing asks for it already.
    if !needed.contains(.perfmon), interpretation.needsPerfmon(kind.type) { needed.insert(.perfmon) }
    return [.bpf] + [.netAdmin, .perfmon, .sysAdmin, .sysBoot].filter { needed.contains($0) }
  }
}
