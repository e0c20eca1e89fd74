public import BPFObject
public import Base
public import LinkProtocol
public import Linux

/// Why a helper did not link an object.
public enum LinkHelperError: Error, Sendable {
  /// There is no helper beside this program.
  case missing(path: String)
  /// What is there is easier to replace than this program.
  case unsuitable(path: String, expected: String, found: String)
  case notStarted(path: String, SystemError)
  /// It is of another release than this program.
  case otherRelease(found: String)
  case violation(LinkViolation)
  /// The object has something that no edit stands for.
  case outside(LinkFeature)
  /// An option asks for something that needs the object's types.
  case optionNeedsTypes(String)
  /// The helper says that the object cannot be linked.
  case refused(BPFObjectError.Check)
}

extension LinkHelperError: Diagnosable {
  private static let inProcess = "load it with --link in-process, where this host's settings allow that"

  public var diagnostic: Diagnostic {
    switch self {
    case .missing(let path):
      Diagnostic(
        "helper.missing", .incomplete, "the linking helper is not there", expected: "the executable `\(path)`",
        found: "no such file", next: "install it beside this program (make install); or \(Self.inProcess)")
    case .unsuitable(let path, let expected, let found):
      Diagnostic(
        "helper.unsuitable", .integrity, "`\(path)` is not taken for the linking helper", expected: expected,
        found: found, why: "what can be replaced more easily than this program could say anything of an object",
        next: "install both together (make install)")
    case .notStarted(let path, let error):
      Diagnostic(
        "helper.not-started", .incomplete, "the linking helper `\(path)` could not be started", found: "\(error)",
        next: "install it beside this program (make install); or \(Self.inProcess)")
    case .otherRelease(let found):
      Diagnostic(
        "helper.other-release", .incomplete, "the linking helper is of another release than this program",
        expected: Release.current, found: found, next: "install both together (make install)")
    case .violation(let violation): violation.diagnostic
    case .outside(let feature):
      Diagnostic(
        "helper.outside", .unsupported, "the object has \(feature.text), which no helper links", next: Self.inProcess)
    case .optionNeedsTypes(let option):
      Diagnostic(
        "helper.option", .unsupported, "\(option) needs what the object's types say, and those a helper alone has read",
        next: "leave \(option) out; or \(Self.inProcess)")
    case .refused(let check):
      Diagnostic(
        "helper.refused", .incomplete, "the linking helper says that the object cannot be linked",
        found: check.rawValue, next: "`verity-bpf inspect OBJECT` says what is wrong with it")
    }
  }
}
