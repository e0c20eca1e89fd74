/// What was found out about the origin of an object's bytes. Absent facts are nil, never assumed.
public struct Evidence: Equatable, Sendable {
  public init() {}
}
