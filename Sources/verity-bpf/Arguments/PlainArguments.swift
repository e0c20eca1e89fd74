import BPFLoad
import Diagnostics

/// Runs what is asked for in the plainest form without the argument parser.
///
/// The parser finds a command's options by reflection, which takes longer than everything else that starting and proving
/// one object needs; `load` and `verify` run at boot, once an object or image. Whatever is not quite plain (help, a
/// mistake, an unusual spelling) is left to the parser, so it alone decides what is right and says what is wrong.
enum PlainArguments {
  /// What `--version` prints.
  private static let version = "0.1.0"

  /// Does the work and returns the exit code; nil when the parser has to read the arguments.
  static func run(_ arguments: ArraySlice<String>) -> Int32? {
    if arguments.count == 1, arguments.first == "--version" {
      return (try? Output.line(version)) == nil ? Diagnostic.Category.incomplete.rawValue : 0
    }
    let rest = arguments.dropFirst()
    do {
      if arguments.first == LoadRun.name, let run = load(rest) {
        return try Diagnosing.status(schema: LoadRun.schema, makesThings: true, wantsJSON: run.json) {
          try run.execute()
        }
      }
      if arguments.first == VerifyRun.name, let run = verify(rest) {
        return try Diagnosing.status(schema: VerifyRun.schema, makesThings: false, wantsJSON: run.json) {
          try run.execute()
        }
      }
      return nil
    } catch {
      // No diagnostic, which no room throws. Not tried a second time.
      Output.note("Error: \(error)")
      return Diagnostic.Category.incomplete.rawValue
    }
  }

  /// The arguments of `verify`: the image, and each option at most once, its value behind it.
  static func verify(_ arguments: ArraySlice<String>) -> VerifyRun? {
    var run = VerifyRun(image: "", trusted: TrustedRootHash())
    // No set: making the type of one takes longer than looking through a dozen words.
    var seen: [String] = []
    var rest = arguments
    while let word = rest.popFirst() {
      guard word.hasPrefix("-") else {
        guard run.image.isEmpty, !word.isEmpty else { return nil }
        run.image = word
        continue
      }
      guard !seen.contains(word) else { return nil }
      seen.append(word)
      if word == "--json" {
        run.json = true
        continue
      }
      guard let value = rest.popFirst(), !value.hasPrefix("-") else { return nil }
      switch word {
      case "--root-hash" where TrustedRootHash.isRootHash(value): run.trusted.hash = value
      case "--root-hash-file": run.trusted.file = value
      case "--verity-data": run.verityData = value
      case "--hash-offset":
        guard let offset = UInt64(value) else { return nil }
        run.hashOffset = offset
      default: return nil
      }
    }
    guard !run.image.isEmpty, run.trusted.hash == nil || run.trusted.file == nil else { return nil }
    return run
  }

  /// The arguments of `load`: each option at most once (but for --fd, --object and --map-entries), its value behind it.
  static func load(_ arguments: ArraySlice<String>) -> LoadRun? {
    var run = LoadRun(objects: ObjectChoice(), trusted: TrustedRootHash())
    var seen: [String] = []
    var rest = arguments
    while let name = rest.popFirst() {
      let isRepeatable = name == "--fd" || name == "--object" || name == "--map-entries"
      guard isRepeatable || !seen.contains(name) else { return nil }
      seen.append(name)
      switch name {
      case "--attach": run.attach = true
      case "--dry-run": run.dryRun = true
      case "--json": run.json = true
      default:
        guard let value = rest.popFirst(), !value.hasPrefix("-"), set(name, value, &run) else { return nil }
      }
    }
    // What the parser would refuse is left to it.
    let byImage = run.objects.image != nil && !run.objects.object.isEmpty && run.objects.fd.isEmpty
    let byDescriptor = run.objects.image == nil && run.objects.object.isEmpty && !run.objects.fd.isEmpty
    let namesPlace = run.interface != nil || run.cgroup != nil || run.target != nil
    guard byImage || byDescriptor, run.attach || !namesPlace else { return nil }
    guard run.trusted.hash == nil || run.trusted.file == nil else { return nil }
    return run
  }

  /// Sets an option; false when there is none of this name, or it does not take such a value.
  private static func set(_ name: String, _ value: String, _ run: inout LoadRun) -> Bool {
    switch name {
    case "--fd":
      guard let number = Int32(value) else { return false }
      run.objects.fd.append(number)
    case "--image": run.objects.image = value
    case "--object": run.objects.object.append(value)
    case "--root-hash":
      guard TrustedRootHash.isRootHash(value) else { return false }
      run.trusted.hash = value
    case "--root-hash-file": run.trusted.file = value
    case "--policy": run.policy = value
    case "--pin-path": run.pinPath = value
    case "--interface": run.interface = value
    case "--cgroup": run.cgroup = value
    case "--target": run.target = value
    case "--map-entries":
      guard let size = MapEntries(value), !run.mapEntries.contains(where: { $0.map == size.map }) else { return false }
      run.mapEntries.append(size)
    case "--keyring":
      guard let keyring = KernelKeyring(value) else { return false }
      run.keyring = keyring
    case "--verifier-log": run.verifierLog = value
    case "--audit-dir": run.auditDir = value
    case "--trust-anchors": run.trustAnchors = value
    default: return false
    }
    return true
  }
}
