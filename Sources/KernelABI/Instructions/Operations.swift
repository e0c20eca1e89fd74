/// What an instruction of class ALU or ALU64 computes: the highest four bits of its opcode.
public enum ArithmeticOperation: UInt8, KernelConstant {
  case add = 0x00
  case sub = 0x10
  case mul = 0x20
  case div = 0x30
  case or = 0x40
  case and = 0x50
  case lsh = 0x60
  case rsh = 0x70
  case neg = 0x80
  case mod = 0x90
  case xor = 0xa0
  case mov = 0xb0
  case arsh = 0xc0
  case end = 0xd0

  public static let prefix = "BPF_"

  public var entry: KernelEntry {
    switch self {
    case .add: KernelEntry("add", 3, 18)
    case .sub: KernelEntry("sub", 3, 18)
    case .mul: KernelEntry("mul", 3, 18)
    case .div: KernelEntry("div", 3, 18)
    case .or: KernelEntry("or", 3, 18)
    case .and: KernelEntry("and", 3, 18)
    case .lsh: KernelEntry("lsh", 3, 18)
    case .rsh: KernelEntry("rsh", 3, 18)
    case .neg: KernelEntry("neg", 3, 18)
    case .mod: KernelEntry("mod", 3, 18)
    case .xor: KernelEntry("xor", 3, 18)
    case .mov: KernelEntry("mov", 3, 18)
    case .arsh: KernelEntry("arsh", 3, 18)
    case .end: KernelEntry("end", 3, 18)
    }
  }
}

/// What an instruction of class JMP or JMP32 does: the highest four bits of its opcode.
public enum JumpOperation: UInt8, KernelConstant {
  case ja = 0x00
  case jeq = 0x10
  case jgt = 0x20
  case jge = 0x30
  case jset = 0x40
  case jne = 0x50
  case jsgt = 0x60
  case jsge = 0x70
  case call = 0x80
  case exit = 0x90
  case jlt = 0xa0
  case jle = 0xb0
  case jslt = 0xc0
  case jsle = 0xd0
  /// `may_goto`: jumps when the program has gone on for too long.
  case jcond = 0xe0

  public static let prefix = "BPF_"

  public var entry: KernelEntry {
    switch self {
    case .ja: KernelEntry("ja", 3, 18)
    case .jeq: KernelEntry("jeq", 3, 18)
    case .jgt: KernelEntry("jgt", 3, 18)
    case .jge: KernelEntry("jge", 3, 18)
    case .jset: KernelEntry("jset", 3, 18)
    case .jne: KernelEntry("jne", 3, 18)
    case .jsgt: KernelEntry("jsgt", 3, 18)
    case .jsge: KernelEntry("jsge", 3, 18)
    case .call: KernelEntry("call", 3, 18)
    case .exit: KernelEntry("exit", 3, 18)
    case .jlt: KernelEntry("jlt", 4, 14)
    case .jle: KernelEntry("jle", 4, 14)
    case .jslt: KernelEntry("jslt", 4, 14)
    case .jsle: KernelEntry("jsle", 4, 14)
    case .jcond: KernelEntry("jcond", 6, 9)
    }
  }
}

/// Where an instruction of class ALU, ALU64, JMP or JMP32 has its second operand: bit 3 of its opcode.
public enum OperandSource: UInt8, KernelConstant {
  /// The immediate.
  case constant = 0x00
  /// The source register.
  case register = 0x08

  public static let prefix = "BPF_"

  public var entry: KernelEntry {
    switch self {
    case .constant: KernelEntry("k", 3, 18)
    case .register: KernelEntry("x", 3, 18)
    }
  }
}
