import Admission
import Base
import Linux
import Workbench

/// The audit log of loads, as rotation leaves it: plain, compressed by gzip or zstd, and cut anywhere.
///
/// The first byte says how: bits 0 and 1 choose where the log is cut into files, bit 2 that the rest of the input is a
/// compressed file itself, bit 3 that it is a log of any program. `@BOOT@` stands for this start of the machine.
enum AuditTarget {
  private static let tag: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
  private static let programs = (1...4).map {
    AuditTrail.Program(id: UInt32($0), tag: tag, loadTime: UInt64($0) * 10)
  }
  /// Bytes of a compressed input: each may stand for thousands.
  private static let compressedLimit = 2048

  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    guard let mode = bytes.first else { return false }
    if mode & 8 != 0 { return try LogForms.check(Array(bytes.dropFirst())) }
    if mode & 4 != 0 { return try checkCompressed(Array(bytes.dropFirst().prefix(compressedLimit))) }
    let text = try withBootID(Array(bytes.dropFirst()))
    try checkLines(text)
    let cuts = mode & 3
    // Half of it was rotated away, in the middle of a line too.
    let half = text.count * Int(cuts) / 4
    let (older, newer) = (Array(text[..<half]), Array(text[half...]))
    // A file is compressed when it begins as one, whatever its name.
    guard ![text, older, newer].contains(where: isMarked) else { return false }
    let whole = try standings(["audit.jsonl": text])
    _ = try standings(["audit.jsonl": newer, "audit.jsonl.1": older])
    // Compressed, a log says the same as in the plain.
    let plain = try standings(["audit.jsonl": [], "audit.jsonl.1": text])
    let gzip = try standings(["audit.jsonl": [], "audit.jsonl.1.gz": Stored.gzip(text)], of: text)
    let zstd = try standings(["audit.jsonl": [], "audit.jsonl-20260102.zst": Stored.zstd(text)], of: text)
    try require(gzip == zstd, "a log says the same compressed in two ways: \(gzip), \(zstd)")
    try require(plain == gzip, "a log says the same compressed: \(plain), \(gzip)")
    // A compressed file that is cut is no log.
    let packed = Stored.gzip(text)
    let cut = Array(packed.prefix(packed.count - 1 - Int(cuts)))
    let read = try read(["audit.jsonl.1.gz": cut])
    try require(read == nil, "a compressed file that is cut is refused")
    return whole.contains { $0 != "unknown" }
  }

  fileprivate static let bootID = KernelSettings.bootID()

  /// The boot id of this start, for the word that stands for it.
  private static func withBootID(_ bytes: [UInt8]) throws(BrokenPromise) -> [UInt8] {
    let bootID = try unwrap(Self.bootID, "the kernel says its boot id")
    let word = Array("@BOOT@".utf8)
    var text: [UInt8] = []
    var rest = bytes[...]
    while let at = rest.firstIndex(of: word[0]) {
      text += rest[..<at]
      rest = rest[at...]
      if rest.starts(with: word) {
        text += Array(bootID.utf8)
        rest = rest.dropFirst(word.count)
      } else {
        text.append(rest.removeFirst())
      }
    }
    return text + rest
  }

  /// Whether a file begins as those of gzip, zstd, xz, bzip2, lz4 or compress do.
  private static func isMarked(_ file: [UInt8]) -> Bool {
    let marks: [[UInt8]] = [
      [0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], [0x42, 0x5a, 0x68],
      [0x04, 0x22, 0x4d, 0x18], [0x1f, 0x9d],
    ]
    return marks.contains { file.starts(with: $0) }
  }

  // MARK: - Lines

  /// The lines from the first to the last are those from the last to the first, in whichever pieces they come.
  private static func checkLines(_ text: [UInt8]) throws(BrokenPromise) {
    for (pieceBytes, limit) in [(7, 64), (4096, TextLine.limit)] {
      var splitter = LineSplitter(limit: limit)
      var forwards: [TextLine] = []
      for start in stride(from: 0, to: text.count, by: pieceBytes) {
        var piece = text[start..<min(start + pieceBytes, text.count)]
        while let line = splitter.next(&piece) { forwards.append(line) }
      }
      if let line = splitter.last() { forwards.append(line) }
      var backwards: [TextLine] = []
      var reversed = ReversedLines(byteCount: UInt64(text.count), pieceBytes: pieceBytes, limit: limit)
      while let line = try keep(
        "a text can be read",
        { () throws(ByteSourceError) in
          try reversed.next(from: ArraySource(text))
        })
      { backwards.append(line) }
      try require(forwards == backwards.reversed(), "lines are the same from both ends")
      let expected = text.split(separator: 0x0a, omittingEmptySubsequences: false).map { Array($0) }
      let lines = expected.last?.isEmpty == true ? expected.dropLast() : expected[...]
      try require(
        forwards == lines.map { $0.count > limit ? .tooLong : .line($0) }, "and those of the text, each whole")
    }
  }

  // MARK: - What a log says

  /// What a directory with these files says of the programs; nil when it cannot be read.
  private static func read(_ files: [String: [UInt8]]) throws(BrokenPromise) -> AuditTrail? {
    let scratch = try Scratch()
    for (name, bytes) in files { try scratch.write(name, bytes) }
    var trail: AuditTrail?
    try accepts { trail = try AuditTrail.read(directory: scratch.path, about: programs) }
    return trail
  }

  /// How the programs stand.
  ///
  /// - Parameter text: what the files say; nil when they are plain.
  private static func standings(
    _ files: [String: [UInt8]], of text: [UInt8]? = nil
  ) throws(BrokenPromise) -> [String] {
    let trail = try unwrap(try read(files), "a log of whole files can be read: \(files.keys.sorted())")
    let loads = RecordedLoads(text.map { [$0] } ?? Array(files.values))
    var standings: [String] = []
    for program in programs {
      switch trail.standing(of: program) {
      case .vouched(let record):
        try require(
          loads.vouch(for: program, record.path), "program \(program.id) is vouched for by records: \(record)")
        standings.append(record.path ?? "?")
      case .otherTag: standings.append("other tag")
      case .otherLoad: standings.append("other load")
      case .unknown: standings.append("unknown")
      }
    }
    return standings
  }

  /// Whatever a compressed file holds, or says that it holds.
  private static func checkCompressed(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    var isTaken = false
    for name in ["audit.jsonl.1.gz", "audit.jsonl"] {
      // Of a plain file nothing is cut, and everything is lines.
      if try read([name: bytes]) != nil { isTaken = true }
    }
    _ = Gzip.contents(of: bytes.rawSpan, limit: 1 << 20)
    return isTaken
  }
}

