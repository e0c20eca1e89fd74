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
  let requester: ProcessIdentity
  let bootID: String?
  /// Nil for a dry run, which leaves no record because nothing happens.
  let log: AuditLog?
  let asked: [AskedObject]
  private let run: String
  private let askedPolicy: JSONValue
  /// The root hash that the caller named.
  let rootHash: Digest?
  private let begun = Mutex<Set<Int>>([])

  /// Opens the audit log, and records what is asked for.
  ///
  /// - Parameter request: its policy and anchors need not be read yet.
  /// - Throws: ``AdmissionError/audit(_:)``. What cannot be recorded is not begun.
  public static func begin(
    _ objects: [AdmissionRequest.Object], _ request: AdmissionRequest
  ) throws(AdmissionError) -> LoadAttempts {
    // Before anything is opened, which could get the number of a descriptor that was never handed over.
    let asked = objects.map { AskedObject($0) }
    do throws(AuditError) {
      let log = try AuditLog.open(directory: request.auditDirectory, sync: request.auditSync)
      let attempts = LoadAttempts(asked, request, log)
      try log.begin(
        attempts.run, of: attempts.requester, bootID: attempts.bootID,
        asked.indices.map { (attempts.event($0), attempts.record($0, request)) })
      return attempts
    } catch {
      throw .audit(error)
    }
  }

  /// Loads that are only decided about: nothing is recorded, and nothing is loaded.
  public static func dryRun(_ objects: [AdmissionRequest.Object], _ request: AdmissionRequest) -> LoadAttempts {
    LoadAttempts(objects.map { AskedObject($0) }, request, nil)
  }

  private init(_ asked: [AskedObject], _ request: AdmissionRequest, _ log: AuditLog?) {
    self.asked = asked
    objects = asked.map(\.object)
    self.log = log
    requester = .current()
    bootID = log == nil ? nil : KernelSettings.bootID()
    let time = Timestamp.now()
    run = "\(time.seconds).\(time.nanoseconds)-\(requester.pid)"
    askedPolicy = ["file": .string(request.policyName)]
    rootHash = request.rootHash
  }

  var isDryRun: Bool { log == nil }

  /// Ties the records of an object together: unique on this machine.
  func event(_ index: Int) -> String { "\(run).\(index)" }

  /// Records about one object, whose turn has come.
  func recorder(_ index: Int) -> Recorder {
    begun.withLock { _ = $0.insert(index) }
    return Recorder(self, index)
  }

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
    for index in asked.indices {
      try recorder(index).refused(diagnostic, reached: nil, policy: nil)
    }
  }

  /// Records that the objects whose turn never came were not begun.
  func closeUnbegun() throws(AdmissionError) {
    let begun = begun.withLock { $0 }
    do throws(AuditError) {
      try log?.close(unbegun: asked.indices.filter { !begun.contains($0) }.map { event($0) })
    } catch {
      throw .audit(error)
    }
  }

  /// What is recorded of an attempt.
  private func record(_ index: Int, _ request: AdmissionRequest) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("schema", "verity-bpf/audit/1"), .init("time", .string(Timestamp.now().rfc3339)),
      .init("event", .string(event(index))), .init("stage", "attempt"), .init("op", "BPF_PROG_LOAD"),
      .init("boot_id", .optional(bootID)), .init("requester", requester.json), .init("policy", askedPolicy),
    ]
    members += asked[index].members
    if let rootHash { members.append(.init("root_hash", .string(rootHash.description))) }
    if let pinPath = request.pinPath { members.append(.init("pin_path", .string(pinPath))) }
    if request.attaches { members.append(.init("attach", true)) }
    for (name, value) in [
      ("interface", request.interface), ("cgroup", request.cgroup), ("target", request.attachTarget),
    ] {
      if let value { members.append(.init(name, .string(value))) }
    }
    if !request.mapEntries.isEmpty { members.append(.init("map_entries", .array(request.mapEntries.map(\.json)))) }
    return .object(members)
  }

  /// A policy as it was asked for, or as it was read.
  func policy(_ compiled: CompiledPolicy?) -> JSONValue {
    guard let compiled, case .object(let asked) = askedPolicy else { return askedPolicy }
    return .object(
      asked + [
        .init("name", .string(compiled.header.nameText)), .init("version", .string("\(compiled.header.version)")),
      ])
  }
}
