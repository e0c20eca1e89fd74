import Base
import Linux
import TestSupport
import Testing

/// Nothing is loaded, and nothing stays, that is not on record: loads whose records cannot be written, each record in
/// its turn, from its first byte on or after a part of it.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loading and mounting need root"))
final class AuditWriteTests {
  /// Why a write fails.
  enum Shortage: CaseIterable {
    /// The file system is full (ENOSPC).
    case fileSystem
    /// The process may write no larger files (RLIMIT_FSIZE; EFBIG, and SIGXFSZ, which is ignored).
    case fileSize
  }

  private let directory: TemporaryDirectory
  private let image: ForeignImage
  private let policy: String
  private let pins: String

  init() throws {
    directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    image = try ForeignImage.build(directory.file("progs"), at: directory.file("progs.raw"))
    policy = try directory.write("demo.pol", image.policy)
    pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
  }

  deinit { _ = try? Tools.run("umount", "--lazy", pins) }

  private func load(
    _ audit: String, object: String = "exec_logger.bpf.o", policy: String? = nil, wrapper: [String] = []
  ) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(
      [
        "load", "--image", image.path, "--object", object, "--policy", policy ?? self.policy, "--audit-dir", audit,
        "--pin-path", "\(pins)/load", "--attach", "--json",
      ], wrapper: wrapper)
  }

  /// An audit directory in which one of the files has room for so many bytes, and the other for a record at least.
  private final class Short {
    /// Of a file, in bytes, where the process is limited.
    private static let limit = 1 << 20
    private static let page = 4096

    let path: String
    let wrapper: [String]
    private let isMounted: Bool

    init(_ shortage: Shortage, in directory: TemporaryDirectory, file: String, free: Int) throws {
      path = directory.file("short")
      try Directory.create(path)
      switch shortage {
      case .fileSize:
        isMounted = false
        wrapper = ["prlimit", "--fsize=\(Self.limit)"]
        // Line feeds, as behind a record: what ends otherwise is ended by the next record first.
        try directory.write("short/\(file)", [UInt8](repeating: 0x0a, count: Self.limit - free))
      case .fileSystem:
        isMounted = true
        wrapper = []
        try Tools.run("mount", "-t", "tmpfs", "-o", "size=64k,huge=never,mode=700", "tmpfs", path)
        // What is left free is the end of a page that the file has already, and after that there are no more pages.
        for name in ["audit.log", "audit.jsonl"] {
          let count = name == file ? (free / Self.page + 1) * Self.page - free : 1
          try directory.write("short/\(name)", [UInt8](repeating: 0x0a, count: count))
          try Tools.run("fallocate", "-n", "-l", "\((free / Self.page + 1) * Self.page)", "\(path)/\(name)")
        }
        _ = try Subprocess.run(["sh", "-c", "exec head -c 65536 /dev/zero >'\(path)/fill'"])
      }
    }

    deinit {
      if isMounted { _ = try? Tools.run("umount", path) }
      _ = try? Tools.run("rm", "-rf", path)
    }
  }

  /// A record as a load without shortage wrote it.
  private struct Record {
    let file: String
    /// Bytes before it and in it, with its line feed.
    let start: Int
    let count: Int
    /// Whether it is written when the programs are in the kernel already.
    let isOutcome: Bool
    /// How many records of the file stand before it.
    let number: Int
  }

  /// The records of a load that succeeds, which is undone.
  private func records() throws -> [Record] {
    let result = try load(directory.file("plain"))
    try #require(result.status == 0, "\(result.errors)")
    let pinned = try Tools.run("find", "\(pins)/load")
    try #require(pinned.contains("/prog/exec_logger") && pinned.contains("/link/exec_logger"), "\(pinned)")
    try Tools.run("rm", "-r", "\(pins)/load")
    var records: [Record] = []
    for file in ["audit.log", "audit.jsonl"] {
      var start = 0
      for (number, line) in try directory.read("plain/\(file)").split(separator: 0x0a).enumerated() {
        let isOutcome = file == "audit.jsonl" ? try JSONValue.parse(Array(line))["stage"] == "outcome" : false
        records.append(
          Record(file: file, start: start, count: line.count + 1, isOutcome: isOutcome, number: number))
        start += line.count + 1
      }
    }
    try #require(Set(records.map(\.isOutcome)) == [true, false], "a load has records before and after")
    try #require(records.count == 5, "attempt and decision in two forms, outcome in one")
    return records
  }

  private func expectUnwritable(_ result: VerityBPFCommand.Result, _ what: String) throws {
    #expect(result.status == 1, "\(what): \(result.errors)")
    #expect(result.errors.contains("error[audit.unwritable]: "), "\(what): \(result.errors)")
    #expect(try result.json()["programs"] == nil, "\(what)")
    // Below the directory itself, where the kernel has files of its own.
    let left = try Tools.run("find", pins, "-mindepth", "2")
    #expect(left.isEmpty, "\(what): pins are left: \(left)")
  }

  @Test(arguments: Shortage.allCases)
  func whatIsNotOnRecordIsNotLoaded(shortage: Shortage) throws {
    for record in try records() {
      // Times and process numbers make the records of one load a few bytes longer than those of another.
      for part in [record.start == 0 ? 0 : 64, record.count / 2] {
        let what = "\(record.file) from \(record.start), \(part) bytes of \(record.count)"
        let short = try Short(shortage, in: directory, file: record.file, free: record.start + part)
        let before = try directory.read("short/\(record.file)").count
        let trace = directory.file("trace")
        let result = try load(
          short.path, wrapper: ["strace", "-f", "-qq", "-e", "trace=bpf", "-o", trace] + short.wrapper)
        try expectUnwritable(result, what)
        // The records before it are there, whole, and nothing of it, although there was room for a part.
        let written = try directory.read("short/\(record.file)").dropFirst(before)
        #expect(written.split(separator: 0x0a).count == record.number, "\(what)")
        #expect(written.isEmpty || written.last == 0x0a, "\(what)")
        #expect(written.count <= record.start + 64, "\(what)")
        // The kernel was asked only when the decision was on record.
        let calls = String(decoding: try directory.read(trace), as: UTF8.self)
        #expect(calls.contains("prog_name=\"exec_logger\"") == record.isOutcome, "\(what)")
        try Tools.run("rm", "-rf", "\(pins)/load")
      }
    }
  }

  /// What ends otherwise has its record too, and without it the answer is not the one that it would have been.
  @Test(arguments: Shortage.allCases)
  func refusalsNeedTheirRecordToo(shortage: Shortage) throws {
    let denying = try directory.write("deny.pol", "policy_name=deny policy_version=1.0.0\nDEFAULT action=DENY\n")
    for file in ["audit.log", "audit.jsonl"] {
      let short = try Short(shortage, in: directory, file: file, free: 0)
      try expectUnwritable(try load(short.path, policy: denying, wrapper: short.wrapper), "denied, \(file)")
    }
    let short = try Short(shortage, in: directory, file: "audit.jsonl", free: 0)
    try expectUnwritable(try load(short.path, object: "missing.bpf.o", wrapper: short.wrapper), "refused")
  }
}
