internal import Base
internal import Loader
internal import Linux
internal import Trust
internal import Workbench

/// What was asked for in one run: who, by which policy, and which objects.
struct AskedRun: Sendable {
  let requester: ProcessIdentity
  /// ``requester`` as the records have it.
  let requesterJSON: JSONValue
  /// This start of the machine.
  let bootID: String?
  let objects: [AskedObject]
  /// Ties the records of the run together: the moment and the process.
  let name: String
  /// The policy as it was asked for.
  let policy: [JSONValue.Member]
  /// The root hash that the caller named.
  let rootHash: Digest?
  /// What all attempts of the run have in common.
  private let common: [JSONValue.Member]
  /// What was asked for each object, where that differs; else empty.
  private let specific: [[JSONValue.Member]]

  init(_ objects: [AskedObject], _ request: AdmissionRequest) {
    self.objects = objects
    requester = .current()
    requesterJSON = requester.json
    bootID = KernelSettings.bootID()
    let time = Timestamp.now()
    name = "\(time.seconds).\(time.nanoseconds)-\(requester.pid)"
    policy = [.init("file", .string(request.policyName))]
    rootHash = request.rootHash
    var members: [JSONValue.Member] = [
      .init("boot_id", .optional(bootID)), .init("requester", requesterJSON), .init("policy", .object(policy)),
    ]
    if let rootHash { members.append(.init("root_hash", .string(rootHash.description))) }
    if let whole = request.whole {
      specific = whole.entries.indices.map { Self.options(request.specific(to: $0)) }
      members.append(.init("whole_image", true))
    } else {
      specific = []
      members += Self.options(request)
    }
    common = members
  }

  /// What was asked for besides the object.
  private static func options(_ request: AdmissionRequest) -> [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if let pinPath = request.pinPath {
      // Where a relative path leads, only this process knows.
      members.append(.init("pin_path", .string((try? Directory.absolute(pinPath)) ?? pinPath)))
    }
    if request.replaces { members.append(.init("replace", true)) }
    if request.freshMaps { members.append(.init("fresh_maps", true)) }
    if request.attaches { members.append(.init("attach", true)) }
    for (name, value) in [
      ("interface", request.interface), ("cgroup", request.cgroup), ("target", request.attachTarget),
    ] {
      if let value { members.append(.init(name, .string(value))) }
    }
    if request.link == .helper { members.append(.init("link", .string(request.link.rawValue))) }
    members += request.objectOptions.members
    let variables = request.objectOptions.variables
    if !variables.isEmpty { members.append(.init("variables", .array(variables.map(\.json)))) }
    return members
  }

  /// What was asked for an object besides what all have in common.
  private func specific(to index: Int) -> [JSONValue.Member] { specific.isEmpty ? [] : specific[index] }

  /// Ties the records of an object together: unique on this machine.
  func event(_ index: Int) -> String { "\(name).\(index)" }

  /// The events of all objects.
  var events: [String] { objects.indices.map { event($0) } }

  /// What is recorded of an attempt; nil for an event of another run.
  func record(of event: String) -> JSONValue? {
    guard event.hasPrefix("\(name)."), let index = Int(event.dropFirst(name.utf8.count + 1)),
      objects.indices.contains(index)
    else { return nil }
    return .object(head(event, at: .now()) + objects[index].members + specific(to: index) + common)
  }

  private func head(_ event: String, at time: Timestamp) -> [JSONValue.Member] {
    [
      .init("schema", "verity-bpf/audit/1"), .init("time", .string(time.rfc3339)), .init("event", .string(event)),
      AuditStage.attempt.member, .init("op", "BPF_PROG_LOAD"),
    ]
  }

  /// The records of all attempts. What they have in common is put into words once: a run may have thousands.
  func lines(at time: Timestamp) -> AuditLog.Lines {
    var lines = AuditLog.Lines()
    let end = JSONValue.object(common).compactUTF8.dropFirst()
    let stamp = AuditStamp(time, serial: UInt64(clamping: requester.pid))
    var text = AttemptRecord(
      operation: "BPF_PROG_LOAD", pid: requester.pid, command: requester.command, file: nil, uid: UInt64(requester.uid),
      gid: UInt64(requester.gid), auid: requester.auditUID.map { UInt64($0) },
      executable: requester.executable.map { Array($0.utf8) }, event: "", stage: .attempt)
    for (index, object) in objects.enumerated() {
      text.file = object.file
      text.event = event(index)
      lines.add(text: Workbench.AuditRecord.attempt(text).line(stamp, daemon: true))
      lines.objects += JSONValue.object(head(text.event, at: time) + object.members + specific(to: index)).compactUTF8
        .dropLast()
      lines.objects.append(UInt8(ascii: ","))
      lines.objects += end
      lines.objects.append(UInt8(ascii: "\n"))
    }
    return lines
  }
}
