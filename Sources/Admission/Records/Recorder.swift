internal import Loader
internal import BPFObject
internal import Base
internal import Image
internal import ImageFormat
internal import Linux
internal import Policy
internal import Provenance
internal import Trust
internal import Workbench

/// Writes the audit records about one object: the decision before the load, the outcome after it.
struct Recorder: Sendable {
  private let attempts: LoadAttempts
  private let asked: AskedObject
  let event: String

  init(_ attempts: LoadAttempts, _ index: Int) {
    self.attempts = attempts
    asked = attempts.run.objects[index]
    event = attempts.run.event(index)
  }

  /// Records what the policy said, before anything is done about it.
  func decided(
    _ ruling: Ruling, allowed: Bool, facts: [Facts], object: borrowing PreparedObject, policy: CompiledPolicy,
    request: AdmissionRequest, shadow: ShadowPolicy.Answer?
  ) throws(AdmissionError) {
    guard let log = attempts.log else { return }
    var record = record(
      rule: ruling.deciding.ruleText, enforcing: ruling.deciding.enforcing, evidence: object.evidence,
      members(ruling, facts: facts, object: object, policy: policy, request: request) + (shadow?.jsonMembers ?? []))
    record.shadow = shadow?.record
    var lines = AuditLog.Lines()
    lines.add(text: record.text)
    lines.add(record.json(.decision(isAllowed: allowed)))
    // A denial is the end of the attempt.
    try append(lines, to: log, closes: !allowed, isAction: allowed)
  }

  /// What is recorded of an object that is in the kernel now, and of those that go with it being there.
  func outcome(_ loaded: borrowing LoadedObject, ending ended: EndedObjects?) -> JSONValue {
    let programs = loaded.programs.map { program in
      JSONValue.object([
        .init("name", .string(program.name)), .init("id", .integer(Int64(program.id))),
        .init("tag", .string(Hex.encode(program.tag))), .init("load_time", .unsigned(program.loadTime)),
      ])
    }
    var outcome: [JSONValue.Member] = [
      .init("result", "loaded"), .init("boot_id", .optional(attempts.run.bootID)), .init("programs", .array(programs)),
      .init("kernel_verified", .optional(loaded.verifiedBy?.name)), .init("types", loaded.types.json),
      .init("attachments", .array(loaded.attachments.map(\.json))),
      .init("pins", .array(loaded.pinnedPaths.map { .string($0) })),
    ]
    if let replaced = loaded.replaced { outcome.append(.init("replaced", replaced.json)) }
    if let ended { outcome.append(.init("ended_objects", ended.json)) }
    return .object(outcome)
  }

  /// Records that an image was asked for as a whole, and how many objects that is; each has an attempt of its own then.
  func listed(_ count: Int) throws(AdmissionError) {
    try ended(["result": "listed", "objects": .integer(Int64(count))])
  }

  /// Records that the kernel did not take what the policy had allowed.
  func failed(_ error: BPFLoadError) throws(AdmissionError) { try failed(error.diagnostic) }

  /// Records that what was loaded is taken away again.
  func failed(_ diagnostic: Diagnostic) throws(AdmissionError) {
    try ended(["result": "failed", "code": .string(diagnostic.code), "message": .string(diagnostic.message)])
  }

  /// Records a request that ended before a decision, with the fields that a denial has.
  ///
  /// - Parameters:
  ///   - reached: what was found out about where the object comes from; nil when nobody has looked.
  ///   - policy: nil when it could not be read.
  func refused(
    _ diagnostic: Diagnostic, reached: ReachedOrigin?, policy: CompiledPolicy?
  ) throws(AdmissionError) {
    guard let log = attempts.log else { return }
    var members: [JSONValue.Member] = [.init("policy", attempts.policy(policy)), .init("enforcing", true)]
    members += asked.members
    members += rootHash(reached)
    if let volume = reached?.volume {
      members += [.init("dm_table", .string(volume.table)), .init("dm_signed", .bool(volume.isSigned))]
    }
    if let loop = reached?.loop { members.append(.init("disk_sequence", .unsigned(loop.diskSequence))) }
    let record = record(rule: "", enforcing: true, evidence: nil, members)
    var lines = AuditLog.Lines()
    lines.add(text: record.refusalText(code: diagnostic.code))
    lines.add(
      record.json(
        .refusal([
          "result": "refused", "code": .string(diagnostic.code), "message": .string(diagnostic.message),
        ])))
    try append(lines, to: log, closes: true)
  }

