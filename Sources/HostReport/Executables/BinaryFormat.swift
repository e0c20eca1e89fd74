internal import Base

/// A registration with binfmt_misc: for which files an interpreter is started, and how
/// (Documentation/admin-guide/binfmt-misc.rst).
public struct BinaryFormat: Equatable, Sendable {
  /// The letters behind the interpreter.
  public enum Flag: Character, CaseIterable, Sendable {
    /// The caller's own argv[0] stands behind the file's path.
    case keepsFirstWord = "P"
    /// The kernel opens the file and hands over the descriptor.
    case opensFile = "O"
    /// The interpreter gets the rights of the file: those of its owner, where that is set-uid.
    case takesRights = "C"
    /// The interpreter is opened when it is registered, and what is put in its place later is not used.
    case fixesInterpreter = "F"
  }

  /// Which files it is for.
  public enum Pattern: Equatable, Sendable {
    /// Those that have these bytes in that place, of which the bits of the mask count.
    case bytes([UInt8], mask: [UInt8], offset: Int)
    /// Those whose name has this behind its last dot.
    case ending(String)
  }

  public let pattern: Pattern
  /// The path of the interpreter.
  public let interpreter: String
  public let flags: Set<Flag>
  public let isEnabled: Bool

  public init(pattern: Pattern, interpreter: String, flags: Set<Flag>, isEnabled: Bool = true) {
    self.pattern = pattern
    self.interpreter = interpreter
    self.flags = flags
    self.isEnabled = isEnabled
  }

  /// Reads what the kernel says of a registration (fs/binfmt_misc.c, entry_status); nil for what is not understood.
  public init?(_ text: String) {
    var fields: [Substring: Substring] = [:]
    var lines = text.split(separator: "\n")[...]
    guard let state = lines.popFirst(), state == "enabled" || state == "disabled" else { return nil }
    for line in lines {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard let name = parts.first, fields.updateValue(parts.count == 2 ? parts[1] : "", forKey: name) == nil else {
        return nil
      }
    }
    guard let interpreter = fields.removeValue(forKey: "interpreter"),
      let letters = fields.removeValue(forKey: "flags:")
    else { return nil }
    let flags = letters.compactMap { Flag(rawValue: $0) }
    guard flags.count == letters.count, let pattern = Self.pattern(fields) else { return nil }
    self.init(
      pattern: pattern, interpreter: String(interpreter), flags: Set(flags), isEnabled: state == "enabled")
  }

  /// More than the kernel reads of a file before it looks for an interpreter (BINPRM_BUF_SIZE).
  private static let offsetLimit = 4096

  private static func pattern(_ fields: [Substring: Substring]) -> Pattern? {
    if let ending = fields["extension"] {
      return ending.hasPrefix(".") && fields.count == 1 ? .ending(String(ending.dropFirst())) : nil
    }
    guard let offset = fields["offset"].flatMap({ Int($0) }), (0...offsetLimit).contains(offset),
      let magic = fields["magic"].flatMap({ Hex.decode(String($0)) })
    else { return nil }
    guard let text = fields["mask"] else {
      let all = [UInt8](repeating: 0xff, count: magic.count)
      return fields.count == 2 ? .bytes(magic, mask: all, offset: offset) : nil
    }
    guard let mask = Hex.decode(String(text)), mask.count == magic.count, fields.count == 3 else { return nil }
    return .bytes(magic, mask: mask, offset: offset)
  }

  /// Whether there may be a file that this one and another are for. By endings only those that objects have: any file may be
  /// called anything.
  public func mayShareFiles(with other: BinaryFormat) -> Bool {
    switch (pattern, other.pattern) {
    case (.ending(let ending), .ending(let others)): return ending == others
    case (.ending(let ending), .bytes), (.bytes, .ending(let ending)): return ending == BPFObjectFormat.ending
    case (.bytes(let bytes, let mask, let offset), .bytes(let others, let othersMask, let othersOffset)):
      let start = max(offset, othersOffset)
      let end = min(offset + bytes.count, othersOffset + others.count)
      guard start < end else { return true }
      return (start..<end).allSatisfy { place in
        let (own, theirs) = (place - offset, place - othersOffset)
        return (bytes[own] ^ others[theirs]) & mask[own] & othersMask[theirs] == 0
      }
    }
  }

  /// The flags as the kernel prints them.
  public var letters: String { String(Flag.allCases.filter { flags.contains($0) }.map(\.rawValue)) }
}

/// BPF object files, as binfmt_misc is to know them.
public enum BPFObjectFormat {
  /// The name of the registration.
  public static let name = "verity-bpf"
  /// What object files end with.
  static let ending = "o"

  /// The start of an ELF file (include/uapi/linux/elf.h): ELFMAG, ELFCLASS64, ELFDATA2LSB, EV_CURRENT; OS ABI, its version and
  /// padding, which do not count; ET_REL and EM_BPF.
  static let bytes: [UInt8] =
    [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9) + [1, 0, 247, 0]
  static let mask: [UInt8] =
    [UInt8](repeating: 0xff, count: 7) + [UInt8](repeating: 0, count: 9) + [UInt8](repeating: 0xff, count: 4)

  /// The descriptor is handed over, and the interpreter fixed. Never flag C, which would give the rights of a set-uid object's
  /// owner to the interpreter.
  static let flags: Set<BinaryFormat.Flag> = [.opensFile, .fixesInterpreter]

  /// The registration with an interpreter.
  public static func registration(_ interpreter: String) -> BinaryFormat {
    BinaryFormat(pattern: .bytes(bytes, mask: mask, offset: 0), interpreter: interpreter, flags: flags)
  }

  /// Bytes of an interpreter's path at most: "the interpreter string may not exceed 127 characters" (binfmt-misc.rst).
  public static let pathLimit = 127

  /// Why a path cannot be an interpreter's; nil where it can.
  public static func fault(inPath path: String) -> String? {
    if !path.hasPrefix("/") { return "a path that does not begin with a slash" }
    if path.utf8.contains(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "\n") }) {
      return "a path with a colon or a line feed"
    }
    let count = path.systemBytes.count
    return count > pathLimit ? "a path of \(count) bytes" : nil
  }

  /// The line that registers an interpreter, as binfmt.d(5) and the kernel take it.
  public static func line(_ interpreter: String) -> String {
    let format = registration(interpreter)
    func escaped(_ bytes: [UInt8]) -> String { bytes.map { "\\x" + Hex.encode([$0]) }.joined() }
    return ":\(name):M:0:\(escaped(bytes)):\(escaped(mask)):\(interpreter):\(format.letters)"
  }

  /// The file of binfmt.d(5), by which systemd registers it when the machine starts.
  public static func configuration(_ interpreter: String) -> String {
    "# Files of eBPF programs are executed by verity-bpf(1), which verifies them: see binfmt.d(5).\n\(line(interpreter))\n"
  }
}
