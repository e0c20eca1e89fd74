import ArgumentParser
import Diagnostics
import Policy
import PolicyWorkbench

struct PolicyConvertCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Strip from a policy what the mainline kernel's parser refuses.",
    discussion: "The result is printed; what was lost is said on standard error.")
  static let schema = "verity-bpf/policy-convert/1"

  @Argument(help: "The policy, of the verity-bpf dialect.") var policy: String
  @Option(help: "The dialect to convert to; there is only kernel.") var dialect: DialectName = .kernel

  var wantsJSON: Bool { false }

  func execute() throws -> Int32 {
    guard dialect == .kernel else {
      throw ValidationError("every policy of the kernel's dialect is one of verity-bpf's")
    }
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
    try Output.bytes(conversion.bytes)
    return 0
  }
}
