import Base
import Policy
import Workbench

struct PolicyConvertCommand: Command {
  /// The dialect to convert to.
  enum Target: String, ArgumentChoice { case kernel }

  static let policy: Key<String> = .required("POLICY", takes: .file, "The policy, of the verity-bpf dialect.")
  static let dialect: Key<Target> = .optional(
    "--dialect", default: .kernel, "The dialect to convert to: every policy of it is one of verity-bpf's already.")

  static let json = Key.flag("--json", "One object, which holds the result and what was lost.")

  static let declaration = Declaration(
    "Strip from a policy what the mainline kernel's parser refuses.",
    discussion: "The result is printed; what was lost is said on standard error.",
    examples: ["verity-bpf policy convert bpf.pol > kernel.pol"], arguments: [policy], options: [dialect, json])
  static let schema = "verity-bpf/policy-convert/1"

  let policy: String
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    policy = try words[Self.policy]
    _ = try words[Self.dialect]
    json = try words[Self.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let conversion = DialectConversion(try PolicyFile.load(policy, .verityBPF))
    for loss in conversion.losses {
      Output.note("\(policy):\(loss.line): note[policy.lost]: \(loss.text): \(loss.reason)")
      if loss.widens {
        Output.warning(
          "policy.widened", "without line \(loss.line), which denies, the result allows more than the policy")
      }
    }
    if let error = conversion.error {
      throw DiagnosedFailure(
        Diagnostic(
          "policy.not-convertible", .invalid, "what is left of `\(policy)` is no policy for the kernel",
          found: "the kernel would answer \(error.rawValue)", next: "add DEFAULT action=DENY, or choose another name"))
    }
    guard json else {
      try Output.bytes(conversion.bytes)
      return 0
    }
    try Output.json([
      "schema": .string(Self.schema), "policy": .string(String(decoding: conversion.bytes, as: UTF8.self)),
      "lost": .array(
        conversion.losses.map { loss in
          [
            "line": .integer(Int64(loss.line)), "text": .string(loss.text), "reason": .string(loss.reason),
            "widens": .bool(loss.widens),
          ]
        }),
    ])
    return 0
  }
}
