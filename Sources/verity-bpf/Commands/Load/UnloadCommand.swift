import Loader
import Base

/// `verity-bpf unload`: the end of what `load --pin-path` began.
struct UnloadCommand: Command {
  static let pinPath: Key<String> = .required(
    "--pin-path", takes: .directory, "The directory that was given to `load`.")

  static let declaration = Declaration(
    "Remove the pins of a load, and with them its programs and links.",
    discussion: """
      The directory must hold what `load --pin-path` leaves, and nothing else; otherwise nothing is removed. \
      What was registered through a pinned struct_ops map is unregistered. \
      A program that something else holds as well stays loaded.
      """,
    examples: ["verity-bpf unload --pin-path /sys/fs/bpf/demo"], options: [pinPath, CommonOptions.json])
  static let schema = "verity-bpf/unload/1"

  let pinPath: String
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    pinPath = try words[Self.pinPath]
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "what could be removed below `\(pinPath)` is gone" }

  func execute() throws -> Int32 {
    let result = try Unloading.unload(pinPath: pinPath)
    if json {
      try Output.json([
        "schema": .string(Self.schema), "removed": .array(result.removed.map { .string($0) }),
        "unregistered": .array(result.unregistered.map { .string($0) }),
        "remaining": .array(result.remaining.map { .string($0) }),
      ])
    } else {
      try Printout.print(
        result.unregistered.map { "unregistered  \($0)" } + result.removed.map { "removed  \($0)" }
          + result.remaining.map { "remains  \($0)" })
    }
    return result.remaining.isEmpty ? 0 : Diagnostic.Category.incomplete.rawValue
  }
}
