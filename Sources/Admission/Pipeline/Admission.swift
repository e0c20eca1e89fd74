internal import Loader
public import Base
internal import Linux
internal import Policy
internal import Provenance
internal import Trust

/// The way of a program: record what was asked for, examine, judge, record, load, record.
///
/// This is the only module that knows all the others, and the order above is the project's promise: nothing is parsed
/// before it is on record that it was asked for (``LoadAttempts``), and before it is read into private memory and
/// verified; nothing is loaded before the policy has said ALLOW and the record of that is written. ``Worker`` takes one
/// object through these steps.
///
/// Several objects may be admitted in one run, each decided and recorded by itself. They share the compiled policy, the
/// trust anchors, the open log, the directories of pins and what was looked up in the kernel's types.
public struct Admission: Sendable {
  let request: AdmissionRequest
  let policy: CompiledPolicy
  let shadow: CompiledShadow?
  let trust: Trust
  let attempts: LoadAttempts
  let requester: Requester
  let kernelTypes = KernelTypes()
  let directories = PinDirectories()

  /// Certificates that were met where anchors are kept, and do not count. Known when a signature has been looked at.
  public var trustProblems: [Diagnostic] { trust.metProblems }

  /// Compiles the policy, and reads this machine's trust anchors when the request names none.
  ///
  /// - Parameter attempts: what was asked for. A refusal of the policy is recorded of each.
  /// - Throws: ``AdmissionError/policy(file:_:)``, ``AdmissionError/trust(_:)`` or ``AdmissionError/audit(_:)``.
  public init(_ request: AdmissionRequest, _ attempts: LoadAttempts) throws(AdmissionError) {
    self.request = request
    self.attempts = attempts
    policy = try attempts.refusingAll { () throws(AdmissionError) in try Self.compile(request) }
    shadow = request.shadow.map { CompiledShadow($0) }
    trust = try attempts.refusingAll { () throws(AdmissionError) -> Trust in
      if let trust = request.trust { return trust }
      return try Self.machinesTrust()
    }
    let identity = attempts.run.requester
    requester =
      policy.asksFor(Requester.examinedProperties) ? .examined(identity, trust: trust) : Requester(identity)
  }

  /// Takes the first object all the way.
  ///
  /// A DENY is an outcome, not an error. Everything else that keeps the object out is an ``AdmissionError``.
  public func admit() throws(AdmissionError) -> AdmissionOutcome {
    var worker = Worker(self)
    return try admit(0, LoadOrder().turn(0), &worker)
  }

  /// Takes one object all the way that no other depends on.
  private func admit(
    _ index: Int, _ turn: consuming ObjectTurn, _ worker: inout Worker
  ) throws(AdmissionError) -> AdmissionOutcome {
    let load = try worker.admit(index, turn) { load throws(AdmissionError) in try attempts.keep([load]) }
    return try load.finish()
  }

  /// Takes all objects all the way, each by itself, on as many processors as there are: most of a load is the
  /// kernel's own work, and it does that of different objects side by side.
  ///
  /// The decisions are recorded in the order of the objects, each before its load; an outcome is recorded when its load
  /// has ended. Where one object may depend on another the loads follow one another: with something to attach to or to
  /// replace, with a file for the verifier's log, and among objects that are pinned in one directory.
  ///
  /// - Parameter answer: called once for each object, from several threads, with its index and what ``admit()`` would
  ///   have returned or thrown. What is loaded and not pinned is unloaded when the outcome goes. Whether to go on: after
  ///   a `false` no further object is begun.
  /// - Throws: ``AdmissionError/audit(_:)`` when it cannot be recorded that objects were not begun.
  public func admit(
    answer: @Sendable (Int, consuming Result<AdmissionOutcome, AdmissionError>) -> Bool
  ) throws(AdmissionError) {
    let order = LoadOrder()
    let threads = Processors.threads(isSerial ? 1 : Processors.online)
    WorkerPool<Never>(threads).run(attempts.objects.count) {
      Worker(self)
    } work: { worker, index in
      let result: Result<AdmissionOutcome, AdmissionError>
      do throws(AdmissionError) {
        result = .success(try admit(index, order.turn(index), &worker))
      } catch {
        result = .failure(error)
      }
      return answer(index, result)
    }
    try attempts.closeUnbegun()
  }

  /// Whether what is asked for makes one load depend on another.
  private var isSerial: Bool {
    request.attaches || request.attachTarget != nil || request.verifierLogPath != nil
  }

  /// This machine's own trust anchors.
  static func machinesTrust() throws(AdmissionError) -> Trust {
    do throws(TrustError) { return try .standard() } catch { throw .trust(error) }
  }

  private static func compile(_ request: AdmissionRequest) throws(AdmissionError) -> CompiledPolicy {
    do throws(InvalidPolicy) {
      return try CompiledPolicy(PolicyDocument.parse(request.policy, dialect: .verityBPF))
    } catch {
      throw .policy(file: request.policyName, error)
    }
  }
}
