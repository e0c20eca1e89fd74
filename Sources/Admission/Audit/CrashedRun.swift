internal import Base
internal import KernelABI
internal import Linux
internal import Loader

/// A run of loads that is gone without having recorded how it ended, and what of it is still there.
public struct CrashedRun: Equatable, Sendable {
  /// Ties the records of the run together: `SECONDS.NANOSECONDS-PID`.
  public let name: String
  /// The objects that were asked for and have no end on record, by path or image; those that can be named.
  public let objects: [String]
  /// Pins that it has left, in the order of their names: made since it began, and no other load's by the record.
  public let pins: [String]
  /// The directories of these pins that hold nothing else, as `unload` takes them.
  public let directories: [String]

  /// The commands that take away what it has left.
  public var removal: [String] {
    let others = pins.filter { pin in !directories.contains { pin.hasPrefix("\($0)/") } }
    return directories.map { "verity-bpf unload --pin-path \($0)" } + others.map { "rm \($0)" }
  }

  /// The runs in a directory whose marker is there, and which are known to have ended: no run has closed them since. Nothing is
  /// written.
  public static func list(directory path: String) -> [CrashedRun] {
    guard let names = try? Directory.names(path) else { return [] }
    let runs = names.compactMap { RunName(fileName: $0) }
    guard !runs.isEmpty, let directory = try? AuditDirectory.open(path) else { return [] }
    return RunMarker.ended(runs, in: directory).map { run in
      OpenAttempts.read(of: run, in: directory).crashedRun(run)
    }
  }
}

/// The pins that a run has left below the directory that it was to pin in.
struct LeftPins {
  /// In the order of their names.
  let pins: [String]
  let directories: [String]

  /// Names of a directory that are looked at; a run has a few hundred pins.
  private static let nameLimit = 100_000
  /// Two ticks of the clock that a file system reads (CONFIG_HZ=100): its time may be behind the run's by one.
  private static let tick: Int64 = 20_000_000

  /// - Parameters:
  ///   - path: the run's --pin-path.
  ///   - process: the run's process, whose number is in the names of directories that it was to exchange for others.
  ///   - start: when the run began.
  ///   - claimed: what other loads have pinned there since, and those of the run that have ended.
  init(below path: String, of process: Int32?, since start: Timestamp, claimed: Set<String>) {
    let path = Self.trimmed(path)
    var search = Search(start: start, claimed: claimed, process: process)
    if Self.isForPins(path) {
      // DIR/KIND/NAME, and with several objects DIR/OBJECT/KIND/NAME.
      search.take(path, depth: 3)
    }
    // What a single object was to be exchanged for is beside it.
    if let beside = process.map({ InterruptedReplacement.staging(of: path, process: $0) }), Self.isForPins(beside) {
      search.take(beside, depth: 2)
    }
    pins = search.pins.sorted()
    // DIR or DIR/OBJECT of a pin DIR/…/KIND/NAME, where all pins are the run's.
    directories = Set(pins.compactMap { Self.parent(of: Self.parent(of: $0)) }).filter { directory in
      !search.others.contains { $0.hasPrefix("\(directory)/") }
    }.sorted()
  }

  private static func isForPins(_ path: String) -> Bool {
    guard path.hasPrefix("/"), let directory = try? OwnedFD.open(path, [.path, .directory, .noFollow]) else {
      return false
    }
    return (try? directory.fileSystemType()) == FileSystemMagic.bpf.rawValue
  }

  static func trimmed(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// The directory that another is in.
  static func enclosing(_ path: String) -> String {
    let path = trimmed(path)
    return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? path
  }

  private static func parent(of path: String?) -> String? {
    path.flatMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) } }
  }

  private struct Search {
    let start: Timestamp
    let claimed: Set<String>
    let process: Int32?
    var pins: [String] = []
    /// Pins of others, and whatever else is there.
    var others: [String] = []
    var left = LeftPins.nameLimit

    mutating func take(_ directory: String, depth: Int, isExchanged: Bool = false) {
      // From the exchange on the old object's pins are there, which are older than the run.
      let isExchanged =
        isExchanged || process.map { InterruptedReplacement(staging: directory)?.process == $0 } ?? false
      for name in (try? Directory.names(directory)) ?? [] where left > 0 {
        left -= 1
        let path = "\(directory)/\(name)"
        guard let status = try? FileStatus.of(path: path, followLinks: false) else { continue }
        if status.kind == .directory, depth > 0 {
          take(path, depth: depth - 1, isExchanged: isExchanged)
        } else if status.kind == .regular, isExchanged || !claimed.contains(path) && isNew(path) {
          pins.append(path)
        } else {
          others.append(path)
        }
      }
    }

    private func isNew(_ path: String) -> Bool {
      guard let file = try? OwnedFD.open(path, [.path, .noFollow]), let time = try? file.changeTime() else {
        return false
      }
      return time.nanoseconds(since: start) >= -LeftPins.tick
    }
  }
}
