internal import Base
internal import Linux

/// What the log says was loaded since this start of the machine, for who may read the log and not ask the kernel. Whether it
/// is still loaded, no log knows.
public struct RecordedLoads: Sendable {
  /// A program as the outcome of its load has it.
  public struct Program: Equatable, Sendable {
    public let id: UInt32
    public let name: String
    /// Hexadecimal digits.
    public let tag: String
    /// When the outcome was recorded, RFC 3339.
    public let time: String
  }

  /// The newest first, at most ``limit``.
  public let programs: [Program]
  /// How many more there are, all of them older.
  public let omitted: Int

  public static let limit = 1000

  /// - Throws: ``AuditReadError``, also when there is no log.
  public static func read(directory: String) throws(AuditReadError) -> RecordedLoads {
    guard let bootID = KernelSettings.bootID() else { throw .noBootID }
    let search = try LoadsSearch(bootID: bootID).searching(directory)
    return RecordedLoads(programs: Array(search.programs.prefix(limit)), omitted: max(0, search.count - limit))
  }
}

private struct LoadsSearch: TrailReader {
  private let bootID: String
  /// The newest first.
  private(set) var programs: [RecordedLoads.Program] = []
  private(set) var count = 0
  private var hasMetOtherBoot = false

  init(bootID: String) { self.bootID = bootID }

  var isDone: Bool { hasMetOtherBoot }

  mutating func goOn() { hasMetOtherBoot = false }

  mutating func takeBackwards(_ line: TextLine) -> Bool {
    switch TrailLine(line, bootID: bootID) {
    case .loaded(let record, _):
      // Of one load the last program comes first, too.
      for program in Self.programs(in: record).reversed() { add(program) }
    case .otherBoot: hasMetOtherBoot = true
    case .decision, .crashed, .other, .unknownKind, .unreadable: break
    }
    return !isDone
  }

  mutating func takeForwards(_ file: borrowing AuditLogFile) throws(AuditReadError) {
    // The newest of the file, in a ring: what is older than this many is only counted.
    var found: [RecordedLoads.Program] = []
    var (next, total) = (0, 0)
    var lines = try file.forwards()
    while let line = try lines.next() {
      switch TrailLine(line, bootID: bootID) {
      case .loaded(let record, _):
        for program in Self.programs(in: record) {
          total += 1
          if found.count < RecordedLoads.limit {
            found.append(program)
          } else {
            found[next] = program
            next = (next + 1) % RecordedLoads.limit
          }
        }
      case .otherBoot: (found, next, total, hasMetOtherBoot) = ([], 0, 0, true)
      case .decision, .crashed, .other, .unknownKind, .unreadable: break
      }
    }
    let oldestFirst = found[next...] + found[..<next]
    for program in oldestFirst.reversed() { add(program) }
    count += total - found.count
  }

  private mutating func add(_ program: RecordedLoads.Program) {
    count += 1
    if programs.count < RecordedLoads.limit { programs.append(program) }
  }

  private static func programs(in record: JSONValue) -> [RecordedLoads.Program] {
    guard case .array(let found)? = record["outcome"]?["programs"] else { return [] }
    return found.compactMap { program in
      guard let id = program["id"]?.number.flatMap({ UInt32(exactly: $0) }), let tag = program["tag"]?.text else {
        return nil
      }
      return RecordedLoads.Program(
        id: id, name: program["name"]?.text ?? "", tag: tag, time: record["time"]?.text ?? "")
    }
  }
}
