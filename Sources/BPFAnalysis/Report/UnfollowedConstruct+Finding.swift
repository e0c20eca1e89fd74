internal import BPFObject
internal import Base
internal import KernelABI

extension UnfollowedConstruct {
  /// All that is not followed, each kind once: in the order of the instructions, what lies beside them last.
  ///
  /// - Parameter shared: what lies beside the instructions of all programs.
  static func all(
    in program: LinkedProgram, of object: LinkedObject, shared: SharedConstructs, code: [DecodedInstruction]
  ) -> [UnfollowedConstruct] {
    var found: [UnfollowedConstruct] = []
    var seen: Set<String> = []
    func add(_ construct: UnfollowedConstruct) {
      if seen.insert(construct.description).inserted { found.append(construct) }
    }
    var usedMaps: Set<Int> = []
    if program.linkError != nil {
      add(UnfollowedConstruct("a program that cannot be linked", isUnknown: true))
    }
    for (index, instruction) in code.enumerated() {
      switch instruction {
      case .unknown where program.linkError != nil: break
      case .loadMap(_, let map), .loadMapValue(_, let map, _): usedMaps.insert(map)
      case .unfollowed(let form): add(UnfollowedConstruct(form.text, at: index))
      case .unknown:
        let opcode = Instruction(at: index, in: program.instructions.rawSpan)?.opcode ?? 0
        add(
          UnfollowedConstruct(
            "opcode 0x\(String(opcode, radix: 16)) in a form that is not known here", at: index, isUnknown: true))
      case .loadNumber, .loadKernelVariable, .loadFunction, .loadPacket, .load, .store, .atomic, .move, .compute, .jump,
        .mayJump, .branch, .callHelper, .callFunction, .callKernelFunction, .exit, .secondSlot:
        break
      }
    }
    if program.kind.type == .unspec {
      add(UnfollowedConstruct("a section whose name says no type of programs", isUnknown: true))
    }
    let unknownFlags = program.kind.flags & ~ProgramFlag.allCases.reduce(0) { $0 | $1.rawValue }
    if unknownFlags != 0 {
      add(UnfollowedConstruct("program flags 0x\(String(unknownFlags, radix: 16))", isUnknown: true))
    }
    for index in usedMaps.sorted() where object.maps.indices.contains(index) {
      let map = object.maps[index]
      for shape in [map] + map.inner where !isFollowed(shape.type) {
        let type = shape.unknownType.map { "\($0)" } ?? shape.type.name
        add(UnfollowedConstruct("map \(map.name) of type \(type)", isUnknown: shape.unknownType != nil))
      }
    }
    return found + shared.unfollowed
  }

  /// Types of maps whose values are bytes that programs or user space put there, or objects that are only handed to
  /// helpers.
  private static func isFollowed(_ type: MapType) -> Bool {
    switch type {
    case .hash, .array, .progArray, .perfEventArray, .percpuHash, .percpuArray, .stackTrace, .cgroupArray, .lruHash,
      .lruPercpuHash, .lpmTrie, .arrayOfMaps, .hashOfMaps, .devmap, .sockmap, .cpumap, .xskmap, .sockhash,
      .cgroupStorage, .reuseportSockarray, .percpuCgroupStorage, .queue, .stack, .skStorage, .devmapHash, .ringbuf,
      .inodeStorage, .taskStorage, .bloomFilter, .userRingbuf, .cgrpStorage:
      true
    case .unspec, .structOps, .arena, .insnArray, .rhash: false
    }
  }
}

/// What lies beside the instructions of all programs of an object, found once: looking for it again for each program would
/// take the programs times the types.
struct SharedConstructs {
  /// What of it is not followed, each kind once. Of more kinds than ``limit`` only the number is said.
  let unfollowed: [UnfollowedConstruct]
  /// Whether there are type tags, or the types are not known.
  let hasTypeTags: Bool
  /// What keeps every program from the restricted class: the object's maps, which are made whether a program uses them or
  /// not.
  let objections: [ClassObjection]
  /// What kinds of maps are made with every program of the object.
  let maps: MapKinds
  /// The types of functions that the verifier follows at each of their calls; the others it follows once, by themselves.
  let staticFunctions: Set<UInt32>

  /// Kinds that are listed: each program's report has them all, so that more would be programs times kinds.
  static let limit = 8

