internal import Loader
internal import BPFAnalysis
internal import BPFObject
internal import Linux
internal import ImageFormat
internal import Policy
internal import Provenance

/// Takes objects all the way, one after another, on one thread. The images stay open from one to the next.
struct Worker: ~Copyable {
  private let admission: Admission
  private var examination: Examination

  init(_ admission: Admission) {
    self.admission = admission
    examination = Examination(
      expecting: admission.request.rootHash, trust: admission.trust, describes: true,
      takesKernelAlone: admission.policy.takesKernelAlone)
  }

  /// Takes an object all the way.
  ///
  /// - Parameters:
  ///   - index: the object's, among those that were asked for.
  ///   - turn: the object's place among those that other workers have.
  mutating func admit(
    _ index: Int, _ turn: consuming ObjectTurn
  ) throws(AdmissionError) -> AdmissionOutcome {
    let recorder = admission.attempts.recorder(index)
    let judged: JudgedObject
    do throws(AdmissionError) {
      judged = try judge(admission.attempts.objects[index])
    } catch {
      turn.waitForTurn()
      try recorder.refused(error.diagnostic, reached: examination.reached, policy: admission.policy)
      throw error
    }
    turn.waitForTurn()
    return try settle(judged, recorder, turn)
  }

  /// Examines the object, links it, and asks the policy about it.
  private mutating func judge(_ named: AdmissionRequest.Object) throws(AdmissionError) -> JudgedObject {
    var object = try JudgedObject.prepare(named, &examination, keyring: admission.request.kernelKeyring)
    var reports = BPFObject.reports(of: object.linked)
    try JudgedObject.holdAgainstManifest(object, reports)
    let options = admission.request.objectOptions
    if !options.isEmpty { try JudgedObject.requireConfigurable(object) }
    if !options.isEmpty || object.linked.hasOnlyOptionalPrograms {
      // The manifest tells of the object's own bytes; the policy is to judge what will be there.
      do throws(BPFLoadError) {
        object = try object.configured(by: options)
      } catch {
        throw .load(error)
      }
      reports = BPFObject.reports(of: object.linked)
    }
    do throws(BPFObjectError) { try object.linked.requireTypes() } catch { throw .object(error) }
    if admission.request.answersRecords { object = object.answeringRecords() }
    try JudgedObject.holdAgainstAnnotations(object.linked, reports)
    let facts = JudgedObject.facts(about: reports, of: object, requester: admission.attempts.run.requester)
    let verdict = admission.policy.admit(facts, objectDigest: object.digest)
    let capabilities = reports.filter { !$0.kind.isOptional }.reduce(into: Set()) { $0.formUnion($1.capabilities) }
    return JudgedObject(object: object, facts: facts, capabilities: capabilities, verdict: verdict)
  }

  /// Records what was decided, and does it.
  private func settle(
    _ judged: consuming JudgedObject, _ recorder: Recorder, _ turn: consuming ObjectTurn
  ) throws(AdmissionError) -> AdmissionOutcome {
    let facts = judged.facts
    let object = judged.object
    var options = options(for: object.evidence)
    options.capabilities = judged.capabilities
    let verdict = judged.verdict
    switch consume verdict {
    case .deny(let ruling):
      try recorder.decided(
        ruling, allowed: false, facts: facts, object: object, policy: admission.policy, request: admission.request)
      var outcome = AdmissionOutcome(object, ruling: ruling, isAllowed: false)
      for facts in facts where outcome.doubted == nil {
        outcome.doubted = admission.policy.doubtedRule(facts).map { DoubtedRule(line: $0.line, doubts: facts.doubts) }
      }
      return outcome
    case .allow(let permit, let ruling):
      try recorder.decided(
        ruling, allowed: true, facts: facts, object: object, policy: admission.policy, request: admission.request)
      var outcome = AdmissionOutcome(object, ruling: ruling, isAllowed: true)
      if admission.attempts.isDryRun {
        guard admission.attempts.rehearses else { return outcome }
        do throws(BPFLoadError) {
          outcome.unknown = try ObjectLoader.rehearse(
            object, permit: permit, options: options, kernelTypes: admission.kernelTypes)
        } catch {
          throw .load(error)
        }
        return outcome
      }
      turn.passToLoad(pinPath: options.pinPath)
      var loaded: LoadedObject
      do throws(BPFLoadError) {
        loaded = try ObjectLoader.load(
          object, permit: permit, options: options, kernelTypes: admission.kernelTypes,
          directories: admission.directories)
      } catch {
        try recorder.failed(error)
        throw .load(error)
      }
      let tell = telling(loaded, options.pinPath)
      outcome.announcement = try recorder.loadedOrUndone(&loaded, telling: tell)
      outcome.loaded = consume loaded
      outcome.pinPath = options.pinPath
      return outcome
    }
  }

  /// Names the programs that a signal leaves loaded; nil where none stays.
  private func telling(_ loaded: borrowing LoadedObject, _ pinPath: String?) -> Announcement.Tell? {
    guard let pinPath, let untold = admission.request.untold else { return nil }
    let stay = AdmissionRequest.Stay(programs: loaded.programs.map { ($0.name, $0.id) }, pinPath: pinPath)
    return { untold($0, stay) }
  }

  private func options(for evidence: Evidence) -> LoadOptions {
    var options = LoadOptions()
    options.pinPath = admission.request.pinPath.map {
      admission.request.pinsByObject ? "\($0)/\(evidence.pinName)" : $0
    }
    options.attaches = admission.request.attaches
    options.attachedPrograms = admission.request.objectOptions.choice.attached
    options.interface = admission.request.interface
    options.cgroup = admission.request.cgroup
    options.attachTarget = admission.request.attachTarget
    options.verifierLog = admission.request.verifierLogPath
    options.logDirectory = "\(admission.request.auditDirectory)/\(AuditLog.verifierLogsName)"
    return options
  }
}
