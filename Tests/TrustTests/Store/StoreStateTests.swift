import Base
import Trust
import Policy
import Testing

/// The rules of versions, which need no file.
@Suite struct StoreStateTests {
  private func digest(_ number: UInt8) throws -> Digest {
    try #require(Digest(.sha256, bytes: [UInt8](repeating: number, count: 32)))
  }
  private func entry(_ version: String, _ number: UInt8) throws -> StoreState.Entry {
    StoreState.Entry(version: try #require(PolicyVersion(version)), message: try digest(number))
  }

  @Test func versionsOfANameOnlyRise() throws {
    var state = StoreState(trusted: try digest(0))
    #expect(try state.install("a", entry("1.0.0", 1)) == .added)
    #expect(try state.install("a", entry("1.0.0", 1)) == .unchanged)
    let versions = try ["1.0.0", "0.9.9"].map { try entry($0, 2) }
    for older in versions {
      #expect(throws: StoreRefusal.stale(name: "a", version: older.version, lowest: PolicyVersion(1, 0, 0))) {
        try state.install("a", older)
      }
    }
    #expect(try state.install("a", entry("1.0.1", 3)) == .updated(from: PolicyVersion(1, 0, 0)))
    // Another name has its own versions; upper and lower case are two names.
    #expect(try state.install("A", entry("0.0.1", 4)) == .added)
  }

  /// What the kernel forgets: the floor outlives the policy.
  @Test func aFloorSurvivesRemoval() throws {
    var state = StoreState(trusted: try digest(0))
    _ = try state.install("a", entry("2.0.0", 1))
    try state.remove("a")
    let older = try entry("1.9.0", 2)
    #expect(throws: StoreRefusal.self) { try state.install("a", older) }
    let forged = try entry("2.0.0", 3)
    #expect(throws: StoreRefusal.self) { try state.install("a", forged) }
    // The very same message may come back.
    #expect(try state.install("a", entry("2.0.0", 1)) == .added)
  }

  @Test func activationNeverGoesBack() throws {
    var state = StoreState(trusted: try digest(0))
    _ = try state.install("a", entry("2.0.0", 1))
    _ = try state.install("b", entry("1.9.9", 2))
    _ = try state.install("c", entry("2.0.0", 3))
    try state.activate("a")
    #expect(throws: StoreRefusal.downgrade(name: "b", version: PolicyVersion(1, 9, 9), lowest: PolicyVersion(2, 0, 0)))
    {
      try state.activate("b")
    }
    #expect(throws: StoreRefusal.active(name: "a")) { try state.remove("a") }
    // Equal is allowed, as in the kernel.
    try state.activate("c")
    try state.remove("a")
    #expect(state.active == "c")
    #expect(throws: StoreRefusal.unknown(name: "a")) { try state.activate("a") }
  }

  @Test func anUpdateOfTheActivePolicyIsActive() throws {
    var state = StoreState(trusted: try digest(0))
    _ = try state.install("a", entry("1.0.0", 1))
    try state.activate("a")
    _ = try state.install("a", entry("3.0.0", 2))
    #expect(state.active == "a" && state.lastActivated == PolicyVersion(3, 0, 0))
    _ = try state.install("b", entry("2.0.0", 3))
    #expect(throws: StoreRefusal.self) { try state.activate("b") }
  }
}
