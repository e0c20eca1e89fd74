/// `BTF_KIND_*` (include/uapi/linux/btf.h; Documentation/bpf/btf.rst, section 2.2).
public enum BTFKind: UInt8, KernelConstant {
  case void = 0
  case int = 1
  case pointer = 2
  case array = 3
  case structure = 4
  case union = 5
  case enumeration = 6
  case forward = 7
  case typedef = 8
  case volatile = 9
  case const = 10
  case restrict = 11
  case function = 12
  case functionPrototype = 13
  case variable = 14
  case dataSection = 15
  case float = 16
  case declarationTag = 17
  case typeTag = 18
  case enumeration64 = 19

  public static let prefix = "BTF_KIND_"

  /// The names are those of `bpftool btf dump`.
  public var entry: KernelEntry {
    switch self {
    case .void: KernelEntry("UNKN", 4, 18)
    case .int: KernelEntry("INT", 4, 18)
    case .pointer: KernelEntry("PTR", 4, 18)
    case .array: KernelEntry("ARRAY", 4, 18)
    case .structure: KernelEntry("STRUCT", 4, 18)
    case .union: KernelEntry("UNION", 4, 18)
    case .enumeration: KernelEntry("ENUM", 4, 18)
    case .forward: KernelEntry("FWD", 4, 18)
    case .typedef: KernelEntry("TYPEDEF", 4, 18)
    case .volatile: KernelEntry("VOLATILE", 4, 18)
    case .const: KernelEntry("CONST", 4, 18)
    case .restrict: KernelEntry("RESTRICT", 4, 18)
    case .function: KernelEntry("FUNC", 5, 0)
    case .functionPrototype: KernelEntry("FUNC_PROTO", 5, 0)
    case .variable: KernelEntry("VAR", 5, 2)
    case .dataSection: KernelEntry("DATASEC", 5, 2)
    case .float: KernelEntry("FLOAT", 5, 13)
    case .declarationTag: KernelEntry("DECL_TAG", 5, 16)
    case .typeTag: KernelEntry("TYPE_TAG", 5, 17)
    case .enumeration64: KernelEntry("ENUM64", 6, 0)
    }
  }

  /// Bytes that follow a type's 12-byte record: some once, others for each of its `vlen` elements.
  public var trailer: (fixed: Int, each: Int) {
    switch self {
    case .int, .variable, .declarationTag: (4, 0)
    case .array: (12, 0)
    case .structure, .union, .dataSection, .enumeration64: (0, 12)
    case .enumeration, .functionPrototype: (0, 8)
    case .void, .pointer, .forward, .typedef, .volatile, .const, .restrict, .function, .float, .typeTag: (0, 0)
    }
  }

  /// Whether the record's last word is another type's id (otherwise it is a size, or unused).
  public var refersToType: Bool {
    switch self {
    case .pointer, .typedef, .volatile, .const, .restrict, .function, .functionPrototype, .variable, .declarationTag,
      .typeTag:
      true
    case .void, .int, .array, .structure, .union, .enumeration, .forward, .dataSection, .float, .enumeration64: false
    }
  }

  /// Whether the type only decorates the one it refers to.
  public var isModifier: Bool {
    switch self {
    case .typedef, .volatile, .const, .restrict, .typeTag: true
    case .void, .int, .pointer, .array, .structure, .union, .enumeration, .forward, .function, .functionPrototype,
      .variable, .dataSection, .float, .declarationTag, .enumeration64:
      false
    }
  }
}
