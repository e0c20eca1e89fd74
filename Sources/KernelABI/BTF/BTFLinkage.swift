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

/// The head of type information (`struct btf_header`, include/uapi/linux/btf.h).
public enum BTFFormat {
  /// BTF_MAGIC.
  public static let magic: UInt16 = 0xeb9f
  /// BTF_VERSION.
  public static let version: UInt8 = 1
}
