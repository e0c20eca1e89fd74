internal import Base
internal import Linux
internal import Loader

/// A load that is done, and not on record yet: until then it can be undone.
final class MadeLoad {
  let recorder: Recorder
  private var outcome: AdmissionOutcome?
  /// What is to be told when a signal ends the process before the answer is out.
  private let tell: Announcement.Tell?
  /// Why it could not take its place, which is on record then.
  private(set) var failure: AdmissionError?

  init(_ recorder: Recorder, _ outcome: consuming AdmissionOutcome, telling tell: Announcement.Tell?) {
    self.recorder = recorder
    self.outcome = .some(outcome)
    self.tell = tell
  }

  /// Whether anything is in the kernel that has to be kept.
  var isLoaded: Bool {
    switch outcome {
    case .some(let outcome):
      switch outcome.loaded {
      case .some: true
      case .none: false
      }
    case .none: false
    }
  }

  /// Whether the policy let it pass.
  var isAllowed: Bool {
    switch outcome {
    case .some(let outcome): outcome.isAllowed
    case .none: false
    }
  }

  /// What is recorded of it when it stays; nil when nothing is loaded.
  var outcomeRecord: JSONValue? {
    switch outcome {
    case .some(let outcome):
      switch outcome.loaded {
      case .some(let loaded):
        DecisionRecord.outcome(recorder.outcome(loaded, ending: outcome.ended), of: recorder.event, at: .now())
      case .none: nil
      }
    case .none: nil
    }
  }

  /// Takes the place of what it replaces; when that fails, the failure is on record.
  func takePlace() throws(AdmissionError) {
    do throws(BPFLoadError) {
      try outcome?.loaded?.takePlace()
    } catch {
      failure = .load(error)
      try recorder.failed(error)
      throw .load(error)
    }
  }

  /// Says what goes when this load and those before it stay.
  func end(_ ended: EndedObjects?) { outcome?.ended = ended }

  func giveBack() { outcome?.loaded?.giveBack() }

  func commit() {
    outcome?.loaded?.commit()
    outcome?.ended?.end()
    outcome?.announcement = tell.map { Announcement($0) }
  }

  /// Takes away what is loaded, and records why.
  func undo(because error: AdmissionError) throws(AdmissionError) {
    guard isLoaded else { return }
    outcome = nil
    guard failure == nil else { return }
    failure = error
    try recorder.failed(error.diagnostic)
  }

  /// What came of it, handed over once.
  func finish() throws(AdmissionError) -> AdmissionOutcome {
    guard let outcome = outcome.take() else { throw failure ?? .load(.nothingToLoad(optional: [])) }
    return outcome
  }
}
