import Base
import Gate
import Policy

/// What a plan is made of: the same options for every command that makes one.
struct PlanOptions {
  static let policy: Key<String> = .required("--policy", takes: .file, "The policy.")
  static let image: Key<[String]> = .repeated(
    "--image", takes: .image, "An image whose objects may be loaded. Can be given several times: the next release too.")
  static let loader: Key<[ExecutableName]> = .repeated(
    "--loader", "A program that loads objects and judges them by the policy: verity-bpf on a volume.")
  static let executable: Key<[ExecutableName]> = .repeated(
    "--executable", "A program that rules name by x_requester_object or x_requester_dmverity_roothash.")
  static let mode: Key<GateRequest.Mode> = .optional(
    "--mode", default: .digests,
    "What loaders may load: digests for instructions that the plan lists, loader for what they allow themselves.")
  static let skip = Key.flag(
    "--skip-unsupported", "Go on without what the policy allows and no row can say: exit 0.")
  static let keys: [any AnyKey] = [policy, image, loader, executable, mode, skip]

  let policy: String
  let image: [String]
  let loader: [ExecutableName]
  let executable: [ExecutableName]
  let mode: GateRequest.Mode
  let skip: Bool

  init(_ words: Words) throws(UsageError) {
    policy = try words[Self.policy]
    image = try words[Self.image]
    loader = try words[Self.loader]
    executable = try words[Self.executable]
    mode = try words[Self.mode]
    skip = try words[Self.skip]
  }

  /// Reads the policy and the images, and compiles.
  ///
  /// - Parameter forecast: of the kernel that the plan is for; nil for none.
  func plan(for forecast: GateForecast? = nil) throws -> (plan: GatePlan, images: [GateRequest.Image]) {
    let document = try PolicyFile.load(policy, .verityBPF)
    let images = try image.map { try GateImage.read($0, for: forecast) }
    let request = GateRequest(
      policy: document, mode: mode, images: images, loaders: try loader.map { try GateImage.executable($0) },
      executables: try executable.map { try GateImage.executable($0) })
    return (try GatePlan(request), images)
  }
}

extension GateRequest.Mode: ArgumentChoice {}

extension GateRequest.Image {
  var json: JSONValue {
    [
      "file": .string(file), "root_hash": .string(rootHash.description), "name": .optional(name),
      "objects": .integer(Int64(objects.count)),
    ]
  }
}

extension GatePlan {
  /// Why the plan is not what the policy says; nil when it is.
  ///
  /// - Parameters:
  ///   - file: the policy's.
  ///   - skips: whether what has no row is to be gone on without.
  func refusal(_ file: String, skips: Bool) -> Diagnostic? {
    if rows.isEmpty {
      return Diagnostic(
        "gate.no-rows", .invalid, "nothing may be loaded by the rows of `\(file)`", expected: "one row at least",
        found: leavesOut ? "rules that no row can say" : "no rule that allows BPF programs",
        details: Array(omissions.prefix(20)))
    }
    guard leavesOut, !skips else { return nil }
    return Diagnostic(
      "gate.left-out", .invalid, "some of what `\(file)` allows has no row",
      expected: "a row for each rule and program",
      found: "\(omissions.count) without", why: "a sealed gate refuses what no row admits",
      next: "change the rules, or go on without them: --skip-unsupported", details: Array(omissions.prefix(20)))
  }
}
