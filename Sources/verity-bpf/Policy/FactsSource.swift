import Diagnostics
import PolicyEngine

/// Where `policy explain` gets facts from when it is given an object instead of a file of facts.
///
/// The way from a descriptor to facts is Provenance's and Admission's; this is the place where the two meet the
/// workbench.
enum FactsSource {
  /// The facts about each program of the object behind a descriptor that the caller has open.
  static func facts(descriptor: Int32) throws -> [Facts] { throw unavailable("--fd") }

  /// The facts about each program of an object inside an image file.
  static func facts(image: String, object: String) throws -> [Facts] { throw unavailable("--image") }

  private static func unavailable(_ option: String) -> DiagnosedFailure {
    DiagnosedFailure(
      Diagnostic(
        "policy.no-facts", .incomplete, "\(option) is not available in this build",
        next: "verity-bpf policy explain --facts FILE"))
  }
}
