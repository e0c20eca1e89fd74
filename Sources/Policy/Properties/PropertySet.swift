/// A set of properties, in one word: facts are copied for each program that is judged.
public struct PropertySet: Sendable, Hashable {
  private var bits: UInt64 = 0

  /// No property.
  public init() {}

  /// These properties.
  public init(_ names: [PropertyName]) { for name in names { insert(name) } }

  /// Every property.
  public static var all: PropertySet { PropertySet(PropertyName.allCases) }

  public mutating func insert(_ name: PropertyName) { bits |= Self.bit(name) }
  public mutating func remove(_ name: PropertyName) { bits &= ~Self.bit(name) }
  public func contains(_ name: PropertyName) -> Bool { bits & Self.bit(name) != 0 }
  public var isEmpty: Bool { bits == 0 }

  /// In the order of the property table.
  public var names: [PropertyName] { PropertyName.allCases.filter { contains($0) } }

  private static func bit(_ name: PropertyName) -> UInt64 {
    PropertyName.allCases.firstIndex(of: name).map { 1 << UInt64($0) } ?? 0
  }
}
