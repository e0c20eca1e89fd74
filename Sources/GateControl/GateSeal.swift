internal import Base
public import Gate
internal import KernelABI
internal import Linux

/// Making a gate bind.
public struct GateSeal: Sendable {
  /// How far the loaders among the executables are trusted from now on.
  public var mode: GateRequest.Mode
  /// Whether nothing takes the gate away before the next reboot.
  public var untilReboot: Bool
  /// Whether what the gate saw and no row admits is to be refused all the same.
  public var despite: Bool

  public init(mode: GateRequest.Mode, untilReboot: Bool, despite: Bool) {
    self.mode = mode
    self.untilReboot = untilReboot
    self.despite = despite
  }

  /// What a gate binds to now.
  public struct Result: Equatable, Sendable {
    public let state: GateState
    /// Executables that may load what they allow themselves, and those that may load what the rows list.
    public let judging: Int
    public let listed: Int
    public let stock: ProgramStock
    /// What it saw and refuses from now on.
    public let refused: [WatchedLoad]
  }

  /// Enforces, takes stock, and seals where that is asked for, in this order: what is loaded while the stock is taken is refused
  /// already.
  ///
  /// - Throws: ``GateError``; then the gate is as it was, or the error says what is left.
  public func apply(at path: String = GateLayout.pinPath) throws(GateError) -> Result {
    let gate = try InstalledGate.open(path, readOnly: false)
    let before = try gate.state()
    guard before.isComplete else { throw .incomplete(path: path) }
    guard !before.isSealed else { throw .sealed }

    let records = try gate.records()
    let events = records.look().compactMap { try? GateEvent($0.rawSpan) }
    let seen = WatchSummary(events).loads.filter { $0.event.isRefusal }
    guard despite || seen.isEmpty else { throw .wouldRefuse(seen, taken: records.taken > 0) }

    let rows = try gate.entries(of: .executables)
    let changed = rows.map { GateTables.changing($0, to: mode) }
    let rights = changed.map { GateTables.rights(of: $0) }
    let listed = rights.count { $0 == .listed }
    if listed > 0, try gate.entries(of: .digests).isEmpty { throw .noDigests }
    var state = before
    state.enforces = true
    state.isSealed = untilReboot
    state.closesModules = untilReboot && KernelSettings.lockdownMode().map { $0 == .none } != false
    do throws(GateError) {
      try gate.put(changed, into: .executables)
      var enforcing = state
      enforcing.isSealed = false
      try gate.write(enforcing)
      let stock = try ProgramStock.take(own: gate.programs())
      guard stock.foreign.isEmpty else { throw .foreign(stock.foreign) }
      if untilReboot {
        // The state comes last: with it the gate closes its maps, also to this process.
        try gate.freezeRows()
        try gate.write(state)
        try gate.freeze(.state)
      }
      return Result(
        state: state, judging: rights.count { $0 == .judging }, listed: listed, stock: stock, refused: seen)
    } catch {
      do throws(GateError) {
        try gate.write(before)
        try gate.put(rows, into: .executables)
      } catch let left {
        throw .notUndone(error, left: left.diagnostic.message)
      }
      throw error
    }
  }
}
