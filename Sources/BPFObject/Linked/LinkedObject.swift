public import KernelABI

/// A BPF object linked into the exact arrays that bpf(2) takes.
///
/// Linking is pure: the same object bytes give the same `LinkedObject` on every machine. What depends on the running
/// kernel is not here but listed: CO-RE records are handed to the kernel, attach targets are names, and the maps are
/// referred to by their index in `fd_array` (BPF_PSEUDO_MAP_IDX, include/uapi/linux/bpf.h).
public struct LinkedObject: Equatable, Sendable {
  /// The `license` section, at most 127 bytes.
  public let license: String
  /// `.BTF`, fixed up so that BPF_BTF_LOAD takes it (DATASEC sizes and offsets, linkage of externs; ``typeEdits``). Empty
  /// where the object has none.
  public let btf: [UInt8]
  /// In the order of `fd_array`: an instruction's map index is an index into this list.
  public internal(set) var maps: [LinkedMap]
  /// In the order of their sections and offsets in the object.
  public internal(set) var programs: [LinkedProgram]
  /// What the running kernel must have for the object, see ``resolving(_:configuration:)``. Empty unless externs were
  /// allowed when the object was linked.
  public internal(set) var externs: [KernelExtern] = []
  /// What the kernel's configuration says goes into map ``configurationMap``, field by field.
  public internal(set) var configuration: [ConfigurationField] = []
  /// The index of the `.kconfig` map in ``maps``.
  public internal(set) var configurationMap: Int?
  /// The kernel structures that the object implements. Like ``externs``, empty unless externs were allowed.
  public internal(set) var structOps: [StructOps] = []
  /// What is different in ``btf`` because no kernel takes it as the object has it, in the order of the types.
  public internal(set) var typeEdits: [TypeEdit] = []
  /// The variables that hold addresses in the object's source, which no loader fills in.
  public internal(set) var dataPointers: [DataPointers] = []
  /// What is in an object that has no programs, in words; nil for one that has.
  public internal(set) var contentsWithoutPrograms: String?
  /// Whether an unprivileged helper has read what its instructions refer to, and what its types say: see
  /// ``ObjectTables/link(_:)``.
  public internal(set) var isLinkedByHelper = false
  /// What the author says that programs may do under lockdown.
  public internal(set) var annotations: [Annotation] = []
  /// What the author says that programs read of the kernel's memory.
  public internal(set) var readDeclarations: [ReadDeclaration] = [] {
    didSet {
      declarationIndexes = Dictionary(
        readDeclarations.enumerated().map { ($1.program, $0) }, uniquingKeysWith: { first, _ in first })
    }
  }
  private var declarationIndexes: [String: Int] = [:]

  /// An object without externs; linking adds those.
  public init(license: String, btf: [UInt8], maps: [LinkedMap], programs: [LinkedProgram]) {
    self.license = license
    self.btf = btf
    self.maps = maps
    self.programs = programs
  }

  /// What the author says that this program reads; nil when nothing is said.
  package func readDeclaration(of program: String) -> ReadDeclaration? {
    declarationIndexes[program].map { readDeclarations[$0] }
  }
}

/// A map to create, as BPF_MAP_CREATE takes it.
public struct LinkedMap: Equatable, Sendable {
  /// Where the map comes from.
  public enum Origin: Equatable, Sendable {
    /// A variable in the `.maps` section.
    case declared
    /// A data section (`.rodata`, `.data`, `.bss`, `.data.custom` …) as a one-entry array; the associated value is the section's name.
    case data(section: String)
    /// The targets of a program's indirect jumps (`.jumptables`).
    case jumpTable
  }

  /// Where the map comes from.
  public var origin: Origin
  /// The name in the object; the kernel's name is at most 15 bytes of `[A-Za-z0-9_.]` and is made by ``kernelName``.
  public var name: String
  /// ``KernelABI/MapType/unspec`` for a type that is not known here; then ``unknownType`` has its number.
  public var type: MapType
  /// The number of a type that came with a newer kernel than this build knows; nil for every other.
  public var unknownType: UInt32?
  /// Bytes.
  public var keySize: UInt32
  /// Bytes. 0 in a STACK_TRACE means ``KernelABI/StackTrace/valueSize(flags:)``, filled in when the map is created.
  public var valueSize: UInt32
  /// 0 in a PERF_EVENT_ARRAY means one entry a possible CPU, filled in when the map is created.
  public var maxEntries: UInt32
  /// `BPF_F_*` of BPF_MAP_CREATE.
  public var flags: UInt32
  /// `map_extra` of BPF_MAP_CREATE, whose meaning is the type's own.
  public var mapExtra: UInt64
  /// The NUMA node that the object names, if it does.
  public var numaNode: UInt32?
  /// Type ids in ``LinkedObject/btf``; 0 when the map has none.
  public var btfKeyTypeID: UInt32
  public var btfValueTypeID: UInt32
  /// The template of the inner map, for map-in-map types (at most one element).
  public var inner: [LinkedMap]
  /// What entry 0 holds at first (data sections), or an arena's first bytes; empty when there is nothing to write.
  public var initialValue: [UInt8]
  /// What each entry of a jump table leads to: instructions from the program's start.
  public var jumpTargets: [UInt32]
  /// Bytes of an entry of a jump table (`struct bpf_insn_array_value`, include/uapi/linux/bpf.h), of which the first four are
  /// the target.
  public static let jumpTargetSize: UInt32 = 16
  /// Whether the map is frozen against user space once it is filled (`.rodata`).
  public var isFrozen: Bool
  /// Whether the object asks for LIBBPF_PIN_BY_NAME.
  public var pinsByName: Bool
  /// Static initial contents of a PROG_ARRAY or map-in-map: slot and the name of the program or map it holds.
  public var initialSlots: [InitialSlot]

