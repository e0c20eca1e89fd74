internal import Base
internal import Linux
internal import Loader

extension LoadAttempts {
  /// Lets loads take their places, records what is in the kernel now, and only then lets it stay: all of them, or none.
  ///
  /// - Throws: when one of them could not take its place or nothing could be recorded; then none has taken any.
  func keep(_ loads: [MadeLoad]) throws(AdmissionError) {
    let loads = loads.filter(\.isLoaded)
    guard let log, !loads.isEmpty else { return }
    var lines = AuditLog.Lines()
    for load in loads { if let outcome = load.outcomeRecord { lines.add(outcome) } }
    // No signal comes between the record and what it says, nor into the exchange of one object for another.
    try Cleanup.uninterrupted { () throws(AdmissionError) in
      do throws(AdmissionError) {
        for load in loads { try load.takePlace() }
        do throws(AuditError) {
          try log.append(lines, closes: loads.map(\.recorder.event))
        } catch {
          throw .audit(error)
        }
      } catch {
        for load in loads.reversed() { load.giveBack() }
        throw error
      }
      for load in loads { load.commit() }
    }
  }
}
