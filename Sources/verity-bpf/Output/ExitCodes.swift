import Base

/// What the exit codes say.
enum ExitCodes {
  static var all: [(code: Int32, meaning: String)] {
    [(0, "Done, or the policy says ALLOW.")] + Diagnostic.Category.allCases.map { ($0.rawValue, $0.meaning) }
  }
}

extension Diagnostic.Category {
  fileprivate var meaning: String {
    switch self {
    case .incomplete: "Could not be completed: a file is missing, a disk is full."
    case .denied: "The policy says DENY."
    case .invalid: "A policy, a manifest or what is among the trust anchors is not valid."
    case .integrity: "Bytes or their origin could not be verified."
    case .kernelRefused: "The kernel refused: verifier, lockdown, permission."
    case .unsupported: "Not possible on this kernel."
    case .untold: "Done, and standard output could not be told; standard error says what was done."
    case .usage: "The command line is wrong, or names files that do not go together."
    }
  }
}
