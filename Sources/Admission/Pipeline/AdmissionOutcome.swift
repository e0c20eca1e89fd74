public import Loader
public import BPFObject
public import Policy
public import Provenance

/// What came of a request.
public struct AdmissionOutcome: ~Copyable {
  /// Where the object comes from.
  public let evidence: Evidence
  /// The policy's answer, program by program.
  public let ruling: Ruling
  /// Whether the policy let it pass.
  public let isAllowed: Bool
  /// What would have allowed it, were it not for a doubt; nil when there is no such rule.
  public internal(set) var doubted: DoubtedRule?
  /// What the shadow policy says; nil where there is none.
  public internal(set) var shadow: ShadowPolicy.Answer?
  /// What was asked for besides the object's own word: which programs, and the sizes of maps.
  public let objectOptions: ObjectOptions
  /// The programs' names, in the order of the ruling's decisions.
  public let programs: [String]
  /// How many CO-RE records go to the kernel, which applies them.
  public let coreRelocationCount: Int
  /// How many instructions linking changed (map indexes and distances), of how many.
  public let editedInstructionCount: Int
  public let instructionCount: Int
  /// What only the running kernel can say, and where it is filled in after the proof.
  public let kernelEdits: [KernelEdit]
  /// The constants that were given other values.
  public let variables: [SetVariable]
  /// What is different in the object's types because no kernel takes them as they are.
  public let typeEdits: [TypeEdit]
  /// What a dry run did not look at, each as the end of a sentence; empty for a load.
  public internal(set) var unknown: [String]
  /// What is in the kernel now; nil when nothing was loaded.
  public var loaded: LoadedObject?
  /// What was pinned beside it and goes, because the image that it is of does not have it any more; of a whole image's last
  /// object alone.
  public internal(set) var ended: EndedObjects?
  /// The directory its pins are in; nil when nothing is pinned.
  public internal(set) var pinPath: String?
  /// Held until the answer is out; nil when nothing stays.
  public internal(set) var announcement: Announcement?
}

/// An ALLOW rule that matches but for a doubt.
public struct DoubtedRule: Sendable {
  /// The rule's line in the policy.
  public let line: Int
  /// Why no rule allows by what the volume says of itself; empty where the doubt is about a signer.
  public let doubts: [VolumeDoubt]
}

extension AdmissionOutcome {
  /// The keys with which the kernel checked the programs' signatures; nil when it was not asked to, or nothing was loaded.
  public var verifiedBy: KernelKeyring? {
    switch loaded {
    case .some(let object): object.verifiedBy
    case .none: nil
    }
  }

  /// Whether some of the kernel edits are answers to CO-RE records, which the kernel does not follow.
  public var answersRecords: Bool { kernelEdits.contains { $0.value == .coreAnswer } }

  /// What the kernel was given of the object's types; nil when nothing was loaded.
  public var submittedTypes: SubmittedTypes? {
    switch loaded {
    case .some(let object): object.types
    case .none: nil
    }
  }

  /// What became of the object whose place it took; nil where it took none.
  public var replaced: ReplacedObject? {
    switch loaded {
    case .some(let object): object.replaced
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

  init(_ object: borrowing PreparedObject, _ options: ObjectOptions, ruling: Ruling, isAllowed: Bool) {
    objectOptions = options
    let linked = object.linked
    let programs = linked.programs.filter { !$0.kind.isOptional }
    evidence = object.evidence
    self.ruling = ruling
    self.isAllowed = isAllowed
    self.programs = programs.map(\.name)
    coreRelocationCount = programs.reduce(0) {
      $0 + $1.coreRelocations.count / max(1, Int($1.coreRelocationRecordSize)) - $1.answered.count
    }
    editedInstructionCount = programs.reduce(0) { $0 + $1.edits.count }
    instructionCount = programs.reduce(0) { $0 + $1.instructions.count / 8 }
    kernelEdits = linked.kernelEdits
    variables = object.variables
    typeEdits = linked.typeEdits
    doubted = nil
    shadow = nil
    unknown = []
    loaded = nil
    ended = nil
    pinPath = nil
    announcement = nil
  }
}
