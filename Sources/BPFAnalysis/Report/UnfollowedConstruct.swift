/// Something about a program that the analyses do not follow: what it reads, which of its code runs and what it can do
/// are then taken for the worst.
public struct UnfollowedConstruct: Hashable, Sendable, CustomStringConvertible {
  /// The first instruction of the kind, as an index in the linked program; nil for what lies beside the instructions.
  public let instruction: Int?
  /// In words, for people: `a load-acquire`, `map notes, which is shared by its name`.
  public let description: String
  /// Whether it is not known here what it does; then no lockdown mode is said to take the program.
  let isUnknown: Bool

  init(_ description: String, at instruction: Int? = nil, isUnknown: Bool = false) {
    self.instruction = instruction
    self.description = description
    self.isUnknown = isUnknown
  }

  /// With its place, as reports print it.
  public var label: String { instruction.map { "instruction \($0), \(description)" } ?? description }
}
