internal import BPFObject
internal import ImageFormat
internal import KernelABI
internal import LinkProtocol
internal import Loader
internal import Policy
internal import Provenance

/// What a verified manifest says of a program that was linked by a helper, and the helper too.
///
/// A helper has read the object's types, which this process has not: alone its word counts for nothing. The manifest is under
/// the root hash; where both say the same, it is as if this process had found it.
struct AgreedConclusions {
  private let isRestricted: Bool
  private let readsNothing: Bool
  /// The strictest mode that both say takes it.
  private let lockdown: LockdownMode

  /// By the programs' names; nil for an object that was linked in this process, and one whose programs were made to be something
  /// else than the manifest describes.
  static func of(_ object: borrowing PreparedObject) -> [String: AgreedConclusions]? {
    guard let claims = object.claims, !object.isConfigured,
      let described = try? object.evidence.object?.described?.object()
    else { return nil }
    var agreed: [String: AgreedConclusions] = [:]
    // Of the whole object: what it forbids to one program, it is said to forbid to all.
    let mode = described.lockdown.filter(\.forbidden.isEmpty).compactMap { LockdownMode(rawValue: $0.mode) }.max()
    for program in described.programs {
      guard let claim = claims.claim(about: program.name), let analysis = program.analysis,
        analysis.revision == Manifest.Analysis.currentRevision
      else { continue }
      agreed[program.name] = AgreedConclusions(
        isRestricted: analysis.isRestricted && claim.isRestricted,
        readsNothing: analysis.kernelReads.isEmpty && claim.reads == .none,
        lockdown: min(mode ?? .none, claim.strictestLockdown))
    }
    return agreed
  }

  /// Adds what is agreed upon to what this process has found by itself.
  func add(to facts: inout Facts) {
    if isRestricted { facts.programClass = .restricted }
    if readsNothing { facts.reads = KernelReads.none }
    facts.lockdown = max(facts.lockdown ?? .none, lockdown)
  }
}

extension Facts {
  mutating func take(_ agreed: AgreedConclusions) { agreed.add(to: &self) }
}

extension ProgramClaim {
  fileprivate var strictestLockdown: LockdownMode {
    lockdown == 0 ? .none : lockdown == 1 ? .integrity : .confidentiality
  }
}

extension Manifest.Object {
  /// Takes over what only an analysis with types can conclude.
  mutating func takeConclusions(of other: Manifest.Object) {
    lockdown = other.lockdown
    for index in programs.indices where other.programs.indices.contains(index) {
      programs[index].analysis = other.programs[index].analysis
    }
  }
}
