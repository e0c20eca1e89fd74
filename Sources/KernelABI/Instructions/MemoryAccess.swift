/// How many bytes a load or store moves: bits 3 and 4 of its opcode.
public enum AccessSize: UInt8, KernelConstant {
  case word = 0x00
  case halfWord = 0x08
  case byte = 0x10
  case doubleWord = 0x18

  public static let prefix = "BPF_"

  public var entry: KernelEntry {
    switch self {
    case .word: KernelEntry("w", 3, 18)
    case .halfWord: KernelEntry("h", 3, 18)
    case .byte: KernelEntry("b", 3, 18)
    case .doubleWord: KernelEntry("dw", 3, 18)
    }
  }

  public var bytes: Int {
    switch self {
    case .word: 4
    case .halfWord: 2
    case .byte: 1
    case .doubleWord: 8
    }
  }
}

/// Where a load or store finds its bytes: the highest three bits of its opcode. Two of the eight values are not taken;
/// classic BPF used one of them, which no program for bpf(2) has.
public enum AccessMode: UInt8, KernelConstant {
  /// The instruction itself, and the slot behind it.
  case immediate = 0x00
  /// A packet, at a constant offset.
  case absolute = 0x20
  /// A packet, at an offset in a register.
  case indirect = 0x40
  /// Memory.
  case memory = 0x60
  /// Memory, with the sign extended.
  case memorySignExtending = 0x80
  /// Memory, by an operation that the immediate names (``AtomicOperation``).
  case atomic = 0xc0

  public static let prefix = "BPF_"

  public var entry: KernelEntry {
    switch self {
    case .immediate: KernelEntry("imm", 3, 18)
    case .absolute: KernelEntry("abs", 3, 18)
    case .indirect: KernelEntry("ind", 3, 18)
    case .memory: KernelEntry("mem", 3, 18)
    case .memorySignExtending: KernelEntry("memsx", 6, 6)
    case .atomic: KernelEntry("atomic", 3, 18)
    }
  }
}

/// What an instruction of class STX and mode ATOMIC does: its immediate.
public enum AtomicOperation: Int32, KernelNumber {
  case add = 0x00
  case or = 0x40
  case and = 0x50
  case xor = 0xa0
  case fetchAdd = 0x01
  case fetchOr = 0x41
  case fetchAnd = 0x51
  case fetchXor = 0xa1
  case exchange = 0xe1
  case compareExchange = 0xf1
  case loadAcquire = 0x100
  case storeRelease = 0x110

  public static let prefix = "BPF_"

  /// The headers name the first four as operations that compute (BPF_ADD), and have no name for those that fetch:
  /// BPF_FETCH is added to the others.
  public var name: String {
    switch self {
    case .add: "add"
    case .or: "or"
    case .and: "and"
    case .xor: "xor"
    case .fetchAdd: "fetch_add"
    case .fetchOr: "fetch_or"
    case .fetchAnd: "fetch_and"
    case .fetchXor: "fetch_xor"
    case .exchange: "xchg"
    case .compareExchange: "cmpxchg"
    case .loadAcquire: "load_acq"
    case .storeRelease: "store_rel"
    }
  }

  public var headerName: String {
    switch self {
    case .fetchAdd: "BPF_ADD|BPF_FETCH"
    case .fetchOr: "BPF_OR|BPF_FETCH"
    case .fetchAnd: "BPF_AND|BPF_FETCH"
    case .fetchXor: "BPF_XOR|BPF_FETCH"
    case .add, .or, .and, .xor, .exchange, .compareExchange, .loadAcquire, .storeRelease:
      Self.prefix + name.uppercased()
    }
  }

  public var since: KernelRelease {
    switch self {
    case .add: KernelRelease(3, 18)
    case .or, .and, .xor, .fetchAdd, .fetchOr, .fetchAnd, .fetchXor, .exchange, .compareExchange: KernelRelease(5, 12)
    case .loadAcquire, .storeRelease: KernelRelease(6, 15)
    }
  }

  /// Whether the register that the instruction names as its source gets what the memory held; of `cmpxchg`, r0 does, and
  /// of `load_acq` the destination.
  public var fetches: Bool {
    switch self {
    case .fetchAdd, .fetchOr, .fetchAnd, .fetchXor, .exchange: true
    case .add, .or, .and, .xor, .compareExchange, .loadAcquire, .storeRelease: false
    }
  }
}
