import Admission
import Base

extension Output {
  /// Tells what loads have left that crashed, and how it is taken away.
  ///
  /// - Parameter replaced: where this run replaces what is pinned, which is not to be taken away from it afterwards.
  static func warn(of runs: [CrashedRun], replaced: String? = nil) {
    for run in runs where !run.pins.isEmpty {
      let removal = shortened(run.removal, "; ")
      let isReplaced = replaced.map { path in run.pins.allSatisfy { $0.hasPrefix(path) } } ?? false
      warning(
        "audit.crashed-load", "\(run.words) has left pins: \(shortened(run.pins))",
        next: isReplaced ? "nothing, where this run takes their place (--replace); where it fails: \(removal)" : removal
      )
    }
  }

  /// The first of a list, and how many more there are.
  private static func shortened(_ list: [String], _ separator: String = ", ") -> String {
    let shown = list.prefix(listLimit).map { $0 }
    let more = list.count - shown.count
    return shown.separated(by: separator) + (more > 0 ? "\(separator)and \(more) more" : "")
  }

  private static let listLimit = 8
}

extension CrashedRun {
  /// Which load it was, as the beginning of a sentence.
  var words: String {
    let what = objects.first.map { " of `\($0)`" + (objects.count > 1 ? " and \(objects.count - 1) more" : "") } ?? ""
    return "a load\(what) that has crashed (run \(name))"
  }
}
