import Glibc
import Linux

/// What the machine that runs the tests can do. A test that cannot run here says why.
enum Machine {
  /// Nil when this process may load BPF programs.
  static let whyNotLoading: String? = {
    guard geteuid() == 0 else { return "loading BPF programs needs root" }
    do {
      _ = try BPF.programIDs()
      return nil
    } catch {
      return "bpf(2) is not usable: \(error)"
    }
  }()

  static var loads: Bool {
    if let whyNotLoading { print("skipped: \(whyNotLoading)") }
    return whyNotLoading == nil
  }
}
