internal import Base
public import Gate
internal import Linux

/// Takes the records of a gate.
public struct GateEventReader {
  private let gate: InstalledGate
  private let records: BPF.RingBuffer
  private var lost: UInt64 = 0

  /// How long one wait lasts at most, in milliseconds: after it the counter of lost records is looked at.
  private static let patience: Int32 = 10_000

  /// - Throws: ``GateError``.
  public init(_ path: String = GateLayout.pinPath) throws(GateError) {
    gate = try InstalledGate.open(path, readOnly: true)
    records = try gate.records()
  }

  /// Takes what is there.
  ///
  /// - Parameter keep: what is done with them before they are gone from the buffer.
  /// - Returns: the same events. A record that this build cannot read is left out.
  public func take<Failure>(
    _ keep: ([GateEvent]) throws(Failure) -> Void
  ) throws(Failure) -> [GateEvent] {
    var taken: [GateEvent] = []
    try records.take { bytes throws(Failure) in
      taken = bytes.compactMap { try? GateEvent($0.rawSpan) }
      try keep(taken)
    }
    return taken
  }

  /// How many records were lost since this was asked last; nil for none.
  public mutating func newlyLost() throws(GateError) -> UInt64? {
    let count = try gate.counters()[.lost] ?? 0
    defer { lost = count }
    return count > lost ? count - lost : nil
  }

  /// Waits for further records, or for a while.
  ///
  public func wait() throws(GateError) {
    do throws(SystemError) { _ = try records.wait(milliseconds: Self.patience) } catch { throw .system(error) }
  }
}
