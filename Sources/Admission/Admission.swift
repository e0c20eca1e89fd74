public import BPFLoad
internal import BPFObject
internal import ByteKit
internal import JSONText
internal import LinuxSys
public import PolicyEngine
internal import PolicySyntax
public import Provenance

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
  /// What is in the kernel now; nil when nothing was loaded.
  public var loaded: LoadedObject?
}

/// The way of a program: examine, judge, record, load, record.
///
/// This is the only room that knows all the others, and the order below is the project's promise: nothing is parsed
/// before it is read into private memory and proven, nothing is loaded before the policy has said ALLOW and the
/// record of that is written.
public enum Admission {
  /// Takes a request all the way.
  ///
  /// A DENY is an outcome, not an error. Everything else that keeps the object out is an ``AdmissionError``.
  public static func admit(_ request: AdmissionRequest) throws(AdmissionError) -> AdmissionOutcome {
    let policy = try compile(request)
    let recorder = try Recorder.open(request)
    do throws(AdmissionError) {
      return try admit(request, policy: policy, recorder: recorder)
    } catch {
      try recorder.refused(error)
      throw error
    }
  }

  private static func admit(
    _ request: AdmissionRequest, policy: CompiledPolicy, recorder: borrowing Recorder
  ) throws(AdmissionError) -> AdmissionOutcome {
    let examined = try examine(request)
    let evidence = examined.evidence
    let linked: LinkedObject
    do throws(BPFObjectError) {
      linked = try BPFObject.link(bytes: examined.bytes, objectName: evidence.objectName, allowsExterns: true)
    } catch {
      throw .object(error)
    }
    let programs = linked.programs.filter { !$0.kind.isOptional }
    let facts = BPFObject.reports(of: linked).filter { !$0.kind.isOptional }.map { report in
      Facts(about: report, evidence: evidence, requester: recorder.requester)
    }

    let verdict = policy.admit(facts, objectDigest: examined.digest)
    switch consume verdict {
    case .deny(let ruling):
      _ = try recorder.decided(ruling, allowed: false, evidence: evidence, digest: examined.digest, policy: policy)
      return AdmissionOutcome(linked: linked, programs: programs, evidence: evidence, ruling: ruling, isAllowed: false)
    case .allow(let permit, let ruling):
      let record = try recorder.decided(
        ruling, allowed: true, evidence: evidence, digest: examined.digest, policy: policy)
      var outcome = AdmissionOutcome(
        linked: linked, programs: programs, evidence: evidence, ruling: ruling, isAllowed: true)
      if request.isDryRun { return outcome }
      var loaded: LoadedObject
      do throws(BPFLoadError) {
        loaded = try ObjectLoader.load(examined, permit: permit, options: options(request, evidence))
      } catch {
        try recorder.failed(error, of: record)
        throw .load(error)
      }
      try recorder.loadedOrUndone(&loaded, of: record)
      outcome.loaded = consume loaded
      return outcome
    }
  }

  private static func compile(_ request: AdmissionRequest) throws(AdmissionError) -> CompiledPolicy {
    do throws(InvalidPolicy) {
      return try CompiledPolicy(PolicyDocument.parse(request.policy, dialect: .verityBPF))
    } catch {
      throw .policy(file: request.policyName, error)
    }
  }

  private static func examine(_ request: AdmissionRequest) throws(AdmissionError) -> ExaminedObject {
    do throws(ProvenanceError) {
      switch request.object {
      case .descriptor(let number):
        return try Examination.examine(fd: number, expecting: request.rootHash)
      case .image(let path, let object):
        return try Examination.examine(image: path, object: object, expecting: request.rootHash)
      }
    } catch {
      throw .provenance(error)
    }
  }

  private static func options(_ request: AdmissionRequest, _ evidence: Evidence) -> LoadOptions {
    var options = LoadOptions()
    options.objectName = evidence.objectName
    options.pinPath = request.pinPath
    options.attaches = request.attaches
    options.verifierLog = request.verifierLogPath
    return options
  }
}

extension AdmissionOutcome {
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
    loaded = nil
  }
}
