public import Base
public import BPFObject
public import Verity
public import FileSystems
public import ImageFormat
public import Linux
public import Signatures

/// Why no image was built.
public enum BuildError: Error, Equatable, Sendable {
  /// A file or directory of the source cannot be read.
  case source(path: String, SystemError)
  /// The source is no directory.
  case notADirectory(path: String)
  /// There is nothing to pack.
  case nothingToPack(path: String, skipped: Int)
  /// A file changed its kind while it was being read, or is too large.
  case badFile(path: String, expected: String, found: String)
  /// A name that an image cannot have.
  case badName(path: String, expected: String, found: String)
  /// Objects that are not packed because they are not BPF objects this project can load; the first one in path
  /// order, and how many more there are.
  case object(path: String, BPFObjectError, others: [String])
  /// An option says something of objects, and none is such an object.
  case noSuchObject(option: String, expected: String)
  /// The image's name or version.
  case badLabel(option: String, text: String)
  /// A place for the result cannot be used.
  case badOutput(path: String, found: String)
  /// A result would replace a file that is read.
  case replacesInput(SafeOutputError)
  /// A file has the name of one that belongs to the image, is not written, and is something else.
  case foreignSidecar(path: String, expected: String)
  /// The result cannot be written.
  case output(path: String, SystemError)
  /// The load list is not one, or names what is not in the image; `place` is the member's.
  case badLoadList(path: String, place: String, expected: String, found: String)
  /// The files make no file system.
  case fileSystem(ErofsWriterError)
  /// The root hash cannot be signed.
  case signing(SignatureError)
  /// The hash tree cannot be made.
  case verity(VerityError)
  /// The finished image did not prove to hold what it should hold.
  case selfCheck(Diagnostic)
}

extension BuildError {
  /// What is wrong with the load list in that file.
  public static func loadList(_ path: String, _ error: ManifestError) -> BuildError {
    switch error {
    case .json(let error):
      .badLoadList(
        path: path, place: "line \(error.line), column \(error.column)", expected: "a document of RFC 8259",
        found: error.explanation)
    case .member(let place, let expected, let found):
      .badLoadList(path: path, place: place, expected: expected, found: found)
    case .fileSystem, .dataBlocks, .uuid, .digest, .unlisted, .description, .hashing: .selfCheck(error.diagnostic)
    }
  }
}

extension BuildError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .source(let path, let error): Self.named(path, error.diagnostic)
    case .notADirectory(let path):
      Diagnostic(
        "build.not-a-directory", .incomplete, "`\(path)` is no directory", expected: "a directory with BPF objects",
        found: "another kind of file", next: "name the directory that holds the objects")
    case .nothingToPack(let path, let skipped):
      Diagnostic(
        "build.nothing-to-pack", .incomplete, "there is nothing to pack in `\(path)`", expected: "BPF objects",
        found: skipped == 0 ? "no files" : "\(skipped) other files",
        next:
          "compile the objects first (clang --target=bpf -O2 -g -c x.bpf.c -o x.bpf.o), or name files with --include")
    case .badFile(let path, let expected, let found):
      Diagnostic(
        "build.bad-file", .incomplete, "`\(path)` cannot be packed", expected: expected, found: found,
        next: "build again when nothing writes to the directory")
    case .badName(let path, let expected, let found):
      Diagnostic(
        "build.bad-name", .incomplete, "`\(path)` cannot be packed under its name", expected: expected, found: found,
        next: "rename it")
    case .object(let path, let error, let others): Self.refusedObject(path, error, others)
    case .noSuchObject(let option, let expected):
      Diagnostic(
        "build.no-such-object", .usage, "`\(option)` is about none of the objects", expected: expected,
        found: "no such object", next: "correct the option, or leave it out")
    case .badLabel(let option, let text):
      Diagnostic(
        "build.bad-label", .usage, "\(option) `\(text)` is not acceptable",
        expected: "1 to 64 letters, digits and `._+~-`, beginning with a letter or digit", found: "`\(text)`",
        next: "choose another, for example \(option) 1.0.0")
    case .badOutput(let path, let found):
      Diagnostic(
        "build.bad-output", .usage, "the result cannot become `\(path)`",
        expected: "a new name, or a regular file to replace", found: found, next: "name another file with -o")
    case .replacesInput(let error): error.diagnostic
    case .foreignSidecar(let path, let expected):
      Diagnostic(
        "build.foreign-file", .usage,
        "`\(path)` would be taken for a part of the image, and is none of an earlier build",
        expected: "nothing there, or \(expected)", found: "another file, which is left alone",
        next: "move it away, or name another image with -o")
    case .output(let path, let error): Self.named(path, error.diagnostic)
    case .badLoadList(let path, let place, let expected, let found):
      Diagnostic(
        "build.load-list", .invalid, "`\(path)` is no load list: `\(place)`", expected: expected, found: found,
        next: "correct it; docs/formats.md says what a load list has")
    case .fileSystem(let error): error.diagnostic
    case .signing(let error): error.diagnostic
    case .verity(let error): error.diagnostic
    case .selfCheck(let diagnostic): Self.failedSelfCheck(diagnostic)
    }
  }

  private static func named(_ path: String, _ diagnostic: Diagnostic) -> Diagnostic {
    var named = diagnostic
    if !named.message.mentions("`\(path)`") { named.message = "`\(path)`: \(named.message)" }
    return named
  }

  private static func refusedObject(_ path: String, _ error: BPFObjectError, _ others: [String]) -> Diagnostic {
    var diagnostic = error.diagnostic
    diagnostic.message = "`\(path)`: \(diagnostic.message)"
    if diagnostic.next == nil {
      diagnostic.next = "compile it again (clang --target=bpf -O2 -g), or take it out of the directory"
    }
    if !others.isEmpty { diagnostic.details.append("\(others.count) more refused (--skip-unusable leaves them out):") }
    diagnostic.details += others.prefix(10).map { "  \($0)" }
    return diagnostic
  }

  private static func failedSelfCheck(_ diagnostic: Diagnostic) -> Diagnostic {
    var failed = diagnostic
    failed.message = "the image that was built did not prove right, so it was not kept: \(diagnostic.message)"
    failed.next = "check memory and disk; if it happens again, report it"
    return failed
  }
}
