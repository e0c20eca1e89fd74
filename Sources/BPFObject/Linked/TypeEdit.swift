public import KernelABI

/// A change to an object's type information, without which a kernel refuses to load it.
///
/// No instruction changes by it, and no size or offset of a type: names, the order in which members are listed, and what
/// a kernel does not know. The changes follow from the object's bytes alone, and for a kernel that is older than a part
/// of the format from its release besides.
public struct TypeEdit: Equatable, Sendable {
  /// What is changed.
  public enum Change: String, Equatable, Sendable, CaseIterable {
    /// The type's name has characters that no C identifier has, or too many: each of these is `_` now.
    case name
    /// The same of a member, an enumerator or a parameter.
    case elementName = "element_name"
    /// It has no name, and its kind must have one.
    case missingName = "missing_name"
    /// A parameter of a function has no name: it is `arg1`, `arg2` … now.
    case parameterName = "parameter_name"
    /// It has a name, and its kind must have none.
    case surplusName = "surplus_name"
    /// The members of a structure are listed in another order than they lie in.
    case memberOrder = "member_order"
    /// A union whose members do not all begin where it does: it is a structure now.
    case unionOffsets = "union_offsets"
    /// A function or variable that is defined elsewhere: it is static, or global, now.
    case linkage
    /// An integer of several encodings: it is signed, or none of them, now.
    case encoding
    /// A kind of type that the kernel is too old for: it is one of the same size that the kernel knows.
    case kind
    /// A mark on the type that the kernel is too old for: it is left off.
    case flag
  }

  /// The type's number in ``LinkedObject/btf``, which stays the same.
  public let type: UInt32
  /// What it is in the object.
  public let kind: BTFKind
  /// Its name in the object; empty when it has none, or none that can be printed.
  public let name: String
  public let change: Change

  /// Notes a change.
  public init(type: UInt32, kind: BTFKind, name: String, change: Change) {
    self.type = type
    self.kind = kind
    self.name = name
    self.change = change
  }
}

/// What BPF_BTF_LOAD was given of an object's type information.
public enum SubmittedTypes: Equatable, Sendable {
  /// As linking made it, with ``LinkedObject/typeEdits``.
  case asLinked
  /// Changed further, because the kernel is older than a part of the format.
  case adapted([TypeEdit])
  /// Nothing: the kernel refused it, and nothing in the object needs it.
  case leftOut(reason: String)
  /// The object has none.
  case absent
}
