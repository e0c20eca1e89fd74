internal import Loader
internal import BPFAnalysis
internal import BPFObject
internal import Linux
internal import Trust
internal import ImageFormat
internal import Policy
internal import Provenance

/// Takes objects all the way, one after another, on one thread. The images stay open from one to the next.
struct Worker: ~Copyable {
  private let admission: Admission
  private var examination: Examination
  /// The helper that links; nil until the first object where one does.
  private var helper: LinkHelper?

  init(_ admission: Admission) {
    self.admission = admission
    examination = Examination(
      expecting: admission.request.rootHash, trust: admission.trust, describes: true,
      takesKernelAlone: admission.policy.takesKernelAlone)
  }

  /// Takes an object all the way but for the last step: what is loaded has to be kept (``LoadAttempts/keep(_:)``).
  ///
  /// - Parameters:
  ///   - index: the object's, among those that were asked for.
  ///   - turn: the object's place among those that other workers have.
  ///   - keep: called with what was loaded or decided, while the turn lasts.
  mutating func admit(
    _ index: Int, _ turn: consuming ObjectTurn, keep: (MadeLoad) throws(AdmissionError) -> Void
  ) throws(AdmissionError) -> MadeLoad {
    let recorder = admission.attempts.recorder(index)
    let request = admission.request.specific(to: index)
    let judged: JudgedObject
    do throws(AdmissionError) {
      judged = try judge(admission.attempts.objects[index], request)
    } catch {
      turn.waitForTurn()
      try recorder.refused(error.diagnostic, reached: examination.reached, policy: admission.policy)
      throw error
    }
    turn.waitForTurn()
    return try settle(judged, request, recorder, turn, keep: keep)
  }

  /// Examines the object, links it, and asks the policy about it.
  private mutating func judge(
    _ named: AdmissionRequest.Object, _ request: AdmissionRequest
  ) throws(AdmissionError) -> JudgedObject {
    if helper == nil, request.link == .helper {
      do throws(LinkHelperError) { helper = try LinkHelper() } catch { throw .load(.helper(error)) }
    }
    var object = try JudgedObject.prepare(
      named, &examination, keyring: request.kernelKeyring, linkedBy: &helper)
    if object.claims != nil { try Self.requireNoTypes(request) }
    try request.whole?.require(object.evidence)
    var reports = BPFObject.reports(of: object.linked)
    try JudgedObject.holdAgainstManifest(object, reports)
    let options = request.objectOptions
    // A load list is under the root hash as the object is: that one is the image's own word.
    if !options.isEmpty, request.whole == nil { try JudgedObject.requireConfigurable(object) }
    if !options.isEmpty || object.linked.hasOnlyOptionalPrograms {
      // The manifest tells of the object's own bytes; the policy is to judge what will be there.
      do throws(BPFLoadError) {
        object = try object.configured(by: options)
      } catch {
        throw .load(error)
      }
      reports = BPFObject.reports(of: object.linked)
    }
    do throws(BPFObjectError) { try object.linked.requireLoadable() } catch { throw .object(error) }
    if request.answersRecords { object = object.answeringRecords() }
    try JudgedObject.holdAgainstAnnotations(object.linked, reports)
    let facts = JudgedObject.facts(about: reports, of: object, requester: admission.requester)
    let verdict = admission.policy.admit(facts, objectDigest: object.digest)
    let capabilities = reports.filter { !$0.kind.isOptional }.reduce(into: Set()) { $0.formUnion($1.capabilities) }
    let shadow = admission.shadow?.answer(facts, objectDigest: object.digest)
    return JudgedObject(object: object, facts: facts, capabilities: capabilities, verdict: verdict, shadow: shadow)
  }

  /// Refuses what is asked of an object that only its types can answer.
  private static func requireNoTypes(_ request: AdmissionRequest) throws(AdmissionError) {
    if !request.objectOptions.variables.isEmpty { throw .load(.helper(.optionNeedsTypes("--set"))) }
    if request.answersRecords { throw .load(.helper(.optionNeedsTypes("--resolve-core user"))) }
  }

  /// Records what was decided, and does it.
  private func settle(
    _ judged: consuming JudgedObject, _ request: AdmissionRequest, _ recorder: Recorder, _ turn: consuming ObjectTurn,
    keep: (MadeLoad) throws(AdmissionError) -> Void
  ) throws(AdmissionError) -> MadeLoad {
    let facts = judged.facts
    let shadow = judged.shadow
    let object = judged.object
    var options = options(for: object.evidence, request)
    options.capabilities = judged.capabilities
    let verdict = judged.verdict
    switch consume verdict {
    case .deny(let ruling):
      try recorder.decided(
        ruling, allowed: false, facts: facts, object: object, policy: admission.policy, request: request,
        shadow: shadow)
      var outcome = AdmissionOutcome(object, request.objectOptions, ruling: ruling, isAllowed: false)
      outcome.shadow = shadow
      for facts in facts where outcome.doubted == nil {
        outcome.doubted = admission.policy.doubtedRule(facts).map { DoubtedRule(line: $0.line, doubts: facts.doubts) }
      }
      return MadeLoad(recorder, outcome, telling: nil)
    case .allow(let permit, let ruling):
      try recorder.decided(
        ruling, allowed: true, facts: facts, object: object, policy: admission.policy, request: request,
        shadow: shadow)
      var outcome = AdmissionOutcome(object, request.objectOptions, ruling: ruling, isAllowed: true)
      outcome.shadow = shadow
      if admission.attempts.isDryRun {
        guard admission.attempts.rehearses else { return MadeLoad(recorder, outcome, telling: nil) }
        do throws(BPFLoadError) {
          outcome.unknown = try ObjectLoader.rehearse(
            object, permit: permit, options: options, kernelTypes: admission.kernelTypes)
        } catch {
          throw .load(error)
        }
        return MadeLoad(recorder, outcome, telling: nil)
      }
      turn.passToLoad(pinPath: options.pinPath)
      let loaded: LoadedObject
      do throws(BPFLoadError) {
        loaded = try ObjectLoader.load(
          object, permit: permit, options: options, kernelTypes: admission.kernelTypes,
          directories: admission.directories)
      } catch {
        try recorder.failed(error)
        throw .load(error)
      }
      let tell = telling(loaded, options.pinPath)
      outcome.loaded = consume loaded
      outcome.pinPath = options.pinPath
      let made = MadeLoad(recorder, outcome, telling: tell)
      try keep(made)
      return made
    }
  }

  /// Names the programs that a signal leaves loaded; nil where none stays.
  private func telling(_ loaded: borrowing LoadedObject, _ pinPath: String?) -> Announcement.Tell? {
    guard let pinPath, let untold = admission.request.untold else { return nil }
    let stay = AdmissionRequest.Stay(programs: loaded.programs.map { ($0.name, $0.id) }, pinPath: pinPath)
    return { untold($0, stay) }
  }

  private func options(for evidence: Evidence, _ request: AdmissionRequest) -> LoadOptions {
    var options = LoadOptions()
    options.pinPath = request.pinPath.map {
      request.pinsByObject ? "\($0)/\(evidence.pinName)" : $0
    }
    options.replaces = request.replaces
    options.endedObjects = request.whole?.ended?.directories ?? []
    options.freshMaps = request.freshMaps
    options.attaches = request.attaches
    options.attachedPrograms = request.objectOptions.choice.attached
    options.interface = request.interface
    options.cgroup = request.cgroup
    options.attachTarget = request.attachTarget
    options.verifierLog = request.verifierLogPath
    options.logDirectory = "\(request.auditDirectory)/\(AuditLog.verifierLogsName)"
    return options
  }
}
