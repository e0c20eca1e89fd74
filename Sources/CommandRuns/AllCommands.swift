import ByteKit
import Diagnostics
import LinuxSys

/// The program that knows every command and every spelling of its arguments.
///
/// A program apart, because each start of a program pays for everything that is linked into it: the argument parser
/// brings Foundation, the concurrency runtime and a dispatch library with it, a quarter of a plain run's time.
package enum AllCommands {
  /// The name of its file.
  package static let name = "verity-bpf-commands"

  /// Becomes that program; returns an exit code only when it cannot.
  package static func run() -> Int32 {
    do throws(SystemError) {
      for place in places(beside: try ProcessImage.path()) {
        guard (try? FileStatus.of(path: place)) != nil else { continue }
        try ProcessImage.replace(with: place)
      }
    } catch {
      Output.report(error.diagnostic)
      return error.diagnostic.category.rawValue
    }
    let missing = Diagnostic(
      "start.commands-missing", .incomplete, "these arguments are for `\(name)`, which is not installed",
      expected: "`../libexec/verity-bpf/\(name)` from where `verity-bpf` is, or `\(name)` beside it",
      next: "install the two together, as `make install` does")
    Output.report(missing)
    return missing.category.rawValue
  }

  /// Where it is looked for: installed, and as it was built. Nowhere else, so that who may not replace `verity-bpf`
  /// cannot put another program in its place either.
  static func places(beside path: String) -> [String] {
    let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().map { String($0) }
    return [
      Array(directory.dropLast() + ["libexec", "verity-bpf", name]).separated(by: "/"),
      Array(directory + [name]).separated(by: "/"),
    ]
  }
}
