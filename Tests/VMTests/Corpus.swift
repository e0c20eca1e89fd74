import Loader
import BPFAnalysis
import BPFObject
import Base
import Linux
import Policy
import Provenance

/// Objects that nobody here wrote (`tools/corpus`), asked of the kernel one program after another.
///
/// Nothing but the kernel refuses here: the policy allows everything, and the analysis only looks on.
final class Corpus {
  /// One program and what the analysis says of it.
  struct Program {
    let object: String
    let report: ProgramReport

    var id: String { "\(object) \(report.name)" }
  }

  /// What the kernel said when it was asked for something.
  enum Answer: Equatable {
    case yes
    /// No, because it is locked down.
    case lockedDown(String)
    case no(String)
    /// It could not be asked.
    case unasked(String)

    /// One line for the host's table.
    var text: String {
      switch self {
      case .yes: "yes"
      case .lockedDown(let reason): "lockdown: \(reason)"
      case .no(let reason): "no: \(reason)"
      case .unasked(let reason): "-: \(reason)"
      }
    }
  }

  /// What became of a program: loaded, and then attached.
  struct Outcome: Equatable {
    var load: Answer
    var attach: Answer
  }

  private static let image = "/corpus/corpus.raw"
  private static let directory = "/corpus/objects"
  private static let pins = "/sys/fs/bpf/corpus"

  private let policy: CompiledPolicy
  private let kernelTypes = KernelTypes()
  private var examination = Examination()
  /// The sizes that maps of each object were given.
  private var sizes: [String: [MapEntries]] = [:]

