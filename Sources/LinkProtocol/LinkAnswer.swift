internal import Base

/// What a helper says of an object: edits, and what it has read of maps and programs; or why there are none.
public struct LinkAnswer: Equatable, Sendable {
  /// The frame that comes first. It says how much comes after it.
  public struct Head: Equatable, Sendable {
    /// What the answer is.
    public enum Verdict: Equatable, Sendable {
      /// So many edits, maps and programs follow.
      case edits(Int, maps: Int, programs: Int)
      /// The object cannot be linked: the number of the check that it fails.
      case refused(check: UInt32)
      /// The object has something that no edit stands for.
      case outside(LinkFeature)
      /// The helper is of another release than the loader.
      case otherRelease
    }

    /// Of the request that is answered.
    public let sequence: UInt64
    /// The helper's release.
    public let release: String
    public let verdict: Verdict

    public init(sequence: UInt64, release: String, verdict: Verdict) {
      self.sequence = sequence
      self.release = release
      self.verdict = verdict
    }
  }

  public var edits: [LinkEdit]
  public var maps: [MapClaim]
  public var programs: [ProgramClaim]

  public init(edits: [LinkEdit], maps: [MapClaim], programs: [ProgramClaim]) {
    self.edits = edits
    self.maps = maps
    self.programs = programs
  }
}

/// What an object may have that needs linking in the loader's own process.
public enum LinkFeature: UInt32, Error, Sendable, CaseIterable {
  /// Functions, variables or configuration values of the running kernel.
  case kernelSymbols = 1
  case structOps = 2
  case jumpTables = 3
  case arenaVariables = 4
  /// Maps that hold programs or maps from the start, and templates of inner maps.
  case mapContents = 5
  /// What the author says that programs read or may do.
  case annotations = 6
  /// Types that no kernel takes as they are.
  case typeEdits = 7
  /// Declaration tags, by which types name functions that no instruction leads to.
  case declarationTags = 8
  /// Relocations of instructions that no function has.
  case strayRelocations = 9

  /// In words: what the object has.
  public var text: String {
    switch self {
    case .kernelSymbols: "symbols of the running kernel"
    case .structOps: "structures of functions"
    case .jumpTables: "jump tables"
    case .arenaVariables: "variables in an arena"
    case .mapContents: "maps that hold programs or maps"
    case .annotations: "annotations"
    case .typeEdits: "types that no kernel takes unchanged"
    case .declarationTags: "declaration tags"
    case .strayRelocations: "relocations outside of functions"
    }
  }
}

extension LinkAnswer.Head {
  /// Bytes of the frame.
  public static let frameSize = 64
  private static let magic = Array("vblinkAN".utf8)

  private enum Word {
    static let edits: UInt32 = 1
    static let refused: UInt32 = 2
    static let outside: UInt32 = 3
    static let otherRelease: UInt32 = 4
  }

  /// Bytes that follow the frame.
  public var bodySize: Int {
    switch verdict {
    case .edits(let edits, let maps, let programs):
      edits * LinkEdit.size + maps * MapClaim.size + programs * ProgramClaim.size
    case .refused, .outside, .otherRelease: 0
    }
  }

  /// The frame.
  public var frame: [UInt8] {
    var words: [UInt32] = [0, 0, 0, 0]
    let word: UInt32
    switch verdict {
    case .edits(let edits, let maps, let programs):
      word = Word.edits
      words = [UInt32(clamping: edits), UInt32(clamping: maps), UInt32(clamping: programs), 0]
    case .refused(let check):
      word = Word.refused
      words[3] = check
    case .outside(let feature):
      word = Word.outside
      words[3] = feature.rawValue
    case .otherRelease: word = Word.otherRelease
    }
    var bytes = Self.magic
    bytes.appendLittleEndian(LinkFrame.version)
    bytes.appendLittleEndian(word)
    bytes.appendLittleEndian(sequence)
    LinkFrame.appendRelease(release, to: &bytes)
    for word in words { bytes.appendLittleEndian(word) }
    bytes.appendLittleEndian(UInt64(0))
    return bytes
  }

  /// Reads a frame.
  public init(frame bytes: RawSpan) throws(LinkViolation) {
    try LinkFrame.require(Self.magic, in: bytes)
    let word = try LinkFrame.u32(bytes, 12)
    sequence = try LinkFrame.u64(bytes, 16)
    release = try LinkFrame.release(bytes, at: 24)
    let counts = [try LinkFrame.u32(bytes, 40), try LinkFrame.u32(bytes, 44), try LinkFrame.u32(bytes, 48)]
    let detail = try LinkFrame.u32(bytes, 52)
    try LinkFrame.requireZero(try LinkFrame.u64(bytes, 56), "an answer")
    if word == Word.edits {
      try LinkFrame.requireZero(detail, "an answer")
      for (count, limit) in zip(counts, [LinkLimits.edits, LinkLimits.maps, LinkLimits.programs]) where count > limit {
        throw LinkViolation(.tooLarge, "an answer announces too much", expected: "at most \(limit)", found: "\(count)")
      }
      verdict = .edits(Int(counts[0]), maps: Int(counts[1]), programs: Int(counts[2]))
      return
    }
    for count in counts { try LinkFrame.requireZero(count, "an answer without edits") }
    if word == Word.refused {
      verdict = .refused(check: detail)
    } else if word == Word.outside, let feature = LinkFeature(rawValue: detail) {
      verdict = .outside(feature)
    } else if word == Word.otherRelease {
      try LinkFrame.requireZero(detail, "an answer")
      verdict = .otherRelease
    } else {
      throw LinkViolation(.unknownWord, "an answer says something that does not exist", found: "\(word), \(detail)")
    }
  }
}

extension LinkAnswer {
  /// The head that announces it.
  public func head(sequence: UInt64, release: String) -> Head {
    Head(
      sequence: sequence, release: release,
      verdict: .edits(edits.count, maps: maps.count, programs: programs.count))
  }

  /// What follows the head.
  public var body: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(
      edits.count * LinkEdit.size + maps.count * MapClaim.size + programs.count * ProgramClaim.size)
    for edit in edits { edit.append(to: &bytes) }
    for map in maps { map.append(to: &bytes) }
    for program in programs { program.append(to: &bytes) }
    return bytes
  }

  /// Reads what follows a head that announces edits; nil for every other head.
  public init?(body bytes: RawSpan, after head: Head) throws(LinkViolation) {
    guard case .edits(let editCount, let mapCount, let programCount) = head.verdict else { return nil }
    guard bytes.byteCount == head.bodySize else {
      throw LinkViolation(
        .truncated, "an answer has another length than it announces", expected: "\(head.bodySize) bytes",
        found: "\(bytes.byteCount)")
    }
    var place = 0
    edits = []
    edits.reserveCapacity(editCount)
    for _ in 0..<editCount {
      edits.append(try LinkEdit(bytes, at: place))
      place += LinkEdit.size
    }
    maps = []
    for _ in 0..<mapCount {
      maps.append(try MapClaim(bytes, at: place))
      place += MapClaim.size
    }
    programs = []
    for _ in 0..<programCount {
      programs.append(try ProgramClaim(bytes, at: place))
      place += ProgramClaim.size
    }
  }
}
