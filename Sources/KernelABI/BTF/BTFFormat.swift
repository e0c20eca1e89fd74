/// Where a function is defined: `enum btf_func_linkage` (include/uapi/linux/btf.h), in the `vlen` of a BTF_KIND_FUNC.
public enum BTFFunctionLinkage: UInt32, KernelConstant {
  case `static` = 0
  case global = 1
  case extern = 2

  public static let prefix = "BTF_FUNC_"

  public var entry: KernelEntry {
    switch self {
    case .static: KernelEntry("static", 5, 6)
    case .global: KernelEntry("global", 5, 6)
    case .extern: KernelEntry("extern", 5, 6)
    }
  }
}

/// Where a variable is defined: the word behind a BTF_KIND_VAR (include/uapi/linux/btf.h).
public enum BTFVariableLinkage: UInt32, KernelConstant {
  case `static` = 0
  case global = 1
  case extern = 2

  public static let prefix = "BTF_VAR_"

  public var entry: KernelEntry {
    switch self {
    case .static: KernelEntry("static", 5, 2)
    case .global: KernelEntry("global_allocated", 5, 2)
    case .extern: KernelEntry("global_extern", 5, 7)
    }
  }
}

/// What a BTF_KIND_INT holds, in bits 24 to 27 of the word behind it (include/uapi/linux/btf.h). No bit set is an
/// unsigned number.
public enum BTFIntegerEncoding: UInt32, KernelConstant {
  case signed = 1
  case character = 2
  case boolean = 4

  public static let prefix = "BTF_INT_"

  public var entry: KernelEntry {
    switch self {
    case .signed: KernelEntry("signed", 4, 18)
    case .character: KernelEntry("char", 4, 18)
    case .boolean: KernelEntry("bool", 4, 18)
    }
  }
}

/// The head of type information and of its types (`struct btf_header` and `btf_type`, include/uapi/linux/btf.h).
public enum BTFFormat {
  /// BTF_MAGIC.
  public static let magic: UInt16 = 0xeb9f
  /// BTF_VERSION.
  public static let version: UInt8 = 1

  /// BTF_INFO_KIND: what the second word of a type says it is. Seven bits since 7.2, five before, when the two above them
  /// had to be zero.
  public static func kind(ofInfo info: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: info >> 24 & 0x7f) }

  /// BTF_INFO_VLEN: how many members and the like follow, or a function's linkage. 24 bits since 7.2, 16 before, when the
  /// eight above them had to be zero.
  public static func count(ofInfo info: UInt32) -> Int { Int(info & 0xff_ffff) }

  /// BTF_INFO_KFLAG.
  public static func flag(ofInfo info: UInt32) -> Bool { info >> 31 != 0 }

  /// The second word of a type without members.
  public static func info(_ kind: BTFKind) -> UInt32 { UInt32(kind.rawValue) << 24 }
}
