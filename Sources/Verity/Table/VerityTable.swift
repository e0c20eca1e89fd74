internal import Base

/// A verity target as the kernel says it is in force (`verity_status`, drivers/md/dm-verity-target.c).
///
/// Names and UUIDs of devices are whatever their maker chose; this text is the kernel's own.
public struct VerityTable: Equatable, Sendable {
  /// What happens to a block that does not verify.
  public enum Mode: String, Sendable {
    /// The read fails.
    case eio
    /// `ignore_corruption`: the block is handed out all the same, and a line logged.
    case logging = "ignore_corruption"
    case restart = "restart_on_corruption"
    case panic = "panic_on_corruption"
  }

  /// Forward error correction: what is repaired is hashed again.
  public struct Correction: Equatable, Sendable {
    public let device: String
    public let roots: UInt64
    public let blocks: UInt64
    public let start: UInt64
  }

  /// 1, or 0 for the format of Chrome OS.
  public let hashType: UInt32
  /// `major:minor` of the device that holds the data, and of the one that holds the tree.
  public let dataDevice: String
  public let hashDevice: String
  /// Bytes.
  public let dataBlockSize: UInt32
  public let hashBlockSize: UInt32
  public let dataBlockCount: UInt64
  /// The tree's first block on ``hashDevice``, in hash blocks.
  public let hashStart: UInt64
  /// A name of the kernel's crypto API, as the table was loaded with it.
  public let algorithm: String
  public let rootDigest: [UInt8]
  public let salt: [UInt8]
  public let mode: Mode
  /// `restart_on_error` or `panic_on_error`: what an error of the device below does.
  public let errorMode: String?
  /// Blocks whose hash is that of zeros are not read.
  public let ignoresZeroBlocks: Bool
  /// A data block is verified when it is first read, and never again.
  public let checksAtMostOnce: Bool
  public let verifiesInTasklet: Bool
  public let correction: Correction?
  /// The description of the key that held the signature of the root hash. The kernel has then verified it, because a
  /// table with a signature that does not hold is not loaded (`verity_verify_root_hash`).
  public let signatureKeyDescription: String?

  /// Reads a table line without its range and type.
  ///
  /// - Throws: ``TableError/parameters(text:reason:)`` for anything that the kernel does not write, options of later
  ///   kernels among it.
  public init(_ text: String) throws(TableError) {
    var words = Words(text)
    hashType = try words.number("hash type", as: UInt32.self)
    dataDevice = try words.device("data device")
    hashDevice = try words.device("hash device")
    dataBlockSize = try words.number("data block size", as: UInt32.self)
    hashBlockSize = try words.number("hash block size", as: UInt32.self)
    dataBlockCount = try words.number("number of data blocks", as: UInt64.self)
    hashStart = try words.number("first hash block", as: UInt64.self)
    algorithm = try words.next("algorithm")
    rootDigest = try words.hex("root hash")
    salt = try words.salt()

    let count = words.isEmpty ? 0 : try words.number("number of options", as: Int.self)
    guard count == words.count else { throw words.fault("\(count) option words are announced, \(words.count) follow") }
    var options = Options()
    while !words.isEmpty { try options.take(&words) }
    mode = options.mode ?? .eio
    errorMode = options.errorMode
    ignoresZeroBlocks = options.flags.contains("ignore_zero_blocks")
    checksAtMostOnce = options.flags.contains("check_at_most_once")
    verifiesInTasklet = options.flags.contains("try_verify_in_tasklet")
    signatureKeyDescription = options.signature
    correction = try options.correction(in: words)
  }

  /// The options behind the fixed parameters.
  private struct Options {
    var mode: Mode?
    var errorMode: String?
    var flags: Set<String> = []
    var signature: String?
    var device: String?
    var numbers: [String: UInt64] = [:]

    mutating func take(_ words: inout Words) throws(TableError) {
      let name = try words.next("option")
      switch name {
      case "ignore_corruption", "restart_on_corruption", "panic_on_corruption":
        guard mode == nil else { throw words.fault("two options say what happens to corrupted blocks") }
        mode = Mode(rawValue: name)
      case "restart_on_error", "panic_on_error":
        guard errorMode == nil else { throw words.fault("two options say what happens at errors") }
        errorMode = name
      case "ignore_zero_blocks", "check_at_most_once", "try_verify_in_tasklet":
        guard flags.insert(name).inserted else { throw words.fault("`\(name)` is there twice") }
      case "use_fec_from_device":
        guard device == nil else { throw words.fault("`\(name)` is there twice") }
        device = try words.device(name)
      case "fec_roots", "fec_blocks", "fec_start":
        guard numbers[name] == nil else { throw words.fault("`\(name)` is there twice") }
        numbers[name] = try words.number(name, as: UInt64.self)
      case "root_hash_sig_key_desc":
        guard signature == nil else { throw words.fault("`\(name)` is there twice") }
        signature = try words.next(name)
      default:
        throw words.fault("the option `\(name)` is not known here")
      }
    }

    func correction(in words: Words) throws(TableError) -> Correction? {
      guard let device else {
        guard numbers.isEmpty else { throw words.fault("error correction without a device") }
        return nil
      }
      guard let roots = numbers["fec_roots"], let blocks = numbers["fec_blocks"], let start = numbers["fec_start"]
      else { throw words.fault("error correction without its numbers") }
      return Correction(device: device, roots: roots, blocks: blocks, start: start)
    }
  }
}

/// The words of a table line, taken one after the other.
private struct Words {
  private let text: String
  private var rest: ArraySlice<Substring>

  init(_ text: String) {
    self.text = text
    rest = text.split(separator: " ")[...]
  }

  var isEmpty: Bool { rest.isEmpty }
  var count: Int { rest.count }

  func fault(_ reason: String) -> TableError { .parameters(text: text, reason: reason) }

  mutating func next(_ what: String) throws(TableError) -> String {
    guard let word = rest.popFirst() else { throw fault("the \(what) is missing") }
    return String(word)
  }

  mutating func number<N: FixedWidthInteger>(_ what: String, as type: N.Type) throws(TableError) -> N {
    let word = try next(what)
    guard let value = N(word), word.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      throw fault("the \(what) `\(word)` is no number")
    }
    return value
  }

  /// The kernel writes devices as `major:minor`, whatever path the table was loaded with.
  mutating func device(_ what: String) throws(TableError) -> String {
    let word = try next(what)
    let parts = word.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ UInt32($0) != nil }) else {
      throw fault("the \(what) `\(word)` is no device number")
    }
    return word
  }

  mutating func hex(_ what: String) throws(TableError) -> [UInt8] {
    let word = try next(what)
    guard let bytes = Hex.decode(word), !bytes.isEmpty else { throw fault("the \(what) `\(word)` is not hexadecimal") }
    return bytes
  }

  mutating func salt() throws(TableError) -> [UInt8] {
    if rest.first == "-" {
      rest.removeFirst()
      return []
    }
    return try hex("salt")
  }
}
