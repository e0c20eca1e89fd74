/// What was found out about one thing, and what it means for the guarantees of this project.
public struct Finding: Equatable, Sendable {
  public enum State: String, Sendable, CaseIterable {
    /// As it should be.
    case good
    /// Something works, but less safely than it could.
    case weak
    /// A guarantee is not there.
    case gap
    /// It could not be read, so that nothing is known.
    case unknown
  }

  /// A stable name, `lockdown`; scripts match on it.
  public let id: String
  /// The name for people.
  public let title: String
  public let state: State
  /// What was found, in a few words.
  public let found: String
  /// More of what was found.
  public var details: [String] = []
  /// The guarantee that is missing or, when the state is unknown, that depends on it.
  public var loses: String?
  /// What to do about it.
  public var close: String?

  init(
    _ id: String, _ title: String, _ state: State, _ found: String, details: [String] = [], loses: String? = nil,
    close: String? = nil
  ) {
    self.id = id
    self.title = title
    self.state = state
    self.found = found
    self.details = details
    self.loses = loses
    self.close = close
  }
}
