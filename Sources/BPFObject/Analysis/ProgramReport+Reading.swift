internal import BPFNames
internal import ByteKit

extension ProgramReport {
  /// Reads a linked program.
  ///
  /// - Parameter btf: the object's type information; nil when it cannot be read, and then names are missing.
  init(_ program: LinkedProgram, in object: LinkedObject, btf: BTF?) {
    name = program.name
    section = program.section
    kind = program.kind
    typeName = TypeNames.program(program.kind.type)
    attachTypeName = Self.hasAttachType(program.kind) ? TypeNames.attach(program.kind.expectedAttachType) : nil
    isSleepable = program.kind.flags & 16 != 0
    instructionCount = program.instructions.count / Instruction.size
    editedInstructionCount = program.edits.count
    let scan = Scan(program)
    helpers = scan.helpers.sorted { $0.key < $1.key }.map {
      HelperUse(id: $0.key, name: HelperNames.name($0.key), instructions: $0.value)
    }
    maps = scan.maps.sorted().compactMap { $0 < object.maps.count ? object.maps[$0].name : nil }
    kernelSymbols = Set(program.externUses.map(\.extern)).sorted().compactMap {
      $0 < object.externs.count ? object.externs[$0].name : nil
    }
    subprograms = Self.functions(program, btf).dropFirst().map { $0 }
    coreRelocations = Self.coreRelocations(program, btf)
    restrictions =
      LockdownRestriction.restrictions(of: helpers, live: LiveCode(program, in: object))
      + LockdownRestriction.restrictions(of: program.kind, section: program.section)
    capabilities = Self.capabilities(program.kind, helpers)
    var flow = PointerFlow(
      program, contextHoldsPointers: KernelRead.holdsPointers(typeName),
      // A type tag on a map's field (`__kptr`) says that the field holds a pointer to a kernel structure.
      mapsHoldPointers: btf?.types.contains { $0.kind == .typeTag } ?? true)
    let declaration = object.readDeclarations.first { $0.program == program.name }
    // What nobody declares nobody need prove.
    var records = RecordFlow(program, records: declaration == nil ? [] : coreRelocations)
    let named = records.subjects(copying: KernelRead.copyingHelpers)
    kernelReads = KernelRead.reads(loads: flow.loads(), helpers: helpers, relocations: coreRelocations, named: named)
    readDeclaration = declaration
    undeclaredReads = UndeclaredRead.all(
      reads: kernelReads, named: named, helpers: helpers, flow: flow,
      kernelFunctions: scan.kernelFunctions, declaration: readDeclaration)
    let usedMaps = scan.maps.sorted().compactMap { $0 < object.maps.count ? object.maps[$0] : nil }
    classObjections = RestrictedClass.objections(
      kind: typeName, isSleepable: isSleepable, maysGoOn: scan.maysGoOn, helpers: helpers, kernelReads: kernelReads,
      kernelSymbols: kernelSymbols, maps: object.maps)
    requirements = KernelRequirement.all(
      kind: typeName, attachType: attachTypeName, helpers: helpers,
      mapTypes: usedMaps.map { TypeNames.map($0.type) },
      hasMaps: !scan.maps.isEmpty, hasCoreRelocations: !coreRelocations.isEmpty, isSleepable: isSleepable,
      usesKernelFunctions: !kernelSymbols.isEmpty)
  }

  /// Attach type 0 is cgroup_inet_ingress, which only cgroup_skb programs mean by it.
  private static func hasAttachType(_ kind: ProgramKind) -> Bool {
    kind.expectedAttachType != 0 || TypeNames.program(kind.type) == "cgroup_skb"
  }

  /// What the instructions refer to, by one walk over them.
  private struct Scan {
    var helpers: [UInt32: [Int]] = [:]
    var maps: Set<Int> = []
    /// Calls of kernel functions.
    var kernelFunctions: [Int] = []
    /// Whether there is a BPF_JCOND (may_goto, Linux 6.9), whose loops the verifier does not follow to their end.
    var maysGoOn = false

