internal import Linux

/// A load that is done, on record and pinned, and whose answer is not out yet.
///
/// A signal that ends the process meanwhile undoes nothing any more; what stays is printed then, in place of the answer.
public final class Announcement: Sendable {
  private let undo: Cleanup.Undo

  /// Called with the name of the signal, when nothing else is done any more but ending the process.
  public typealias Tell = @Sendable (_ signal: String) -> Void

  init(_ tell: @escaping Tell) {
    undo = Cleanup.making(undo: { tell(SignalResponse.name($0)) }) {}
  }

  deinit { told() }

  /// The answer is out.
  public func told() { Cleanup.forget(undo) }
}
