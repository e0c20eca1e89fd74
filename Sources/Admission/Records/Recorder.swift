internal import Loader
internal import BPFObject
internal import Base
internal import Linux
internal import Policy
internal import Provenance

/// Writes the audit records about one object: the decision before the load, the outcome after it.
struct Recorder: Sendable {
  let requester: ProcessIdentity
  private let request: AdmissionRequest
  // Nil for a dry run, which leaves no record because nothing happens.
  private let log: AuditLog?
  private let bootID: String?
  // Ties the records of the object together.
  private var event = ""

  /// Opens the audit log before anything else is done: what cannot be recorded is not begun.
  static func open(_ request: AdmissionRequest) throws(AdmissionError) -> Recorder {
    request.isDryRun ? Recorder(request, log: nil) : Recorder(request, log: try openLog(request.auditDirectory))
  }

  private init(_ request: AdmissionRequest, log: AuditLog?) {
    self.request = request
    self.log = log
    requester = .current()
    bootID = log == nil ? nil : KernelSettings.bootID()
  }

  /// The same for the next object.
  func forAnotherObject() -> Recorder {
    var recorder = self
    recorder.event = log?.event(of: requester.pid) ?? ""
    return recorder
  }

  private static func openLog(_ directory: String) throws(AdmissionError) -> AuditLog {
    do throws(SystemError) {
      return try AuditLog.open(directory: directory)
    } catch {
      throw .audit(directory: directory, error)
    }
  }

  /// Records what the policy said, before anything is done about it.
  func decided(
    _ ruling: Ruling, allowed: Bool, facts: [Facts], evidence: Evidence, digest: Digest, policy: CompiledPolicy,
    kernelEdits: [KernelEdit]
  ) throws(AdmissionError) -> DecisionRecord {
    let descriptor = evidence.descriptor
    var details: [JSONValue.Member] = [
      .init("object", .string(digest.description)),
      .init(
        "policy",
        [
          "file": .string(request.policyName), "name": .string(policy.header.nameText),
          "version": .string("\(policy.header.version)"),
        ]),
      .init("enforcing", .bool(ruling.deciding.enforcing)),
    ]
    if let line = ruling.deciding.line { details.append(.init("rule_line", .integer(Int64(line)))) }
    details += ruling.unknownDenials.jsonMembers
    if let verity = evidence.verity {
      details += [
        .init("root_hash", .string(verity.rootHash.description)),
        .init("witness", evidence.volume?.kernelVouches == true ? "both" : "userspace"),
      ]
    }
    if let volume = evidence.volume, let unproven = evidence.unproven {
      details += [
        .init("root_hash", .string(volume.rootHash.description)), .init("witness", "kernel"),
        .init("unproven", .string(unproven.reason)),
      ]
    }
    if let signature = evidence.rootHashSignature { details.append(.init("root_hash_signature", signature.json)) }
    if let object = evidence.object { details.append(.init("path_in_image", .string(object.path))) }
    if let file = evidence.fileVerity { details.append(.init("fsverity_digest", .string(file.digest.description))) }
    if let file = evidence.file { details.append(.init("file", .string(file.path))) }
    if let signature = evidence.signature, signature.verdict != .unsigned {
      details.append(.init("signature", signature.json))
    }
    if let image = evidence.image { details.append(.init("image", .string(image.path))) }
    if let volume = evidence.volume {
      details += [.init("dm_table", .string(volume.table)), .init("dm_signed", .bool(volume.isSigned))]
    }
    if let loop = evidence.loop { details.append(.init("disk_sequence", .unsigned(loop.diskSequence))) }
    // What was judged, so that the decision can be replayed against another policy.
    details.append(.init("facts", .array(facts.map(\.json))))
    details.append(.init("kernel_edits", .array(kernelEdits.map(\.json))))
    if !request.mapEntries.isEmpty { details.append(.init("map_entries", .array(request.mapEntries.map(\.json)))) }

    let record = DecisionRecord(
      time: .now(), event: event, requester: requester,
      path: evidence.object.map { "/" + $0.path } ?? evidence.file?.path,
      device: evidence.deviceName, inode: descriptor?.inode,
      rule: ruling.deciding.ruleText, isAllowed: allowed, isEnforcing: ruling.deciding.enforcing, facts: details)
    do throws(SystemError) {
      try log?.write(record)
    } catch {
      throw .audit(directory: request.auditDirectory, error)
    }
    return record
  }

  /// Records what is in the kernel now, and only then lets it stay: a load without its record is undone.
  func loadedOrUndone(
    _ loaded: inout LoadedObject, of record: DecisionRecord
  ) throws(AdmissionError) {
    let programs = loaded.programs.map { program in
      JSONValue.object([
        .init("name", .string(program.name)), .init("id", .integer(Int64(program.id))),
        .init("tag", .string(Hex.encode(program.tag))), .init("load_time", .unsigned(program.loadTime)),
      ])
    }
    try append(
      [
        "result": "loaded", "boot_id": .optional(bootID), "programs": .array(programs),
        "kernel_verified": .optional(loaded.verifiedBy?.name),
        "attachments": .array(loaded.attachments.map(\.json)), "pins": .array(loaded.pinnedPaths.map { .string($0) }),
      ], of: record)
    loaded.commit()
  }

  /// Records that the kernel did not take what the policy had allowed.
  func failed(_ error: BPFLoadError, of record: DecisionRecord) throws(AdmissionError) {
    let diagnostic = error.diagnostic
    try append(
      ["result": "failed", "code": .string(diagnostic.code), "message": .string(diagnostic.message)], of: record)
  }

  /// Records a request that ended before a decision.
  func refused(_ error: AdmissionError) throws(AdmissionError) {
    let diagnostic = error.diagnostic
    let record = DecisionRecord(
      time: .now(), event: event, requester: requester, path: nil, device: nil, inode: nil, rule: "", isAllowed: false,
      isEnforcing: true, facts: [])
    try append(
      ["result": "refused", "code": .string(diagnostic.code), "message": .string(diagnostic.message)], of: record)
  }

  private func append(_ outcome: JSONValue, of record: DecisionRecord) throws(AdmissionError) {
    do throws(SystemError) {
      try log?.write(outcome, of: record)
    } catch {
      throw .audit(directory: request.auditDirectory, error)
    }
  }
}
