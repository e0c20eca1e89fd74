public import Base
internal import KernelABI

/// A record of the gate's ring buffer (`struct gate_event` in gate.h).
public struct GateEvent: Equatable, Sendable {
  /// Nanoseconds since boot.
  public let time: UInt64
  public let pid: UInt32
  public let thread: UInt32
  public let uid: UInt32
  /// The numbers of ``hook``, ``reason`` and ``verdict``.
  public let hookNumber: UInt32
  public let reasonNumber: UInt32
  public let verdictNumber: UInt32
  /// The command's name: any bytes, at most 15.
  public let command: [UInt8]
  /// The device that the process's executable lies on, as the kernel numbers it; 0 for none.
  public let device: UInt32
  /// `enum bpf_prog_type`.
  public let programType: UInt32
  /// The executable's inode.
  public let inode: UInt64
  public let attachType: UInt32
  /// In the kernel's own types.
  public let attachTypeID: UInt32
  public let coreRelocations: UInt32
  /// Of a load the number of instructions, of which a 64-bit load has two; of another hook the number that the case is about.
  public let number: UInt32
  /// The policy's line of the row that admits it; nil for none.
  public let row: UInt32?
  /// SHA-256 of the instructions as they were submitted; zeros where nothing asked for it.
  public let digest: [UInt8]
  /// The root hash of the executable's volume, zeros behind it; all zeros for a volume that is not known.
  public let rootHash: [UInt8]

  /// Nil for a number that this build does not know.
  public var hook: GateHook? { GateHook(rawValue: hookNumber) }
  public var reason: GateReason? { GateReason(rawValue: reasonNumber) }
  public var verdict: GateVerdict? { GateVerdict(rawValue: verdictNumber) }

  /// Reads a record.
  ///
  /// - Throws: ``ByteError`` for one that is cut.
  public init(_ bytes: RawSpan) throws(ByteError) {
    time = try bytes.u64(at: 0)
    pid = try bytes.u32(at: 8)
    thread = try bytes.u32(at: 12)
    uid = try bytes.u32(at: 16)
    hookNumber = try bytes.u32(at: 20)
    reasonNumber = try bytes.u32(at: 24)
    verdictNumber = try bytes.u32(at: 28)
    command = Array(try bytes.slice(at: 32, count: 16).copyBytes().prefix { $0 != 0 })
    device = try bytes.u32(at: 48)
    programType = try bytes.u32(at: 52)
    inode = try bytes.u64(at: 56)
    attachType = try bytes.u32(at: 64)
    attachTypeID = try bytes.u32(at: 68)
    coreRelocations = try bytes.u32(at: 72)
    number = try bytes.u32(at: 76)
    let row = try bytes.u32(at: 80)
    self.row = row == .max || row == 0 ? nil : row
    digest = try bytes.slice(at: 88, count: 32).copyBytes()
    rootHash = try bytes.slice(at: 120, count: GateLayout.rootHashSize).copyBytes()
  }

  /// Whether it is about a load, and not about the gate's own parts.
  public var isLoad: Bool { hook == .programLoad || hook == .program }

  /// Whether the program was made at run time by a process that a row allows to: from what, the kernel cannot tell.
  public var isGenerated: Bool { isLoad && verdict == .passed && reason == .scope }

  /// Whether a load was refused or would be.
  public var isRefusal: Bool { verdict != .passed }

  /// `253:4`; nil where the process runs no file.
  public var deviceText: String? { device == 0 ? nil : "\(device >> 20):\(device & 0xfffff)" }

  /// The digest in hexadecimal; nil where none was computed.
  public var digestHex: String? { digest.contains { $0 != 0 } ? Hex.encode(digest) : nil }

  /// The root hash as policies have it; nil for a volume that is not known. One that ended in that many zeros would be taken
  /// for a shorter one.
  public var volume: Digest? {
    guard let last = rootHash.lastIndex(where: { $0 != 0 }) else { return nil }
    let algorithm = HashAlgorithm.allCases.first { last < $0.digestSize } ?? .sha512
    return Digest(algorithm, bytes: Array(rootHash.prefix(algorithm.digestSize)))
  }

  /// The program's type by its name, with the attach type where there is one.
  public var programText: String {
    let type = TypeNames.program(programType)
    return attachType == 0 ? type : "\(type)/\(TypeNames.attach(attachType))"
  }

  /// The command's name as text.
  public var commandText: String { String(decoding: command, as: UTF8.self) }
}
