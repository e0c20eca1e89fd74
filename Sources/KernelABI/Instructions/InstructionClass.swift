/// The lowest three bits of an opcode (include/uapi/linux/bpf_common.h and bpf.h;
/// Documentation/bpf/standardization/instruction-set.rst). All eight are taken, so every opcode has a class.
public enum InstructionClass: UInt8, KernelConstant {
  case ld = 0
  case ldx = 1
  case st = 2
  case stx = 3
  case alu = 4
  case jmp = 5
  case jmp32 = 6
  case alu64 = 7

  public static let prefix = "BPF_"

  public var entry: KernelEntry {
    switch self {
    case .ld: KernelEntry("ld", 3, 18)
    case .ldx: KernelEntry("ldx", 3, 18)
    case .st: KernelEntry("st", 3, 18)
    case .stx: KernelEntry("stx", 3, 18)
    case .alu: KernelEntry("alu", 3, 18)
    case .jmp: KernelEntry("jmp", 3, 18)
    case .jmp32: KernelEntry("jmp32", 5, 1)
    case .alu64: KernelEntry("alu64", 3, 18)
    }
  }
}