  /// What one slot of a map of programs or maps holds at first.
  public struct InitialSlot: Equatable, Sendable {
    /// The slot, from 0.
    public let index: UInt32
    /// The name of a program or map of the same object.
    public let target: String

    /// Fills a slot.
    public init(index: UInt32, target: String) {
      self.index = index
      self.target = target
    }
  }

  /// A map of this type, everything else zero or empty.
  public init(origin: Origin, name: String, type: MapType) {
    self.origin = origin
    self.name = name
    self.type = type
    unknownType = nil
    keySize = 0
    valueSize = 0
    maxEntries = 0
    flags = 0
    mapExtra = 0
    numaNode = nil
    btfKeyTypeID = 0
    btfValueTypeID = 0
    inner = []
    initialValue = []
    jumpTargets = []
    isFrozen = false
    pinsByName = false
    initialSlots = []
  }

  /// The type as bpftool prints it; `type 99` where it is not known here.
  public var typeName: String { unknownType.map { "type \($0)" } ?? type.name }

  /// The first 15 bytes of the name, other characters than `[A-Za-z0-9_.]` replaced by `_` (kernel/bpf/syscall.c, bpf_obj_name_cpy).
  public var kernelName: String { LinkedProgram.kernelName(of: name) }
}

/// A program to load, as BPF_PROG_LOAD takes it.
public struct LinkedProgram: Equatable, Sendable {
  /// The function's name.
  public var name: String
  /// The ELF section, `xdp`, `tp_btf/sched_switch` …
  public var section: String
  /// What the section name says the program is.
  public var kind: ProgramKind
  /// The program and the subprograms appended to it, 8 bytes an instruction.
  public var instructions: [UInt8]
  /// `struct bpf_func_info` records: instruction offsets in instructions from the program's start. Empty only where there
  /// are no ``coreRelocations``: without them the kernel silently ignores CO-RE records (kernel/bpf/verifier.c,
  /// check_btf_info).
  public var funcInfo: [UInt8]
  /// Bytes a func_info record has.
  public var funcInfoRecordSize: UInt32
  /// `struct bpf_line_info` records: instruction offsets in instructions from the program's start.
  public var lineInfo: [UInt8]
  /// Bytes a line_info record has.
  public var lineInfoRecordSize: UInt32
  /// `struct bpf_core_relo` records: instruction offsets in bytes from the program's start.
  public var coreRelocations: [UInt8]
  /// Bytes a core_relo record has.
  public var coreRelocationRecordSize: UInt32
  /// Every instruction that linking changed, in order; all others are the object's own bytes.
  public var edits: [InstructionEdit]
  /// The instructions that refer to ``LinkedObject/externs``, in order.
  public var externUses: [ExternUse]
  /// The CO-RE records that the loader answers in the kernel's place, see ``LinkedObject/answerRecords()``.
  public internal(set) var answered: [AnsweredRecord] = []
  /// Why it could not be linked; nil for every other. It has no instructions then, and nothing is known of it but what its section
  /// says: the other programs of the object can be loaded, see ``LinkedObject/requireLoadable()``.
  public internal(set) var linkError: BPFObjectError?

  /// A program without instructions.
  public init(name: String, section: String, kind: ProgramKind) {
    self.name = name
    self.section = section
    self.kind = kind
    instructions = []
    funcInfo = []
    funcInfoRecordSize = 8
    lineInfo = []
    lineInfoRecordSize = 16
    coreRelocations = []
    coreRelocationRecordSize = 16
    edits = []
    externUses = []
  }

  /// The first 15 bytes of the name, other characters than `[A-Za-z0-9_.]` replaced by `_`.
  public var kernelName: String { Self.kernelName(of: name) }

  static func kernelName(of name: String) -> String {
    let allowed = name.utf8.prefix(15).map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
        byte
      default: UInt8(ascii: "_")
      }
    }
    return String(decoding: allowed, as: UTF8.self)
  }
}

/// One instruction that linking changed, so that a reader can compare what was proven with what is loaded.
public struct InstructionEdit: Equatable, Sendable {
  /// What the instruction refers to.
  public enum Reason: Equatable, Sendable {
    /// A map's index in `fd_array` (BPF_PSEUDO_MAP_IDX).
    case mapIndex(map: String)
    /// A map's index and an offset in its value (BPF_PSEUDO_MAP_IDX_VALUE).
    case mapValue(map: String, offset: UInt32)
    /// The distance to a subprogram (BPF_PSEUDO_CALL).
    case call(function: String)
    /// The distance to a callback (BPF_PSEUDO_FUNC).
    case functionAddress(function: String)
    /// A function or variable of the running kernel (BPF_PSEUDO_KFUNC_CALL, BPF_PSEUDO_BTF_ID, or an address).
    case kernelSymbol(name: String)
    /// The answer to a CO-RE record that the kernel does not follow.
    case coreAnswer(subject: String)
  }

  /// The instruction's index in the linked program; of a 64-bit load, which takes two places, that of the first.
  public let index: Int
  /// Why it was changed.
  public let reason: Reason

  /// Notes a change.
  public init(index: Int, reason: Reason) {
    self.index = index
    self.reason = reason
  }
}
