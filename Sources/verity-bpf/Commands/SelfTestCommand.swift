import Base
import Linux
import Admission

/// `verity-bpf self-test`: the guards of this machine, tried.
struct SelfTestCommand: Command {
  static let image: Key<String?> = .optional("--image", takes: .image, "An image to test with.")
  static let object: Key<String?> = .optional(
    "--object", takes: .objectInImage, "The object in it. (default: the first one that its manifest names)")

  static let declaration = Declaration(
    "Try what must be refused on this machine, and see that it is refused.",
    discussion: """
      Broken, foreign, misplaced and outdated copies of an image go the way of a load, up to the policy's decision. \
      Each has to be refused for its own reason, and the good ones have to be allowed: otherwise the command fails. \
      Nothing is loaded, nothing is left behind, and an image that is named is only read.

      Without --image a small one is built. Root also tries an image on a mount.

      Exit codes: 0 everything came out as it must, 4 something did not, 1 some of it could not be made, 64 usage.
      """,
    examples: ["verity-bpf self-test", "verity-bpf self-test --image progs.raw"],
    options: [image, object] + ImagePlace.keys + TrustedRootHash.keys + [CommonOptions.json])
  static let schema = "verity-bpf/self-test/1"

  let image: String?
  let object: String?
  let place: ImagePlace
  let trusted: TrustedRootHash
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    image = try words[Self.image]
    object = try words[Self.object]
    place = try ImagePlace(words)
    trusted = try TrustedRootHash(words)
    json = try words[CommonOptions.json]
    try place.requireImage(image)
    if image == nil, object != nil { throw UsageError("--object is in an image: give --image too.") }
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let controls = try SelfTest.run(
      image: image, at: place.location, rootHash: try trusted.expected(), object: object)
    let broken = controls.filter(\.isBroken)
    let failed = controls.filter(\.isFailed)
    if json {
      try Output.json([
        "schema": .string(Self.schema),
        "verdict": !broken.isEmpty ? "broken" : failed.isEmpty ? "good" : "incomplete",
        "controls": .array(controls.map(\.json)),
      ])
    } else {
      for control in controls { try control.print() }
      let skipped = controls.count { if case .skipped = $0.verdict { true } else { false } }
      try Output.line(
        "\(controls.count - skipped - failed.count) tried, \(broken.count) came out otherwise than they must, "
          + "\(failed.count) could not be made, \(skipped) skipped")
    }
    guard let first = broken.first, case .broken(let found) = first.verdict else { return report(failed) }
    Output.report(
      Diagnostic(
        "self-test.broken", .integrity, "`\(first.id)` came out otherwise than it must: \(first.title)",
        expected: first.expectation.text, found: found,
        why: "until this is understood, no answer of verity-bpf on this machine means anything",
        next: "`verity-bpf doctor`; then report it with the output of both"))
    return Diagnostic.Category.integrity.rawValue
  }

  /// Tells that some could not be made, and returns the exit code of a run where nothing was broken.
  private func report(_ failed: [Control]) -> Int32 {
    guard let first = failed.first, case .failed(let reason) = first.verdict else { return 0 }
    let diagnostic = Diagnostic(
      "self-test.incomplete", .incomplete, "\(failed.count) could not be made, the first of them `\(first.id)`",
      expected: "every one tried, and room for a few copies of the image", found: reason,
      next: "name another directory by TMPDIR")
    Output.report(diagnostic)
    return diagnostic.category.rawValue
  }
}

extension Control.Expectation {
  fileprivate var text: String {
    switch self {
    case .allowed: "ALLOW"
    case .refused(let codes): "refused: \(codes.sorted().joined(separator: " or "))"
    }
  }
}

extension Control {
  fileprivate func print() throws {
    let word: String
    let note: String
    switch verdict {
    case .held(let code?): (word, note) = ("refused", code)
    case .held(nil): (word, note) = ("allowed", "")
    case .broken(let found): (word, note) = ("BROKEN", found)
    case .skipped(let reason): (word, note) = ("skipped", reason)
    case .failed(let reason): (word, note) = ("not made", reason)
    }
    for line in TextLayout.wrap(title, first: TextLayout.pad(word, 9), rest: 9) { try Output.line(line) }
    if !note.isEmpty {
      for line in TextLayout.wrap(note, first: TextLayout.pad("", 11), rest: 11) { try Output.line(line) }
    }
  }

  fileprivate var json: JSONValue {
    var members: [JSONValue.Member] = [.init("id", .string(id)), .init("title", .string(title))]
    switch expectation {
    case .allowed: members.append(.init("expected", "allow"))
    case .refused(let codes):
      members += [.init("expected", "refuse"), .init("codes", .array(codes.sorted().map { .string($0) }))]
    }
    switch verdict {
    case .held(let code): members += [.init("verdict", "held"), .init("code", .optional(code))]
    case .broken(let found): members += [.init("verdict", "broken"), .init("found", .string(found))]
    case .skipped(let reason): members += [.init("verdict", "skipped"), .init("reason", .string(reason))]
    case .failed(let reason): members += [.init("verdict", "not-made"), .init("reason", .string(reason))]
    }
    return .object(members)
  }
}
