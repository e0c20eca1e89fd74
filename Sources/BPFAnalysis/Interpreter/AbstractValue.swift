/// What is known of a register or of eight bytes of stack.
///
/// Three things are followed side by side: what the value may be (a set that only grows where ways meet), which number it
/// is (known, or not), and which CO-RE records went into it (where ways disagree, nobody can say).
struct AbstractValue: Equatable {
  /// What a value may be. What is not known may be everything.
  struct Kinds: OptionSet, Equatable {
    let rawValue: UInt8

    /// A pointer to a structure of the kernel, through which a load reads the kernel's memory.
    static let kernel = Kinds(rawValue: 1)
    /// The program's context, or an address in it.
    static let context = Kinds(rawValue: 2)
    /// The address of a map, which the kernel lets a program read like a structure of its own (`struct bpf_map`, Linux 5.9;
    /// kernel/bpf/verifier.c, check_ptr_to_map_access).
    static let map = Kinds(rawValue: 4)
    /// An address in the stack of some function of the program.
    static let stack = Kinds(rawValue: 8)
    /// The address of memory that the program may write to or that the kernel shows it: a packet, a map's value, a socket.
    static let memory = Kinds(rawValue: 16)
    /// A number, which the verifier lets nobody load through.
    static let number = Kinds(rawValue: 32)

    static let all: Kinds = [.kernel, .context, .map, .stack, .memory, .number]
    /// What has nothing to do with the kernel's own structures.
    static let harmless: Kinds = [.memory, .number]
    /// What a value is that was read out of a structure of the kernel.
    static let readFromKernel: Kinds = [.kernel, .number]
    /// A load through one of these reads the kernel.
    static let leadIntoKernel: Kinds = [.kernel, .map]
  }

  /// Which number a value is.
  enum Number: Equatable {
    case unknown
    case constant(UInt64)
    /// A map's address, by its index in `fd_array`.
    case map(Int32)
    /// An address in a map's first value.
    case mapValue(map: Int32, offset: UInt64)
    /// An address in the running function's own stack, in bytes from its top.
    case frame(Int32)
  }

  /// Which CO-RE records went into a value.
  enum Records: Equatable {
    /// None, and nothing was added to it since it came.
    case none
    /// A pointer of the case above, plus the offset of a field that this record fills in.
    case fieldOffset(Int32)
    /// The size of a field.
    case fieldSize(Int32)
    /// Several, or arithmetic beyond adding an offset once: nothing that it leads to has a name.
    case mixed
  }

  var kinds: Kinds = .harmless
  var number: Number = .unknown
  var records: Records = .none

  /// A number, or an address in the program's own memory, of which nothing is known.
  static let unknown = AbstractValue()
  /// Everything that a value can be.
  static let anything = AbstractValue(kinds: .all, records: .mixed)

  /// A number that the program says.
  static func constant(_ number: UInt64) -> AbstractValue { AbstractValue(number: .constant(number)) }

  /// What holds on both ways.
  func joined(with other: AbstractValue) -> AbstractValue {
    AbstractValue(
      kinds: kinds.union(other.kinds),
      number: number == other.number ? number : .unknown,
      records: records == other.records ? records : .mixed)
  }

  /// The same value as another function sees it, where addresses count from another frame, or after a way that the
  /// verifier may follow with other numbers.
  var withoutNumber: AbstractValue { AbstractValue(kinds: kinds, records: records) }
}
