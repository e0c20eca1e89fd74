/// What a loader reads of an object by itself, before it asks its helper anything: where its parts are.
public struct ObjectLayout: Sendable {
  /// What a section is for.
  public enum Role: Equatable, Sendable {
    /// Instructions.
    case code
    /// Relocation entries of 16 bytes (`Elf64_Rel`) for the section with that index.
    case relocations(of: Int)
    /// Symbols of 24 bytes (`Elf64_Sym`).
    case symbols
    /// Variables that define maps.
    case maps
    /// Global variables, which become a map of their own.
    case data
    case other
  }

  /// A section of the object.
  public struct Section: Sendable {
    /// Its bytes in the file; empty for one that the file does not store.
    public let bytes: Range<Int>
    /// Bytes that it has when it is loaded.
    public let size: Int
    public let role: Role

    public init(bytes: Range<Int>, size: Int, role: Role) {
      self.bytes = bytes
      self.size = size
      self.role = role
    }
  }

  /// Where something begins: in which section, and at which of its bytes.
  public struct Place: Hashable, Sendable {
    public let section: Int
    public let offset: Int

    public init(section: Int, offset: Int) {
      self.section = section
      self.offset = offset
    }
  }

  /// By their indexes in the object.
  public let sections: [Section]
  /// By their numbers, in the order of their places.
  public let functions: [Place]
  /// Where declared maps begin in their section, by their numbers.
  public let mapStarts: [Int]

  public init(sections: [Section], functions: [Place], mapStarts: [Int]) {
    self.sections = sections
    self.functions = functions
    self.mapStarts = mapStarts
  }
}
