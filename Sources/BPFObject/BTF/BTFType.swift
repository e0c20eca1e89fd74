public import KernelABI

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
package struct BTFMember: Equatable, Sendable {
  package let nameOffset: UInt32
  package let type: UInt32
  /// Bits from the structure's start.
  package let bitOffset: UInt32
  /// Bits of a bitfield; 0 for a member that is none.
  package let bitfieldSize: UInt32
}

/// A variable in a DATASEC.
struct BTFVariableInfo: Equatable, Sendable {
  let type: UInt32
  /// Bytes from the section's start.
  let offset: UInt32
  /// Bytes.
  let size: UInt32
}
