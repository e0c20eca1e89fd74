import Admission
import Base
import Loader
import Trust

/// `verity-bpf unload`: the end of what `load --pin-path` began.
struct UnloadCommand: Command {
  static let pinPath: Key<String> = .required(
    "--pin-path", takes: .directory, "The directory that was given to `load`.")
  static let auditDirectory: Key<String?> = .optional(
    "--audit-dir", takes: .directory,
    "The directory of the audit log, which says what else crashed loads have left. Nothing is written to it. (default: as "
      + "`config show` says, or /var/log/verity-bpf)")

  static let declaration = Declaration(
    "Remove the pins of a load, and with them its programs and links.",
    discussion: """
      The directory must hold what `load --pin-path` leaves, of one object or of several, and nothing else; otherwise nothing is \
      removed. Directories above it that loads have made go too when they are empty. \
      What was registered through a pinned struct_ops map is unregistered. \
      A program that something else holds as well stays loaded.
      """,
    examples: ["verity-bpf unload --pin-path /sys/fs/bpf/demo"], options: [pinPath, auditDirectory, CommonOptions.json])
  static let schema = "verity-bpf/unload/1"

  let pinPath: String
  let auditDir: String?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    pinPath = try words[Self.pinPath]
    auditDir = try words[Self.auditDirectory]
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "what could be removed below `\(pinPath)` is gone" }

  func execute() throws -> Int32 {
    let result = try Unloading.unload(pinPath: pinPath)
    let isEmpty = result.removed.isEmpty && result.remaining.isEmpty
    if json {
      try Output.json([
        "schema": .string(Self.schema), "removed": .array(result.removed.map { .string($0) }),
        "unregistered": .array(result.unregistered.map { .string($0) }),
        "remaining": .array(result.remaining.map { .string($0) }),
      ])
    } else {
      try Printout.print(
        result.unregistered.map { "unregistered  \($0)" } + result.removed.map { "removed  \($0)" }
          + result.remaining.map { "remains  \($0)" } + (isEmpty ? ["removed  \(pinPath), which was empty"] : []))
    }
    // What one crashed load has left was taken away: the others may have left something too.
    if let directory = auditDir ?? (try? Site.settings().directory(.auditDirectory)) {
      Output.warn(of: CrashedRun.list(directory: directory))
    }
    return result.remaining.isEmpty ? 0 : Diagnostic.Category.incomplete.rawValue
  }
}
