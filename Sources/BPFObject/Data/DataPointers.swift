/// Addresses that a variable in a data section holds in the object's source.
///
/// A program's data has no addresses: as with libbpf, the bytes stay as the compiler wrote them, a distance into some
/// section, which is mostly 0. Compilers leave tables of addresses behind for code that they have optimised away.
public struct DataPointers: Equatable, Sendable {
  /// The data section.
  public let section: String
  /// The variable; nil where the object's types do not say which one is there: then all of the section's are one.
  public let variable: String?
  /// Bytes from the section's start to the first address.
  public let offset: Int
  /// How many there are.
  public internal(set) var count: Int
  /// What they point to in the source, symbols or sections, each once and at most four of them.
  public internal(set) var targets: [String]
  /// Whether a program that reads them reads zeros.
  public internal(set) var areZero: Bool
  /// The instructions that take the address of the variable, in the order of the programs.
  public internal(set) var users: [User] = []

  /// An instruction that may lead to a read of the addresses.
  public struct User: Equatable, Sendable {
    public let program: String
    /// The instruction's index in the linked program.
    public let instruction: Int
  }

  /// Bytes of the section that belong to the variable.
  let range: Range<Int>
}
