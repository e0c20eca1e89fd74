import Base
import Linux
import Policy

/// Policy files, and what else the verbs read.
enum PolicyFile {
  /// The bytes of a file; `-` is standard input.
  static func read(_ path: String) throws -> [UInt8] {
    do throws(SystemError) {
      return try bytes(of: path)
    } catch {
      throw DiagnosedFailure(error.diagnostic)
    }
  }

  /// The same, for those who record the errno.
  static func bytes(of path: String) throws(SystemError) -> [UInt8] {
    let file = try OwnedFD.open(path == "-" ? "/dev/stdin" : path, .readOnly)
    return try file.readToEnd(of: path, limit: PolicyDocument.sizeLimit)
  }

  /// Writes a file so that it is there completely or not at all.
  ///
  /// - Parameters:
  ///   - inputs: what this run reads, and may not replace.
  ///   - keepsStatus: whether the file gets the mode and owner of the one it replaces.
  static func save(_ bytes: [UInt8], to path: String, keeping inputs: RunInputs, keepsStatus: Bool = false)
    throws
  {
    do throws(SafeOutputError) {
      try inputs.requireReplaceable(path)
    } catch {
      throw DiagnosedFailure(error.diagnostic)
    }
    do throws(SystemError) {
      let pending = try PendingFile(replacing: path)
      try pending.descriptor.writeAll(bytes.rawSpan)
      if keepsStatus { try pending.descriptor.takeStatus(of: try FileStatus.of(path: path)) }
      try pending.commit()
    } catch {
      throw DiagnosedFailure(error.diagnostic)
    }
  }

  /// Reads a policy that must be usable; says what is wrong with it on standard error when it is not.
  static func load(_ path: String, _ dialect: Dialect) throws -> PolicyDocument {
    let document = PolicyDocument.parse(try read(path), dialect: dialect)
    guard document.isValid else {
      let errors = document.diagnostics.filter { $0.severity == .error }
      for error in errors { Output.notes(error.rendered(file: path, text: document.text)) }
      throw DiagnosedFailure(
        Diagnostic(
          "policy.invalid", .invalid, "`\(path)` is no valid policy of the \(dialect.rawValue) dialect",
          found:
            "\(errors.count) error\(errors.count == 1 ? "" : "s"), the first at line \(errors.first?.start.line ?? 1)",
          next: "verity-bpf policy check --dialect \(dialect.rawValue) \(path)"))
    }
    return document
  }

  /// Reads facts; the position in a refusal is one in that file.
  static func facts(_ path: String) throws -> [Facts] {
    let bytes = try read(path)
    do throws(FactsError) {
      return try Facts.read(bytes)
    } catch {
      var diagnostic = error.diagnostic
      diagnostic.message = "\(path):\(error.position.line):\(error.position.column): \(diagnostic.message)"
      throw DiagnosedFailure(diagnostic)
    }
  }
}
