/// What a CO-RE record asks of a type, field or enumerator: `enum bpf_core_relo_kind` (include/uapi/linux/bpf.h).
public enum CoreRelocationKind: UInt32, KernelConstant {
  case fieldByteOffset = 0
  case fieldByteSize = 1
  case fieldExists = 2
  case fieldSigned = 3
  case fieldLeftShift = 4
  case fieldRightShift = 5
  case localTypeID = 6
  case targetTypeID = 7
  case typeExists = 8
  case typeSize = 9
  case enumeratorExists = 10
  case enumeratorValue = 11
  case typeMatches = 12

  public static let prefix = "BPF_CORE_"

  /// The names are those of libbpf's messages and of the verifier's log; the releases those of the kernel's own
  /// relocating (`core_relos` of BPF_PROG_LOAD), for libbpf does it on any kernel.
  public var entry: KernelEntry {
    switch self {
    case .fieldByteOffset: KernelEntry("byte_off", 5, 17)
    case .fieldByteSize: KernelEntry("byte_sz", 5, 17)
    case .fieldExists: KernelEntry("field_exists", 5, 17)
    case .fieldSigned: KernelEntry("signed", 5, 17)
    case .fieldLeftShift: KernelEntry("lshift_u64", 5, 17)
    case .fieldRightShift: KernelEntry("rshift_u64", 5, 17)
    case .localTypeID: KernelEntry("local_type_id", 5, 17)
    case .targetTypeID: KernelEntry("target_type_id", 5, 17)
    case .typeExists: KernelEntry("type_exists", 5, 17)
    case .typeSize: KernelEntry("type_size", 5, 17)
    case .enumeratorExists: KernelEntry("enumval_exists", 5, 17)
    case .enumeratorValue: KernelEntry("enumval_value", 5, 17)
    case .typeMatches: KernelEntry("type_matches", 6, 0)
    }
  }

  /// Of the header, which has other words than the messages.
  public var headerName: String {
    switch self {
    case .fieldByteOffset: "BPF_CORE_FIELD_BYTE_OFFSET"
    case .fieldByteSize: "BPF_CORE_FIELD_BYTE_SIZE"
    case .fieldExists: "BPF_CORE_FIELD_EXISTS"
    case .fieldSigned: "BPF_CORE_FIELD_SIGNED"
    case .fieldLeftShift: "BPF_CORE_FIELD_LSHIFT_U64"
    case .fieldRightShift: "BPF_CORE_FIELD_RSHIFT_U64"
    case .localTypeID: "BPF_CORE_TYPE_ID_LOCAL"
    case .targetTypeID: "BPF_CORE_TYPE_ID_TARGET"
    case .typeExists: "BPF_CORE_TYPE_EXISTS"
    case .typeSize: "BPF_CORE_TYPE_SIZE"
    case .enumeratorExists: "BPF_CORE_ENUMVAL_EXISTS"
    case .enumeratorValue: "BPF_CORE_ENUMVAL_VALUE"
    case .typeMatches: "BPF_CORE_TYPE_MATCHES"
    }
  }

  /// What the record is about.
  public var subject: Subject {
    switch self {
    case .fieldByteOffset, .fieldByteSize, .fieldExists, .fieldSigned, .fieldLeftShift, .fieldRightShift: .field
    case .localTypeID, .targetTypeID, .typeExists, .typeSize, .typeMatches: .type
    case .enumeratorExists, .enumeratorValue: .enumerator
    }
  }

  /// Whether "it is not there" is an answer. Where it is none, the kernel puts a call of no helper into the place of an
  /// instruction whose record it cannot follow (tools/lib/bpf/relo_core.c, bpf_core_poison_insn).
  public var asksForExistence: Bool {
    switch self {
    case .fieldExists, .typeExists, .enumeratorExists, .typeMatches: true
    case .fieldByteOffset, .fieldByteSize, .fieldSigned, .fieldLeftShift, .fieldRightShift, .localTypeID,
      .targetTypeID, .typeSize, .enumeratorValue:
      false
    }
  }

  /// What a record is about; the access string is read accordingly.
  public enum Subject: String, Sendable, CaseIterable {
    case field
    case type
    case enumerator
  }
}