    init(_ program: LinkedProgram) {
      let bytes = program.instructions.rawSpan
      var offset = 0
      while let code = try? bytes.u8(at: offset), let source = try? bytes.u8(at: offset + 1) >> 4,
        let immediate = try? bytes.u32(at: offset + 4)
      {
        switch (code, source) {
        case (Instruction.call, Instruction.Call.helper):
          helpers[immediate, default: []].append(offset / Instruction.size)
        case (Instruction.call, Instruction.Call.kernelFunction):
          kernelFunctions.append(offset / Instruction.size)
        case (Instruction.loadImmediate64, Instruction.Load.mapIndex),
          (Instruction.loadImmediate64, Instruction.Load.mapIndexValue):
          maps.insert(Int(immediate))
        case (Instruction.mayGoTo, _):
          maysGoOn = true
        default: break
        }
        offset += code == Instruction.loadImmediate64 ? 2 * Instruction.size : Instruction.size
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
        let access = try? records.u32(at: record + 8), let kind = try? records.u32(at: record + 12)
      else { break }
      let path = try? btf?.string(at: access)
      let relocated = path.flatMap { btf?.relocated(kind: kind, typeID: type, access: $0) }
      let name = kind < CoreRelocation.kinds.count ? CoreRelocation.kinds[Int(kind)] : "\(kind)"
      relocations.append(
        CoreRelocation(
          kind: name, subject: relocated?.subject, instruction: Int(offset) / Instruction.size, size: relocated?.size))
    }
    return relocations
  }

  /// Asks a kernel about each relocation; what cannot be read there does not exist there.
  mutating func match(_ program: LinkedProgram, _ match: CoreMatch) {
    let records = program.coreRelocations.rawSpan
    let size = max(16, Int(program.coreRelocationRecordSize))
    for index in coreRelocations.indices {
      guard let type = try? records.u32(at: index * size + 4), let access = try? records.u32(at: index * size + 8),
        let kind = try? records.u32(at: index * size + 12), let text = try? match.object.string(at: access)
      else { continue }
      coreRelocations[index].existsInKernel = (try? match.exists(kind: kind, root: type, access: text)) ?? false
    }
  }

  /// After kernel/bpf/syscall.c (bpf_prog_load, is_net_admin_prog_type, is_perfmon_prog_type) and the helpers' own
  /// demands (kernel/trace/bpf_trace.c, kernel/bpf/helpers.c, kernel/bpf/syscall.c).
  private static func capabilities(_ kind: ProgramKind, _ helpers: [HelperUse]) -> [RequiredCapability] {
    var needed: Set<RequiredCapability> = [.bpf]
    switch TypeNames.program(kind.type) {
    case "sched_cls", "sched_act", "xdp", "lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local", "sk_skb", "sk_msg",
      "flow_dissector", "cgroup_device", "cgroup_sock", "cgroup_sock_addr", "cgroup_sockopt", "cgroup_sysctl",
      "sock_ops", "netfilter":
      needed.insert(.netAdmin)
    case "kprobe", "tracepoint", "perf_event", "raw_tracepoint", "raw_tracepoint_writable", "tracing", "lsm",
      "struct_ops":
      needed.insert(.perfmon)
    case "ext": needed.formUnion([.netAdmin, .perfmon])
    default: break
    }
    for helper in helpers {
      guard let name = helper.name else { continue }
      if name == "probe_write_user" { needed.insert(.sysAdmin) }
      if performanceHelpers.contains(name) { needed.insert(.perfmon) }
    }
    return RequiredCapability.allCases.filter(needed.contains)
  }

  /// The helpers that need CAP_PERFMON.
  private static let performanceHelpers: Set<String> = [
    "probe_read", "probe_read_str", "probe_read_kernel", "probe_read_kernel_str", "sys_bpf", "probe_read_user",
    "probe_read_user_str", "get_current_task", "get_current_task_btf", "task_pt_regs", "trace_printk", "trace_vprintk",
    "snprintf", "snprintf_btf", "kallsyms_lookup_name",
  ]
}
