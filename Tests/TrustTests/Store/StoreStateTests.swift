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

  /// What is watched could become the active policy, and none comes back.
  @Test func shadowsHaveFloorsToo() throws {
    var state = StoreState(trusted: try digest(0))
    _ = try state.install("a", entry("1.0.0", 1))
    try state.activate("a")
    for (version, number) in [("1.0.0", UInt8(9)), ("0.9.0", 9)] {
      let old = try entry(version, number)
      #expect(throws: StoreRefusal.stale(name: "a", version: old.version, lowest: PolicyVersion(1, 0, 0))) {
        try state.installShadow("a", old)
      }
    }
    let low = try entry("0.5.0", 9)
    #expect(throws: StoreRefusal.downgrade(name: "b", version: low.version, lowest: PolicyVersion(1, 0, 0))) {
      try state.installShadow("b", low)
    }
    #expect(try state.installShadow("a", entry("1.2.0", 2)) == .added)
    #expect(try state.installShadow("a", entry("1.2.0", 2)) == .unchanged)
    #expect(try state.installShadow("a", entry("1.3.0", 3)) == .updated(from: PolicyVersion(1, 2, 0)))
    try state.removeShadow()
    #expect(throws: StoreRefusal.noShadow) { try state.removeShadow() }
    let gone = try entry("1.2.0", 2)
    #expect(throws: StoreRefusal.stale(name: "a", version: gone.version, lowest: PolicyVersion(1, 3, 0))) {
      try state.installShadow("a", gone)
    }
    // A shadow holds nothing up, and ends when it has become the active policy.
    #expect(try state.installShadow("a", entry("1.3.0", 3)) == .added)
    #expect(try state.install("a", entry("1.0.1", 4)) == .updated(from: PolicyVersion(1, 0, 0)))
    #expect(state.shadow?.entry.version == PolicyVersion(1, 3, 0))
    #expect(try state.install("a", entry("1.3.0", 3)) == .updated(from: PolicyVersion(1, 0, 1)))
    #expect(state.shadow == nil && state.lastActivated == PolicyVersion(1, 3, 0))
    // By activation as well.
    #expect(try state.installShadow("b", entry("2.0.0", 5)) == .added)
    _ = try state.install("b", entry("2.0.0", 5))
    #expect(state.shadow?.name == "b")
    try state.activate("b")
    #expect(state.shadow == nil)
  }
}
