public import BPFLoad
public import BPFObject
internal import ByteKit
public import Diagnostics
internal import JSONText
internal import LinuxSys
internal import Manifest
public import PolicyEngine
internal import PolicySyntax
public import Provenance
internal import TrustAnchors

/// What came of a request.
public struct AdmissionOutcome: ~Copyable {
  /// Where the object comes from.
  public let evidence: Evidence
  /// The policy's answer, program by program.
  public let ruling: Ruling
  /// Whether the policy let it pass.
  public let isAllowed: Bool
  /// The programs' names, in the order of the ruling's decisions.
  public let programs: [String]
  /// How many CO-RE records go to the kernel, which applies them.
  public let coreRelocationCount: Int
  /// How many instructions linking changed (map indexes and distances), of how many.
  public let editedInstructionCount: Int
  public let instructionCount: Int
  /// What only the running kernel can say, and where it is filled in after the proof.
  public let kernelEdits: [KernelEdit]
  /// What is in the kernel now; nil when nothing was loaded.
  public var loaded: LoadedObject?
  /// The directory its pins are in; nil when nothing is pinned.
  public internal(set) var pinPath: String?
}

/// The way of a program: examine, judge, record, load, record.
///
/// This is the only room that knows all the others, and the order below is the project's promise: nothing is parsed
/// before it is read into private memory and proven, nothing is loaded before the policy has said ALLOW and the
/// record of that is written.
///
/// Several objects may go the way one after another, each decided and recorded by itself. They share the compiled
/// policy, the open log, the images and what was looked up in the kernel's types.
public struct Admission: ~Copyable {
  private let request: AdmissionRequest
  private let policy: CompiledPolicy
  private let kernelTypes = KernelTypes()
  /// Certificates that were found where anchors are kept, and do not count.
  public let trustProblems: [Diagnostic]
  private var recorder: Recorder
  private var examination: Examination

  /// Compiles the policy, reads the trust anchors, then opens the audit log.
  ///
  /// - Throws: ``AdmissionError/policy(file:_:)``, ``AdmissionError/trust(_:)`` or
  ///   ``AdmissionError/audit(directory:_:)``.
  public init(_ request: AdmissionRequest) throws(AdmissionError) {
    let policy = try Self.compile(request)
    let trust = try Self.trust(in: request.trustDirectory)
    let recorder = try Recorder.open(request)
    self.init(request, policy: policy, trust: trust, recorder: recorder)
  }

  private init(
    _ request: AdmissionRequest, policy: CompiledPolicy, trust: TrustAnchors, recorder: consuming Recorder
  ) {
    self.request = request
    self.policy = policy
    self.recorder = recorder
    trustProblems = trust.problems
    examination = Examination(
      expecting: request.rootHash, trust: trust, describes: true, takesKernelAlone: policy.takesKernelAlone)
  }

  /// Takes an object all the way.
  ///
  /// A DENY is an outcome, not an error. Everything else that keeps the object out is an ``AdmissionError``.
  public mutating func admit(_ object: AdmissionRequest.Object) throws(AdmissionError) -> AdmissionOutcome {
    recorder.begin()
    do throws(AdmissionError) {
      return try decideAndLoad(object)
    } catch {
      try recorder.refused(error)
      throw error
    }
  }

  private mutating func decideAndLoad(
    _ named: AdmissionRequest.Object
  ) throws(AdmissionError) -> AdmissionOutcome {
    let object = try Self.prepare(named, &examination, keyring: request.kernelKeyring)
    let evidence = object.evidence
    let linked = object.linked
    let reports = BPFObject.reports(of: linked)
    try Self.holdAgainstManifest(object, reports)
    try Self.holdAgainstAnnotations(linked, reports)
    let programs = linked.programs.filter { !$0.kind.isOptional }
    let facts = Self.facts(about: reports, of: object, requester: recorder.requester)
    let options = options(for: evidence)

    let verdict = policy.admit(facts, objectDigest: object.digest)
    switch consume verdict {
    case .deny(let ruling):
      _ = try recorder.decided(
        ruling, allowed: false, facts: facts, evidence: evidence, digest: object.digest, policy: policy,
        kernelEdits: linked.kernelEdits)
      return AdmissionOutcome(linked: linked, programs: programs, evidence: evidence, ruling: ruling, isAllowed: false)
    case .allow(let permit, let ruling):
      let record = try recorder.decided(
        ruling, allowed: true, facts: facts, evidence: evidence, digest: object.digest, policy: policy,
        kernelEdits: linked.kernelEdits)
      var outcome = AdmissionOutcome(
        linked: linked, programs: programs, evidence: evidence, ruling: ruling, isAllowed: true)
      if request.isDryRun { return outcome }
      var loaded: LoadedObject
      do throws(BPFLoadError) {
        loaded = try ObjectLoader.load(object, permit: permit, options: options, kernelTypes: kernelTypes)
      } catch {
        try recorder.failed(error, of: record)
        throw .load(error)
      }
      try recorder.loadedOrUndone(&loaded, of: record)
      outcome.loaded = consume loaded
      outcome.pinPath = options.pinPath
      return outcome
    }
  }

