internal import Base
internal import Linux

extension Admission {
  /// Takes all objects of an image all the way, one after another, or none of them: where one is refused, those before it are
  /// taken away again, and those behind it are not begun.
  ///
  /// - Parameter answer: called once for each object that was begun, in their order; see ``admit(answer:)``.
  /// - Throws: ``AdmissionError/audit(_:)`` when what came of them cannot be recorded; nothing is loaded then.
  public func admitWhole(
    answer: (Int, consuming Result<AdmissionOutcome, AdmissionError>) -> Void
  ) throws(AdmissionError) {
    var worker = Worker(self)
    let order = LoadOrder()
    var loads: [MadeLoad] = []
    var refusal: AdmissionError?
    var refused: Int?
    for index in attempts.objects.indices where refused == nil {
      do throws(AdmissionError) {
        let load = try worker.admit(index, order.turn(index)) { _ in }
        if !load.isAllowed { refused = index }
        loads.append(load)
      } catch {
        (refused, refusal) = (index, error)
      }
    }
    if refused == nil {
      loads.last?.end(request.whole?.ended)
      do throws(AdmissionError) {
        try attempts.keep(loads)
      } catch {
        refused = loads.firstIndex { $0.failure != nil }
        guard refused != nil else {
          // The log takes nothing; what cannot be recorded now, a later run closes.
          for load in loads.reversed() { try? load.undo(because: error) }
          throw error
        }
      }
    }
    if let refused {
      let cause = (refused < loads.count ? loads[refused].failure : refusal)?.diagnostic ?? Self.denial
      let undone = AdmissionError.undone(refused: name(of: refused), cause)
      for load in loads.reversed() { try load.undo(because: undone) }
    }
    for (index, load) in loads.enumerated() { answer(index, Self.result(of: load)) }
    if let refusal, let refused { answer(refused, .failure(refusal)) }
    try attempts.closeUnbegun()
  }

  private static let denial = Diagnostic("policy.denied", .denied, "the policy denies it")

  private static func result(of load: MadeLoad) -> Result<AdmissionOutcome, AdmissionError> {
    do throws(AdmissionError) { return .success(try load.finish()) } catch { return .failure(error) }
  }

  private func name(of index: Int) -> String {
    switch attempts.objects[index] {
    case .image(_, let object, _): object
    case .file(let path): path
    case .descriptor(let number): "fd \(number)"
    case .executed(let file): file.path
    }
  }
}
