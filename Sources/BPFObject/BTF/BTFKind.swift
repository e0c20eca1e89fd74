/// `BTF_KIND_*` (include/uapi/linux/btf.h; Documentation/bpf/btf.rst, section 2.2).
public enum BTFKind: UInt8, Sendable, CaseIterable {
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

  /// Bytes that follow a type's 12-byte record, of which the second part repeats `vlen` times.
  var trailer: (fixed: Int, each: Int) {
    switch self {
    case .int, .variable, .declarationTag: (4, 0)
    case .array: (12, 0)
    case .structure, .union, .dataSection, .enumeration64: (0, 12)
    case .enumeration, .functionPrototype: (0, 8)
    default: (0, 0)
    }
  }

  /// Whether the record's last word is another type's id (otherwise it is a size, or unused).
  var refersToType: Bool {
    switch self {
    case .pointer, .typedef, .volatile, .const, .restrict, .function, .functionPrototype, .variable, .declarationTag,
      .typeTag:
      true
    default: false
    }
  }

  /// Whether the type only decorates the one it refers to.
  var isModifier: Bool {
    switch self {
    case .typedef, .volatile, .const, .restrict, .typeTag: true
    default: false
    }
  }
}

/// One type of a BTF section; what it holds besides is read through ``BTF``.
public struct BTFType: Equatable, Sendable {
  /// The type's number; 0 is void.
  public let id: UInt32
  /// What the type is.
  public let kind: BTFKind
  /// Offset in the string section; 0 for a type without a name.
  public let nameOffset: UInt32
  /// How many members, parameters, enumerators or variables follow; for a function its linkage.
  public let vlen: Int
  /// `kind_flag`: bitfields in structures, signedness of enumerations.
  public let flag: Bool
  /// Bytes, or the id of the type that this one refers to.
  public let sizeOrType: UInt32
  /// Where the record begins in the section's bytes.
  let offset: Int
}

/// A member of a structure or union.
struct BTFMember: Equatable, Sendable {
  let nameOffset: UInt32
  let type: UInt32
  /// Bits from the structure's start.
  let bitOffset: UInt32
}

/// A variable in a DATASEC.
struct BTFVariableInfo: Equatable, Sendable {
  let type: UInt32
  /// Bytes from the section's start.
  let offset: UInt32
  /// Bytes.
  let size: UInt32
}