  /// The root hash that was asked for, and who says so: the caller, the kernel's table, or the file beside the image,
  /// which is what the image claims to be; else what its tree says. Where another one was found, that is
  /// recorded too.
  private func rootHash(_ reached: ReachedOrigin?) -> [JSONValue.Member] {
    let found = reached?.rootHash
    let kernel = reached?.volume?.rootHash
    let candidates: [(hash: Digest?, source: String)] = [
      (attempts.run.rootHash, "request"), (kernel, "kernel"), (kernel == nil ? rootHashBeside : nil, "beside"),
      (found, "tree"),
    ]
    guard let (hash, source) = candidates.first(where: { $0.hash != nil }), let hash else { return [] }
    var members: [JSONValue.Member] = [
      .init("root_hash", .string(hash.description)), .init("root_hash_source", .string(source)),
    ]
    if let found, found != hash { members.append(.init("root_hash_found", .string(found.description))) }
    return members
  }

  private var rootHashBeside: Digest? {
    guard case .image(let path, _, _) = asked.object else { return nil }
    return (try? StoredRootHash.of(image: path))?.digest
  }

  private func record(
    rule: String, enforcing: Bool, evidence: Evidence?, _ facts: [JSONValue.Member]
  ) -> DecisionRecord {
    DecisionRecord(
      time: .now(), event: event, requester: attempts.run.requester, requesterJSON: attempts.run.requesterJSON,
      path: evidence?.object.map { "/" + $0.path } ?? evidence?.file?.path ?? asked.path,
      device: evidence?.deviceName ?? asked.device,
      inode: evidence?.descriptor?.inode ?? evidence?.object?.nid ?? asked.inode,
      rule: rule, isEnforcing: enforcing, facts: facts)
  }

  private func ended(_ outcome: JSONValue) throws(AdmissionError) {
    guard let log = attempts.log else { return }
    var lines = AuditLog.Lines()
    lines.add(DecisionRecord.outcome(outcome, of: event, at: .now()))
    try append(lines, to: log, closes: true)
  }

  private func append(
    _ lines: AuditLog.Lines, to log: AuditLog, closes: Bool, isAction: Bool = false
  ) throws(AdmissionError) {
    do throws(AuditError) {
      try log.append(lines, closes: closes ? [event] : [], isAction: isAction)
    } catch {
      throw .audit(error)
    }
  }
}

extension Recorder {
  /// What a decision was made on.
  private func members(
    _ ruling: Ruling, facts: [Facts], object: borrowing PreparedObject, policy: CompiledPolicy,
    request: AdmissionRequest
  ) -> [JSONValue.Member] {
    let evidence = object.evidence
    var details: [JSONValue.Member] = [
      .init("object", .string(object.digest.description)), .init("policy", attempts.policy(policy)),
      .init("enforcing", .bool(ruling.deciding.enforcing)),
    ]
    if let line = ruling.deciding.line { details.append(.init("rule_line", .integer(Int64(line)))) }
    details += ruling.deciding.enforcementMembers + ruling.unknownDenials.jsonMembers
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
        .init("verified_blocks", unproven.verifiedBlocks.map { .unsigned($0) } ?? .null),
      ]
    }
    if let signature = evidence.rootHashSignature { details.append(.init("root_hash_signature", signature.json)) }
    if let layer = evidence.layer { details.append(.init("layer", .string(layer.name))) }
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
    details += [
      .init("kernel_edits", .array(object.linked.kernelEdits.map(\.json))),
      .init("type_edits", .array(object.linked.typeEdits.map(\.json))),
    ]
    details.append(.init("link", .string((object.claims == nil ? LinkMethod.inProcess : .helper).rawValue)))
    details += request.objectOptions.members
    if !object.variables.isEmpty { details.append(.init("variables", .array(object.variables.map(\.json)))) }
    return details
  }
}
