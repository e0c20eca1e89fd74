internal import KernelABI
internal import Loader
internal import BPFAnalysis
internal import BPFObject
internal import Linux
internal import ImageFormat
public import Policy
internal import Provenance

/// An object on which the policy has spoken, and which is not loaded yet.
struct JudgedObject: ~Copyable {
  let object: PreparedObject
  /// One set a program, in the order of the programs.
  let facts: [Facts]
  /// What its programs need beside CAP_BPF, all together.
  let capabilities: Set<Capability>
  let verdict: Verdict
  /// What the shadow policy says; nil where there is none.
  let shadow: ShadowPolicy.Answer?

  /// Refuses an object that does more than its author says, in the lockdown mode that this machine is in, or reads more.
  static func holdAgainstAnnotations(
    _ linked: LinkedObject, _ reports: [ProgramReport]
  ) throws(AdmissionError) {
    // What is read does not depend on a mode.
    for report in reports where report.readDeclaration != nil && !report.undeclaredReads.isEmpty {
      throw .reads(program: report.name, report.undeclaredReads)
    }
    guard !linked.annotations.isEmpty else { return }
    // Hiding the mode must gain nothing: where it is unknown, the annotations for every mode have to hold.
    let mode = KernelSettings.lockdownMode()
    let reportsByName = Dictionary(reports.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for annotation in linked.annotations where mode == nil || annotation.mode.rawValue == mode?.rawValue {
      let name = annotation.program
      guard let report = reportsByName[name] else { continue }
      let excess = annotation.excess(of: report)
      guard excess.isEmpty else {
        throw .annotation(program: annotation.program, mode: annotation.mode.rawValue, excess: excess)
      }
    }
  }

  /// Refuses an object that its image's manifest describes otherwise than its bytes do.
  static func holdAgainstManifest(
    _ object: borrowing PreparedObject, _ reports: [ProgramReport]
  ) throws(AdmissionError) {
    guard let facts = object.evidence.object, let described = facts.described else { return }
    let file = Manifest.File(path: facts.path, digest: facts.digest, size: facts.size)
    do throws(ManifestError) {
      var found = ObjectDescription.describe(
        reports, license: object.linked.license, maps: object.linked.maps, file: file,
        statements: try described.statements())
      // What the analysis concludes from types is not known here: what is left is held against the manifest.
      if object.claims != nil { found.takeConclusions(of: try described.object()) }
      try described.check(against: found)
    } catch {
      throw .manifest(error)
    }
  }

  static func facts(
    about reports: [ProgramReport], of object: borrowing PreparedObject, requester: Requester
  ) -> [Facts] {
    let evidence = object.evidence
    let programs = Dictionary(object.linked.programs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let agreed = AgreedConclusions.of(object)
    return reports.filter { !$0.kind.isOptional }.map { report in
      var facts = Facts(about: report, evidence: evidence, requester: requester)
      facts.isConfigured = object.isConfigured
      facts.coreByLoader = object.answersRecords
      facts.takeKernelCheck(by: object.handover?.keyring.ring, of: programs[report.name], evidence)
      if let agreed = agreed?[report.name] { facts.take(agreed) }
      return facts
    }
  }

  /// Examines the object and links it.
  static func prepare(
    _ named: AdmissionRequest.Object, _ examination: inout Examination, keyring: KernelKeyring?,
    linkedBy helper: inout LinkHelper?
  ) throws(AdmissionError) -> PreparedObject {
    let examined = try examine(named, &examination)
    let name = examined.evidence.objectName
    let object: PreparedObject
    do throws(BPFLoadError) {
      object = try link(examined, name: name, keyring: keyring, by: &helper)
    } catch {
      if case .object(let error) = error { throw .object(error) }
      throw .load(error)
    }
    return try stating(object)
  }

  /// Links the object, by the helper where there is one.
  private static func link(
    _ examined: consuming ExaminedObject, name: String, keyring: KernelKeyring?, by helper: inout LinkHelper?
  ) throws(BPFLoadError) -> PreparedObject {
    guard var running = helper.take() else { return try .linking(examined, name: name, keyring: keyring) }
    // Given back whatever comes of it: the next object is linked by it as well.
    do throws(BPFLoadError) {
      let object = try PreparedObject.linking(examined, name: name, keyring: keyring, by: &running)
      helper = consume running
      return object
    } catch {
      helper = consume running
      throw error
    }
  }

  /// The object with what its image's manifest says of it, and its bytes do not.
  private static func stating(_ object: consuming PreparedObject) throws(AdmissionError) -> PreparedObject {
    guard let facts = object.evidence.object else { return object }
    let stated = try statements(about: facts).sectionTypes
    guard !stated.isEmpty else { return object }
    var types: [SectionType] = []
    for statement in stated {
      guard let type = SectionType(section: statement.section, type: statement.type) else {
        throw .unknownStatement(path: facts.path, statement)
      }
      types.append(type)
    }
    do throws(BPFObjectError) {
      return try object.stating(types)
    } catch {
      throw .manifest(
        .description(
          path: facts.path, member: "section_types", expected: "sections whose names say no type",
          found: error.message))
    }
  }

  /// What the manifest of an object's image says of it, and its bytes do not.
  private static func statements(about facts: ObjectFacts) throws(AdmissionError) -> Manifest.Statements {
    do throws(ManifestError) {
      return try facts.described?.statements() ?? Manifest.Statements()
    } catch {
      throw .manifest(error)
    }
  }

  /// Refuses to configure an object whose image says that it is loaded as it is. A policy may ask for less than its image
  /// allows, and for no more: the root hash or signature that a rule trusts vouches for that statement too.
  static func requireConfigurable(_ object: borrowing PreparedObject) throws(AdmissionError) {
    // What cannot be read here may say so too.
    guard object.evidence.unproven == nil else {
      throw .load(
        .notConfigurable(object: object.evidence.objectName, found: "an image whose manifest cannot be read here"))
    }
    guard let facts = object.evidence.object, try statements(about: facts).isConfigurable == false else { return }
    throw .load(.notConfigurable(object: facts.path, found: "`configurable` is false in the image's manifest"))
  }

  private static func examine(
    _ named: AdmissionRequest.Object, _ examination: inout Examination
  ) throws(AdmissionError) -> ExaminedObject {
    do throws(ProvenanceError) {
      switch named {
      case .descriptor(let number): return try examination.examine(fd: number)
      case .executed(let file): return try examination.examine(executed: file)
      case .image(let path, let object, let location):
        return try examination.examine(image: path, at: location, object: object)
      case .file(let path): return try examination.examine(file: path)
      }
    } catch {
      throw .provenance(error)
    }
  }
}

extension Admission {
  /// The facts that a policy would judge about an object: one set a program, with the program's name. Nothing is decided,
  /// recorded or loaded.
  public static func facts(
    about named: AdmissionRequest.Object
  ) throws(AdmissionError) -> [(program: String, facts: Facts)] {
    let trust = try machinesTrust()
    var examination = Examination(trust: trust, describes: true)
    var helper: LinkHelper?
    let object = try JudgedObject.prepare(named, &examination, keyring: nil, linkedBy: &helper)
    let reports = BPFObject.reports(of: object.linked).filter { !$0.kind.isOptional }
    let facts = JudgedObject.facts(about: reports, of: object, requester: .examined(.current(), trust: trust))
    return zip(reports, facts).map { ($0.name, $1) }
  }
}
