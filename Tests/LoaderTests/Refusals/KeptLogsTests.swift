import Base
import Linux
import Testing

@testable import Loader

/// The verifier's logs: the newest few, readable by their owner alone.
@Suite struct KeptLogsTests {
  private func names(_ options: LoadOptions) throws -> [String] { try Directory.names(options.logDirectory ?? "") }

  @Test func theNewestAreKept() throws {
    let directory = try TemporaryDirectory()
    var options = LoadOptions()
    options.logDirectory = "\(directory.path)/logs"
    var paths: [String] = []
    for number in 0..<KeptLogs.countLimit + 3 {
      paths.append(try #require(KeptLogs.keep("log \(number)", of: "prog", options)))
    }
    #expect(try names(options).count == KeptLogs.countLimit)
    #expect(try names(options).contains { paths.last?.hasSuffix($0) == true })
    #expect(try FileStatus.of(path: options.logDirectory ?? "").mode == 0o700)
    #expect(try FileStatus.of(path: paths.last ?? "").mode == 0o600)
  }

  @Test func aLongLogLosesItsBeginning() throws {
    let directory = try TemporaryDirectory()
    var options = LoadOptions()
    options.logDirectory = "\(directory.path)/logs"
    let log = String(repeating: "0: R1=ctx()\n", count: KeptLogs.byteLimit / 12 + 100) + "the reason\n"
    let path = try #require(KeptLogs.keep(log, of: "prog", options))
    let kept = String(decoding: try Objects.bytes(path, limit: 4 << 20), as: UTF8.self)
    #expect(kept.utf8.count < KeptLogs.byteLimit + 200 && kept.hasSuffix("the reason\n"))
    #expect(kept.hasPrefix("[the first "))
    // A file that the caller names gets all of it.
    options.verifierLog = "\(directory.path)/all"
    #expect(KeptLogs.keep(log, of: "prog", options) == options.verifierLog)
    #expect(try FileStatus.of(path: "\(directory.path)/all").size == UInt64(log.utf8.count))
  }

  /// A directory that others may read or write is none to keep them in, and a load goes on without.
  @Test func notWhereOthersRead() throws {
    let directory = try TemporaryDirectory()
    var options = LoadOptions()
    options.logDirectory = "\(directory.path)/logs"
    try Directory.create("\(directory.path)/logs", mode: 0o755)
    #expect(KeptLogs.keep("log", of: "prog", options) == nil)
    #expect(try names(options) == [])
    options.logDirectory = nil
    #expect(KeptLogs.keep("log", of: "prog", options) == nil)
  }
}
