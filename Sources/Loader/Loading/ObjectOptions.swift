public import BPFObject

/// What a load is to change of an object: what in libbpf's world the loading program decides between opening and loading.
public struct ObjectOptions: Sendable {
  /// Which programs are loaded; each object has to have those that it names.
  public var choice = ProgramChoice()
  /// The types of sections whose names say none; each object has to have such a section.
  public var sectionTypes: [SectionType] = []
  /// The sizes of maps that the objects leave open; each of them has to have such a map.
  public var mapEntries: [MapEntries] = []
  /// The values of constants; each object has to have them.
  public var variables: [VariableSetting] = []

  /// Leaves everything to the object.
  public init() {}

  /// Whether everything is left to the object.
  public var isEmpty: Bool { choice.isEmpty && sectionTypes.isEmpty && mapEntries.isEmpty && variables.isEmpty }
}
