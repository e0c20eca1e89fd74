internal import Base
internal import Linux
internal import Policy
internal import Provenance
internal import Synchronization

/// Loads that were asked for, on record before anything is read.
///
/// Whatever ends the process from here on, the log says who asked for what: each attempt is tied by its event to the
/// decision and the outcome that close it, and one that is left open is closed by a later run.
public final class LoadAttempts: Sendable {
  /// What was asked for, in the order of the request.
  public let objects: [AdmissionRequest.Object]
  let run: AskedRun
  /// Nil for a dry run, which leaves no record because nothing happens.
  let log: AuditLog?
  /// Whether a dry run looks at what a load would need, once the policy has allowed it.
  let rehearses: Bool
  private let begun = Mutex<Set<Int>>([])

  /// Opens the audit log, and records what is asked for.
  ///
  /// - Parameter request: its policy and anchors need not be read yet.
  /// - Throws: ``AdmissionError/audit(_:)``. What cannot be recorded is not begun.
  public static func begin(
    _ objects: [AdmissionRequest.Object], _ request: AdmissionRequest
  ) throws(AdmissionError) -> LoadAttempts {
    // Before anything is opened, which could get the number of a descriptor that was never handed over.
    let asked = AskedObject.all(objects)
    do throws(AuditError) {
      let log = try AuditLog.open(directory: request.auditDirectory, sync: request.auditSync)
      let attempts = LoadAttempts(asked, request, log)
      try log.begin(attempts.run)
      return attempts
    } catch {
      throw .audit(error)
    }
  }

  /// Loads that are only decided about: nothing is recorded or loaded, and the kernel is asked nothing.
  public static func deciding(_ objects: [AdmissionRequest.Object], _ request: AdmissionRequest) -> LoadAttempts {
    LoadAttempts(AskedObject.all(objects), request, nil)
  }

  /// Loads that are decided about, and for which all else that a load needs is looked at: nothing is recorded or loaded.
  ///
  /// - Throws: ``AdmissionError/audit(_:)`` where it could not be recorded that they are asked for.
  public static func dryRun(
    _ objects: [AdmissionRequest.Object], _ request: AdmissionRequest
  ) throws(AdmissionError) -> LoadAttempts {
    let asked = AskedObject.all(objects)
    do throws(AuditError) {
      try AuditDirectory.requireUsable(request.auditDirectory)
    } catch {
      throw .audit(error)
    }
    return LoadAttempts(asked, request, nil, rehearses: true)
  }

  private init(_ asked: [AskedObject], _ request: AdmissionRequest, _ log: AuditLog?, rehearses: Bool = false) {
    self.rehearses = rehearses
    objects = asked.map(\.object)
    run = AskedRun(asked, request)
    self.log = log
  }

  /// Runs that have crashed, and were closed when the log was opened.
  public var crashedRuns: [CrashedRun] { log?.crashedRuns ?? [] }

  var isDryRun: Bool { log == nil }

  /// Records about one object, whose turn has come.
  func recorder(_ index: Int) -> Recorder {
    begun.withLock { _ = $0.insert(index) }
    return Recorder(self, index)
  }

  /// Records that the image that was asked for has so many objects to load, which are on record as asked for by themselves.
  public func listed(_ count: Int) throws(AdmissionError) { try recorder(0).listed(count) }

  /// Does what has to be done before the first object's turn. When that fails, no object is loaded, and that is recorded
  /// of each.
  public func recordingRefusal<R: ~Copyable>(_ work: () throws -> R) throws -> R {
    do {
      return try work()
    } catch let error as any Diagnosable {
      try refuseAll(error.diagnostic)
      throw error
    }
  }

  /// The same with the error of this module.
  func refusingAll<R>(_ work: () throws(AdmissionError) -> R) throws(AdmissionError) -> R {
    do throws(AdmissionError) {
      return try work()
    } catch {
      try refuseAll(error.diagnostic)
      throw error
    }
  }

  private func refuseAll(_ diagnostic: Diagnostic) throws(AdmissionError) {
    for index in objects.indices {
      try recorder(index).refused(diagnostic, reached: nil, policy: nil)
    }
  }

  /// Records that the objects whose turn never came were not begun.
  func closeUnbegun() throws(AdmissionError) {
    let begun = begun.withLock { $0 }
    do throws(AuditError) {
      try log?.close(unbegun: objects.indices.filter { !begun.contains($0) }.map { run.event($0) })
    } catch {
      throw .audit(error)
    }
  }

  /// A policy as it was asked for, or as it was read.
  func policy(_ compiled: CompiledPolicy?) -> JSONValue {
    guard let compiled else { return .object(run.policy) }
    return .object(
      run.policy + [
        .init("name", .string(compiled.header.nameText)), .init("version", .string("\(compiled.header.version)")),
      ])
  }
}