/// What the whole lines of a log say of loads, found out in the plainest way.
private struct RecordedLoads {
  private var loads: [(event: String, id: UInt32, tag: String, time: UInt64)] = []
  private var allowed: [(event: String, path: String?)] = []

  init(_ texts: [[UInt8]]) {
    let bootID = AuditTarget.bootID ?? ""
    for line in texts.flatMap({ $0.split(separator: 0x0a) }) {
      guard let record = try? JSONValue.parse(Array(line)), case .string(let event)? = record["event"] else { continue }
      if record["stage"] == "decision", record["decision"] == "allow" {
        var path: String?
        if case .string(let text)? = record["path_in_image"] { path = text }
        allowed.append((event, path))
      }
      guard record["stage"] == "outcome", let outcome = record["outcome"], outcome["result"] == "loaded",
        outcome["boot_id"] == .string(bootID), case .array(let programs)? = outcome["programs"]
      else { continue }
      for program in programs {
        guard case .integer(let id)? = program["id"], let id = UInt32(exactly: id),
          case .string(let tag)? = program["tag"],
          case .integer(let time)? = program["load_time"], let time = UInt64(exactly: time)
        else { continue }
        loads.append((event, id, tag, time))
      }
    }
  }

  func vouch(for program: AuditTrail.Program, _ path: String?) -> Bool {
    loads.contains { load in
      load.id == program.id && load.tag == Hex.encode(program.tag) && load.time == program.loadTime
        && allowed.contains { $0.event == load.event && $0.path == path }
    }
  }
}

/// Files of compressed formats that hold their bytes as they are.
private enum Stored {
  /// RFC 1952, with stored blocks (RFC 1951, section 3.2.4).
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var file: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    let starts = Array(stride(from: 0, to: max(bytes.count, 1), by: 0xffff))
    for start in starts {
      let block = bytes[start..<min(start + 0xffff, bytes.count)]
      file.append(start == starts.last ? 1 : 0)
      file.appendLittleEndian(UInt16(block.count))
      file.appendLittleEndian(~UInt16(block.count))
      file += block
    }
    file.appendLittleEndian(CRC32.checksum(bytes))
    file.appendLittleEndian(UInt32(truncatingIfNeeded: bytes.count))
    return file
  }

  /// RFC 8878, with raw blocks and a window of 1 MiB.
  static func zstd(_ bytes: [UInt8]) -> [UInt8] {
    var file: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3]
    let starts = Array(stride(from: 0, to: max(bytes.count, 1), by: 1 << 16))
    for start in starts {
      let block = bytes[start..<min(start + 1 << 16, bytes.count)]
      let header = UInt32(block.count) << 3 | (start == starts.last ? 1 : 0)
      file += [0, 8, 16].map { UInt8(truncatingIfNeeded: header >> $0) }
      file += block
    }
    return file
  }
}