  /// Refuses an object that does more than its author says, in the lockdown mode that this machine is in, or reads more.
  private static func holdAgainstAnnotations(
    _ linked: LinkedObject, _ reports: [ProgramReport]
  ) throws(AdmissionError) {
    // What is read does not depend on a mode.
    for report in reports where report.readDeclaration != nil && !report.undeclaredReads.isEmpty {
      throw .reads(program: report.name, report.undeclaredReads)
    }
    // Whoever can hide the mode from us must not gain by it: then what is said of each has to hold.
    let mode = KernelSettings.lockdownMode()
    for annotation in linked.annotations where mode == nil || annotation.mode.rawValue == mode?.rawValue {
      guard let report = reports.first(where: { $0.name == annotation.program }) else { continue }
      let excess = annotation.excess(of: report)
      guard excess.isEmpty else {
        throw .annotation(program: annotation.program, mode: annotation.mode.rawValue, excess: excess)
      }
    }
  }

  /// Refuses an object that its image's manifest describes otherwise than its bytes do.
  private static func holdAgainstManifest(
    _ object: borrowing PreparedObject, _ reports: [ProgramReport]
  ) throws(AdmissionError) {
    guard let facts = object.evidence.object, let described = facts.described else { return }
    let file = Manifest.File(path: facts.path, digest: facts.digest, size: facts.size)
    do throws(ManifestError) {
      try described.check(
        against: ObjectDescription.describe(
          reports, license: object.linked.license, maps: object.linked.maps, file: file))
    } catch {
      throw .manifest(error)
    }
  }

  /// The trust anchors of a directory, or this machine's own.
  private static func trust(in directory: String?) throws(AdmissionError) -> TrustAnchors {
    do throws(TrustError) {
      return if let directory { try TrustAnchors(directory: directory) } else { try .standard() }
    } catch {
      throw .trust(error)
    }
  }

  private static func compile(_ request: AdmissionRequest) throws(AdmissionError) -> CompiledPolicy {
    do throws(InvalidPolicy) {
      return try CompiledPolicy(PolicyDocument.parse(request.policy, dialect: .verityBPF))
    } catch {
      throw .policy(file: request.policyName, error)
    }
  }

  /// The facts that a policy would judge about an object: one set a program. Nothing is decided, recorded or loaded.
  public static func facts(about named: AdmissionRequest.Object) throws(AdmissionError) -> [Facts] {
    var examination = Examination(trust: try trust(in: nil))
    let object = try prepare(named, &examination, keyring: nil)
    return facts(about: BPFObject.reports(of: object.linked), of: object, requester: .current())
  }

  private static func facts(
    about reports: [ProgramReport], of object: borrowing PreparedObject, requester: ProcessIdentity
  ) -> [Facts] {
    let evidence = object.evidence
    return reports.filter { !$0.kind.isOptional }.map { report in
      var facts = Facts(about: report, evidence: evidence, requester: requester)
      let relocations = object.linked.programs.first { $0.name == report.name }?.coreRelocations
      facts.takeKernelCheck(object.handover, relocations: relocations)
      return facts
    }
  }

  /// Examines the object and links it.
  private static func prepare(
    _ named: AdmissionRequest.Object, _ examination: inout Examination, keyring: KernelKeyring?
  ) throws(AdmissionError) -> PreparedObject {
    let examined = try examine(named, &examination)
    let name = examined.evidence.objectName
    do throws(BPFLoadError) {
      return try PreparedObject.linking(examined, name: name, keyring: keyring)
    } catch {
      if case .object(let error) = error { throw .object(error) }
      throw .load(error)
    }
  }

  private static func examine(
    _ named: AdmissionRequest.Object, _ examination: inout Examination
  ) throws(AdmissionError) -> ExaminedObject {
    do throws(ProvenanceError) {
      switch named {
      case .descriptor(let number): return try examination.examine(fd: number)
      case .image(let path, let object): return try examination.examine(image: path, object: object)
      case .file(let path): return try examination.examine(file: path)
      }
    } catch {
      throw .provenance(error)
    }
  }

  private func options(for evidence: Evidence) -> LoadOptions {
    var options = LoadOptions()
    options.pinPath = request.pinPath.map { request.pinsByObject ? "\($0)/\(evidence.pinName)" : $0 }
    options.attaches = request.attaches
    options.interface = request.interface
    options.cgroup = request.cgroup
    options.attachTarget = request.attachTarget
    options.verifierLog = request.verifierLogPath
    return options
  }
}

extension AdmissionOutcome {
  /// The keys with which the kernel checked the programs' signatures; nil when it was not asked to, or nothing was loaded.
  public var verifiedBy: KernelKeyring? {
    switch loaded {
    case .some(let object): object.verifiedBy
    case .none: nil
    }
  }

  /// The programs in the kernel now; none when nothing was loaded.
  public var loadedPrograms: [LoadedProgram] {
    switch loaded {
    case .some(let object): object.programs
    case .none: []
    }
  }

  /// The maps in the kernel now; none when nothing was loaded.
  public var loadedMaps: [LoadedMap] {
    switch loaded {
    case .some(let object): object.maps
    case .none: []
    }
  }

  init(linked: LinkedObject, programs: [LinkedProgram], evidence: Evidence, ruling: Ruling, isAllowed: Bool) {
    self.evidence = evidence
    self.ruling = ruling
    self.isAllowed = isAllowed
    self.programs = programs.map(\.name)
    coreRelocationCount = programs.reduce(0) {
      $0 + $1.coreRelocations.count / max(1, Int($1.coreRelocationRecordSize))
    }
    editedInstructionCount = programs.reduce(0) { $0 + $1.edits.count }
    instructionCount = programs.reduce(0) { $0 + $1.instructions.count / 8 }
    kernelEdits = linked.kernelEdits
    loaded = nil
    pinPath = nil
  }
}
