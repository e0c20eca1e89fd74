internal import BPFObject
internal import KernelABI
internal import Base

/// What of a program the analyses follow, and whether any pointer into the kernel can be in it.
///
/// ``PointerFlow``, ``RecordFlow`` and ``LiveCode`` each follow a part of what programs do. Their answers are offered as
/// reasons to admit a program, so everything beyond that part is found here first, by a list of what they do follow.
struct FollowedProgram {
  /// What the analyses do not follow, each kind once, in the order of the instructions, what lies beside them last.
  private(set) var unfollowed: [UnfollowedConstruct] = []
  /// Whether anything hands the program a pointer to a structure of the kernel. Where nothing does, no load can go
  /// through one, whichever way values take: through callbacks, memory or the results of functions. (What a map's own
  /// address leads to is followed by ``PointerFlow``, for every program with maps has such addresses.)
  private(set) var hasPointerSources: Bool
  /// The first instruction that takes a function's address.
  private var callback: Int?

  /// Whether a function's address is taken, so that a helper may call it.
  var hasCallbacks: Bool { callback != nil }

  init(_ program: LinkedProgram, in object: LinkedObject, btf: BTF?, contextHoldsPointers: Bool, usedMaps: [LinkedMap])
  {
    hasPointerSources = contextHoldsPointers || !program.externUses.isEmpty || Self.hasTypeTags(btf)
    scan(program)
    if let callback, hasPointerSources {
      unfollowed.append(UnfollowedConstruct("a callback in a program that gets pointers into the kernel", at: callback))
    }
    unfollowed += Self.beside(object, btf, usedMaps)
  }

  /// Whether the answers of the analyses hold.
  var isWhole: Bool { unfollowed.isEmpty }

  /// Looks at every instruction.
  private mutating func scan(_ program: LinkedProgram) {
    let code = program.instructions.rawSpan
    var seen: Set<String> = []
    var index = 0
    while let found = Instruction(at: index, in: code) {
      let isWide = found.opcode == Instruction.loadImmediate64
      switch InstructionForm(found, next: isWide ? Instruction(at: index + 1, in: code) : nil) {
      case .followed: break
      case .unfollowed(let text):
        if seen.insert(text).inserted { unfollowed.append(UnfollowedConstruct(text, at: index)) }
      case .unknown:
        let text = "opcode 0x\(String(found.opcode, radix: 16)) in a form that is not known here"
        if seen.insert(text).inserted {
          unfollowed.append(UnfollowedConstruct(text, at: index, isUnknownInstruction: true))
        }
      }
      if isWide, found.sourceField == Instruction.Load.btfID { hasPointerSources = true }
      if isWide, found.sourceField == Instruction.Load.function { callback = callback ?? index }
      if found.opcode == Instruction.call { noteCall(found) }
      index += isWide ? 2 : 1
    }
  }

  /// A helper that nobody looked at may return a pointer, or hand one to a callback.
  private mutating func noteCall(_ found: Instruction) {
    switch PseudoCall(rawValue: found.sourceField) {
    case .function: break
    case .kernelFunction: hasPointerSources = true
    // 0 is a helper; what else it may be is no form that is followed.
    case nil:
      let helper = KnownHelper[UInt32(bitPattern: found.immediate)]
      if helper?.memory == nil || helper?.traits.contains(.returnsPointer) != false { hasPointerSources = true }
    }
  }

  /// A type tag on a map's field (`__kptr`) says that the field holds a pointer to a structure of the kernel.
  static func hasTypeTags(_ btf: BTF?) -> Bool { btf?.types.contains { $0.kind == .typeTag } ?? true }

  /// What the object does beside its instructions.
  private static func beside(_ object: LinkedObject, _ btf: BTF?, _ maps: [LinkedMap]) -> [UnfollowedConstruct] {
    var found: [UnfollowedConstruct] = []
    for structure in object.structOps {
      found.append(UnfollowedConstruct("the structure of functions \(structure.typeName) in \(structure.name)"))
    }
    for map in maps {
      // The kernel takes the pinned map's own types, and what is in it was put there by others.
      if map.pinsByName { found.append(UnfollowedConstruct("map \(map.name), which is shared by its name")) }
      for shape in [map] + map.inner where !isFollowed(shape.type) {
        found.append(UnfollowedConstruct("map \(map.name) of type \(shape.type.name)"))
      }
    }
    guard let btf else { return found + [UnfollowedConstruct("type information that cannot be read")] }
    // A tag makes a number of a global function's argument a pointer (`arg:untrusted`), and names functions that are
    // called without an instruction (`exception_callback:`).
    var tags: Set<String> = []
    for type in btf.types where type.kind == .declarationTag {
      let name = (try? btf.name(of: type)) ?? ""
      if tags.insert(name).inserted { found.append(UnfollowedConstruct("the declaration tag `\(name)`")) }
    }
    return found
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
