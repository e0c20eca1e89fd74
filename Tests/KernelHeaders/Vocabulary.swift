public import KernelABI

/// One type of KernelABI beside what the headers say of the same numbers.
public struct Vocabulary: Sendable {
  /// One of KernelABI's constants.
  public struct Constant: Equatable, Sendable {
    public let headerName: String
    public let number: Int64
    /// Nil for numbers that came with no release in particular.
    public let since: KernelRelease?
  }

  /// Which of a header's names mean the same kind of number.
  public enum Scope: Sendable {
    /// All in the enumeration that this name is in.
    case enumeration(beside: String)
    /// All macros that begin so.
    case macros(prefix: String)
    /// Only those that KernelABI has, for it has not all on purpose.
    case chosen
  }

  /// What it is, for messages: `map types`.
  public let title: String
  /// Below the directory of headers.
  public let headers: [String]
  public let scope: Scope
  /// Names in the scope that are no such number.
  public let exceptions: Set<String>
  public let constants: [Constant]

  private init(
    _ title: String, _ headers: [String], _ scope: Scope, _ constants: [Constant], except: Set<String> = []
  ) {
    self.title = title
    self.headers = headers
    self.scope = scope
    self.constants = constants
    exceptions = except
  }

  private static func constants<Number: KernelConstant>(_ type: Number.Type) -> [Constant] {
    type.allCases.map { Constant(headerName: $0.headerName, number: Int64($0.rawValue), since: $0.since) }
  }

  private static func numbers<Number: KernelNumber>(_ type: Number.Type) -> [Constant] {
    type.allCases.map { Constant(headerName: $0.headerName, number: Int64($0.rawValue), since: nil) }
  }

  private static let bpf = ["linux/bpf.h"]
  private static let instructions = ["linux/bpf_common.h", "linux/bpf.h"]

  /// Everything that the headers have a word on.
  public static let all: [Vocabulary] = [
    Vocabulary(
      "commands", bpf, .enumeration(beside: "BPF_MAP_CREATE"), constants(BPFCommand.self),
      // A bit beside the command: attributes that all commands have follow.
      except: ["BPF_COMMON_ATTRS"]),
    Vocabulary(
      "program types", bpf, .enumeration(beside: "BPF_PROG_TYPE_KPROBE"), constants(ProgramType.self)),
    Vocabulary(
      "attach types", bpf, .enumeration(beside: "BPF_CGROUP_INET_INGRESS"), constants(AttachType.self)),
    Vocabulary("map types", bpf, .enumeration(beside: "BPF_MAP_TYPE_HASH"), constants(MapType.self)),
    Vocabulary("link types", bpf, .enumeration(beside: "BPF_LINK_TYPE_TRACING"), constants(LinkType.self)),
    Vocabulary("helpers", bpf, .macros(prefix: "BPF_FUNC_"), helpers),
    Vocabulary("map flags", bpf, .enumeration(beside: "BPF_F_NO_PREALLOC"), constants(MapFlag.self)),
    Vocabulary("update flags", bpf, .enumeration(beside: "BPF_NOEXIST"), constants(MapUpdateFlag.self)),
    Vocabulary("program flags", bpf, .chosen, constants(ProgramFlag.self)),
    Vocabulary("flags of link updates", bpf, .chosen, constants(LinkUpdateFlag.self)),
    Vocabulary(
      "kinds of BTF", ["linux/btf.h"], .enumeration(beside: "BTF_KIND_INT"), constants(BTFKind.self)),
    Vocabulary(
      "linkage of functions", ["linux/btf.h"], .enumeration(beside: "BTF_FUNC_GLOBAL"),
      constants(BTFFunctionLinkage.self)),
    Vocabulary(
      "linkage of variables", ["linux/btf.h"], .enumeration(beside: "BTF_VAR_STATIC"),
      constants(BTFVariableLinkage.self)),
    Vocabulary(
      "encodings of integers", ["linux/btf.h"], .macros(prefix: "BTF_INT_"), constants(BTFIntegerEncoding.self)),
    Vocabulary(
      "kinds of CO-RE records", bpf, .enumeration(beside: "BPF_CORE_FIELD_EXISTS"),
      constants(CoreRelocationKind.self)),
    Vocabulary("instruction classes", instructions, .chosen, constants(InstructionClass.self)),
    Vocabulary("access sizes", instructions, .chosen, constants(AccessSize.self)),
    Vocabulary("access modes", instructions, .chosen, constants(AccessMode.self)),
    Vocabulary("arithmetic operations", instructions, .chosen, constants(ArithmeticOperation.self)),
    Vocabulary("jump operations", instructions, .chosen, constants(JumpOperation.self)),
    Vocabulary("operand sources", instructions, .chosen, constants(OperandSource.self)),
    Vocabulary("atomic operations", instructions, .chosen, atomicOperations),
    Vocabulary(
      "pseudo sources", bpf, .macros(prefix: "BPF_PSEUDO_"), constants(PseudoLoad.self) + constants(PseudoCall.self)),
    Vocabulary(
      "error numbers", ["asm-generic/errno-base.h", "asm-generic/errno.h"], .macros(prefix: "E"),
      numbers(Errno.self).filter { $0.number != Int64(Errno.enotsupp.rawValue) }),
    Vocabulary(
      "capabilities", ["linux/capability.h"], .macros(prefix: "CAP_"), constants(Capability.self)),
    Vocabulary(
      "security modules", ["linux/lsm.h"], .macros(prefix: "LSM_ID_"), constants(SecurityModule.self),
      except: ["LSM_ID_UNDEF"]),
    Vocabulary("file systems", ["linux/magic.h"], .chosen, numbers(FileSystemMagic.self)),
    Vocabulary("callers' keyrings", ["linux/keyctl.h"], .chosen, numbers(CallersKeyring.self)),
  ]

  /// The header has them in lower case.
  private static var helpers: [Constant] {
    Helper.allCases.map {
      Constant(headerName: Helper.prefix + $0.name, number: Int64($0.rawValue), since: $0.since)
    }
  }

  /// The header has no names for those that fetch, and those of arithmetic for four others.
  private static var atomicOperations: [Constant] {
    AtomicOperation.allCases.filter { !$0.headerName.contains("|") }.map {
      Constant(headerName: $0.headerName, number: Int64($0.rawValue), since: $0.since)
    }
  }
}