  /// - Throws: ``Skipped`` where the corpus could not be had.
  init() throws {
    guard (try? FileStatus.of(path: Self.image)) != nil else {
      throw Skipped(reason: "no corpus: the packages that hold its objects could not be fetched")
    }
    let text = "policy_name=corpus policy_version=1.0.0\nDEFAULT action=ALLOW\n"
    policy = try CompiledPolicy(PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF))
  }

  /// The objects as paths in the image and below ``directory``.
  func objects() throws -> [String] {
    try Directory.names(Self.directory).sorted().flatMap { package in
      try Directory.names("\(Self.directory)/\(package)").sorted().map { "\(package)/\($0)" }
    }
  }

  static func file(of object: String) -> String { "\(directory)/\(object)" }

  /// The object's programs, optional ones too.
  /// - Throws: a ``Diagnosable`` for an object that cannot be linked.
  func programs(of object: String) throws -> [Program] {
    BPFObject.reports(of: try prepare(object).linked).map { Program(object: object, report: $0) }
  }

  /// Loads a whole object, without attaching it.
  func load(_ object: String) -> Answer {
    do {
      let loaded = try load(object, LoadOptions())
      return loaded > 0 ? .yes : .unasked("no programs")
    } catch {
      return Self.refusal(error)
    }
  }

  /// Loads and attaches every program of an object, each by itself where that does not work for all together.
  func ask(_ programs: [Program]) -> [Outcome] {
    guard let object = programs.first?.object else { return [] }
    let usual = programs.filter { !$0.report.kind.isOptional }
    guard let first = usual.first, usual.count == programs.count else { return programs.map { ask($0) } }
    do {
      try loadSized(object, options(first, attaches: true))
      return programs.map { _ in Outcome(load: .yes, attach: .yes) }
    } catch BPFLoadError.mapRefused(let map, let shape, let error) {
      // The maps are made for each program, whether it uses them or not.
      let refusal = Self.refusal(BPFLoadError.mapRefused(map: map, shape: shape, error: error))
      return programs.map { _ in Outcome(load: refusal, attach: .unasked("not loaded")) }
    } catch {
      return programs.map { ask($0) }
    }
  }

  private func ask(_ program: Program) -> Outcome {
    do {
      try loadSized(program.object, options(program, attaches: true), only: program.report.name)
      return Outcome(load: .yes, attach: .yes)
    } catch {
      guard let attach = Self.attachment(error) else {
        return Outcome(load: Self.refusal(error), attach: .unasked("not loaded"))
      }
      do {
        try loadSized(program.object, options(program, attaches: false), only: program.report.name)
        return Outcome(load: .yes, attach: attach)
      } catch {
        return Outcome(load: Self.refusal(error), attach: .unasked("not loaded"))
      }
    }
  }

  private func options(_ program: Program, attaches: Bool) -> LoadOptions {
    var options = LoadOptions()
    options.attaches = attaches
    options.interface = "lo"
    options.cgroup = "/sys/fs/cgroup"
    // Where the section names no place, one that is always there.
    options.attachTarget = program.report.typeName == "perf_event" ? "cpu-clock@99" : "/init:0x4000"
    return options
  }

  /// Loads with a size for every map that the object leaves open and the kernel refuses so, as the object's own loader
  /// would, and takes everything out again.
  private func loadSized(_ object: String, _ options: LoadOptions, only program: String? = nil) throws {
    while true {
      do {
        try load(object, options, only: program)
        return
      } catch BPFLoadError.mapWithoutSize(let map, _, _) where sizes[object]?.contains(where: { $0.map == map }) != true
      {
        sizes[object, default: []].append(MapEntries(map: map, entries: 1))
      }
    }
  }

  /// Loads, and takes everything out again. Returns the number of programs.
  @discardableResult
  private func load(_ object: String, _ options: LoadOptions, only program: String? = nil) throws -> Int {
    var options = options
    // Some want to share maps by name, for which there must be a directory.
    options.pinPath = Self.pins
    options.verifierLog = "/tmp/verifier.log"
    var choice = ProgramChoice()
    if let program { choice.only = [FileNamePattern(program)] }
    var changes = ObjectOptions()
    changes.choice = choice
    changes.mapEntries = sizes[object] ?? []
    let prepared = try prepare(object).configured(by: changes)
    switch policy.admit([Facts(operation: .bpfProgLoad)], objectDigest: prepared.digest) {
    case .deny: throw Failure(description: "the policy denies \(object)")
    case .allow(let permit, _):
      let loaded = try ObjectLoader.load(prepared, permit: permit, options: options, kernelTypes: kernelTypes)
      return loaded.programs.count
    }
  }

  private func prepare(_ object: String) throws -> PreparedObject {
    let examined = try examination.examine(image: Self.image, object: object)
    return try PreparedObject.linking(
      examined, name: object.split(separator: "/").last.map { String($0) } ?? object, keyring: nil)
  }

  /// What a refused attachment says; nil when it was not the attachment that was refused.
  private static func attachment(_ error: any Error) -> Answer? {
    switch error as? BPFLoadError {
    case .attachRefused, .noAttachPlace: .no(reason(error))
    case .notAttachable, .attachNeeds, .badAttachTarget: .unasked(reason(error))
    case .notPermitted(let permission) where permission.action.hasPrefix("attach"): refusal(error)
    default: nil
    }
  }

  /// A refusal, told apart by whether lockdown is behind it: the verifier's word about a helper, the kernel's log, or
  /// the files of the tracing file system that it does not make.
  static func refusal(_ error: any Error) -> Answer {
    switch error as? BPFLoadError {
    case .programRefused(let refused) where refused.lockdown != nil: .lockedDown(reason(error))
    case .notPermitted(let permission) where permission.cause.isLockdown: .lockedDown(reason(error))
    default: .no(reason(error))
    }
  }

  /// One line: the kernel's own answer where there is one.
  static func reason(_ error: any Error) -> String {
    let text: String
    switch error as? BPFLoadError {
    case .programRefused(let refused): text = "\(refused.error.errnoName): \(refused.reason ?? "no reason")"
    case .notPermitted(let permission):
      text = permission.error?.errnoName ?? "a capability is missing"
    case .attachRefused(_, _, _, let error): text = "\(error.operation) \(error.errnoName)"
    case .mapRefused(let map, _, let error), .mapWithoutSize(let map, _, let error):
      text = "map \(map): \(error.errnoName)"
    case .noAttachTarget(_, _, let target, _): text = "the kernel has no \(target)"
    case .noAttachPlace(_, _, let place, let reason): text = "\(place): \(reason)"
    default: text = (error as? any Diagnosable)?.diagnostic.message ?? "\(error)"
    }
    return String(text.map { $0 == "\n" || $0 == "\t" ? " " : $0 }.prefix(200))
  }
}

extension Refusal.Cause {
  fileprivate var isLockdown: Bool {
    if case .lockdown = self { true } else { false }
  }
}