  init(_ object: LinkedObject, btf: BTF?) {
    var found: [UnfollowedConstruct] = []
    var seen: Set<String> = []
    func add(_ construct: UnfollowedConstruct) {
      if seen.insert(construct.description).inserted { found.append(construct) }
    }
    for structure in object.structOps {
      add(UnfollowedConstruct("the structure of functions \(structure.typeName) in \(structure.name)"))
    }
    for type in btf?.types ?? [] {
      switch type.kind {
      case .declarationTag:
        let name = (try? btf?.name(of: type)) ?? ""
        let tag = DeclarationTag(name)
        if tag?.isFollowed != true { add(UnfollowedConstruct("the declaration tag `\(name)`", isUnknown: tag == nil)) }
      case .typeTag:
        let name = (try? btf?.name(of: type)) ?? ""
        if TypeTag(rawValue: name) == nil { add(UnfollowedConstruct("the type tag `\(name)`", isUnknown: true)) }
      case .void, .int, .pointer, .array, .structure, .union, .enumeration, .forward, .typedef, .volatile, .const,
        .restrict, .function, .functionPrototype, .variable, .dataSection, .float, .enumeration64:
        break
      }
    }
    if btf == nil { add(UnfollowedConstruct("type information that cannot be read", isUnknown: true)) }
    if found.count > Self.limit {
      let rest = found.count - Self.limit
      // The worst that one of those that are not listed may be.
      let isUnknown = found.dropFirst(Self.limit).contains(where: \.isUnknown)
      found = Array(found.prefix(Self.limit))
      found.append(UnfollowedConstruct("\(rest) more structures of functions and tags", isUnknown: isUnknown))
    }
    unfollowed = found
    hasTypeTags = btf?.hasTypeTags ?? true
    objections = RestrictedClass.objections(to: object.maps, limit: Self.limit)
    maps = MapKinds(object.maps)
    staticFunctions = Self.staticFunctions(object)
  }

  /// By the types that are handed to the kernel, where linking has made functions of hidden visibility static.
  private static func staticFunctions(_ object: LinkedObject) -> Set<UInt32> {
    let hasFunctions = object.programs.contains { program in
      RestrictedClass.hasPacketOrSocket(program.kind.type)
        && program.funcInfo.count > max(8, Int(program.funcInfoRecordSize))
    }
    guard hasFunctions, let btf = try? BTF(object.btf.rawSpan) else { return [] }
    return Set(
      btf.types.lazy.filter { $0.kind == .function && $0.vlen == Int(BTFFunctionLinkage.static.rawValue) }.map(\.id))
  }
}

/// Declaration tags that are known here. What the kernel reads is in kernel/bpf/btf.c (btf_prepare_func_args,
/// btf_find_graph_root) and kernel/bpf/verifier.c.
private enum DeclarationTag: String, CaseIterable {
  case context = "arg:ctx"
  case nonNull = "arg:nonnull"
  case nullable = "arg:nullable"
  case trusted = "arg:trusted"
  case untrusted = "arg:untrusted"
  case arena = "arg:arena"
  case exceptionCallback = "exception_callback:"
  case contains = "contains:"
  /// Instructions for the runner of the kernel's own tests (tools/testing/selftests/bpf/test_loader.c).
  case comment = "comment:"

  init?(_ tag: String) {
    guard
      let known = Self.allCases.first(where: { known in
        known.rawValue.hasSuffix(":") ? tag.hasPrefix(known.rawValue) : tag == known.rawValue
      })
    else { return nil }
    self = known
  }

  /// Whether the analysis holds beside it. Most tags make a number of a global function's argument a pointer, or name
  /// functions that no instruction leads to.
  var isFollowed: Bool {
    switch self {
    case .comment: true
    case .context, .nonNull, .nullable, .trusted, .untrusted, .arena, .exceptionCallback, .contains: false
    }
  }
}

/// Type tags that are known here: of fields of maps' values, where they say that the field holds a pointer
/// (kernel/bpf/btf.c, btf_find_kptr), and those that only describe types of the kernel.
private enum TypeTag: String {
  case kernelPointer = "kptr"
  case untrustedPointer = "kptr_untrusted"
  case perCPUPointer = "percpu_kptr"
  case userPointer = "uptr"
  case user = "user"
  case perCPU = "percpu"
  case rcu = "rcu"
  case arena = "arena"
}

extension DecodedInstruction.Unfollowed {
  /// In words, for people.
  fileprivate var text: String {
    switch self {
    case .addressSpaceCast: "a cast between address spaces"
    case .indirectJump: "an indirect jump"
    case .indirectCall: "an indirect call"
    }
  }
}
