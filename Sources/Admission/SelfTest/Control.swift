public import Base

/// One question whose answer is known beforehand, put to the very code that guards this machine.
public struct Control: Equatable, Sendable {
  /// How it must end.
  public enum Expectation: Equatable, Sendable {
    /// The positive control: were it refused, the refusals of the others would mean nothing.
    case allowed
    /// With one of these codes, and for no other reason: a refusal for another reason proves nothing either.
    case refused(Set<String>)
  }

  /// How it ended.
  public enum Verdict: Equatable, Sendable {
    /// As it must; the code of the refusal, or nil for an ALLOW.
    case held(String?)
    /// Otherwise.
    case broken(found: String)
    /// It cannot be tried on this machine, or with this image.
    case skipped(reason: String)
    /// It could not be made, for a reason that says nothing about the machine's guards, such as a full disk.
    case failed(reason: String)
  }

  /// A stable name.
  public let id: String
  /// What is tried, in a few words.
  public let title: String
  public let expectation: Expectation
  public let verdict: Verdict

  public var isBroken: Bool {
    if case .broken = verdict { return true }
    return false
  }

  public var isFailed: Bool {
    if case .failed = verdict { return true }
    return false
  }

  init(_ id: String, _ title: String, _ expectation: Expectation, _ verdict: Verdict) {
    self.id = id
    self.title = title
    self.expectation = expectation
    self.verdict = verdict
  }

  /// Holds an answer against the expectation.
  init(_ id: String, _ title: String, _ expectation: Expectation, answer: Answer) {
    let verdict: Verdict
    switch (expectation, answer) {
    case (.allowed, .allowed): verdict = .held(nil)
    case (.refused(let codes), .refused(let diagnostic)) where codes.contains(diagnostic.code):
      verdict = .held(diagnostic.code)
    case (_, .allowed): verdict = .broken(found: "it was allowed")
    // A control that could not be tried to its end has no result.
    case (_, .refused(let diagnostic)) where diagnostic.category == .incomplete:
      verdict = .failed(reason: "\(diagnostic.code): \(diagnostic.message)")
    case (_, .refused(let diagnostic)): verdict = .broken(found: "\(diagnostic.code): \(diagnostic.message)")
    }
    self.init(id, title, expectation, verdict)
  }
}

/// What the code under test said.
enum Answer {
  case allowed
  case refused(Diagnostic)
}

/// Why the self-test could not be made at all.
public enum SelfTestError: Error, Sendable, Diagnosable {
  /// There is no image, and none could be built.
  case noImage(Diagnostic)
  /// The image cannot be used for it: it is refused before anything was changed in it.
  case badImage(Diagnostic)

  public var diagnostic: Diagnostic {
    switch self {
    case .noImage(let cause):
      return Diagnostic(
        "self-test.no-image", .incomplete, "no image to test with could be built: \(cause.message)",
        found: cause.found, next: "name one, which is only read: verity-bpf self-test --image IMAGE")
    case .badImage(let diagnostic): return diagnostic
    }
  }
}
