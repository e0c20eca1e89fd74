internal import BPFAnalysis
internal import BPFObject
internal import Base
internal import KernelABI

/// Rows as the contents of the gate's maps.
public struct GateTables: Sendable {
  /// An entry of a map: bytes as gate.h lays them out.
  public struct Entry: Equatable, Sendable {
    public let key: [UInt8]
    public let value: [UInt8]

    public init(key: [UInt8], value: [UInt8]) {
      self.key = key
      self.value = value
    }
  }

  public private(set) var executables: [Entry] = []
  public private(set) var digests: [Entry] = []
  public private(set) var scopes: [Entry] = []
  /// What of the rows the maps cannot say, a sentence each. What is in here is refused.
  public private(set) var omissions: [String] = []
  /// Digests whose row says what CO-RE makes of the instructions, among those that have records; and how many have them.
  public private(set) var predictedDigests = 0
  public private(set) var relocatedDigests = 0

  /// Identifiers of scopes; 0 is every process.
  private var nextScope: UInt32 = 1
  /// Places in `scopes`, by key.
  private var scopePlaces: [[UInt8]: Int] = [:]
  private var digestKeys: Set<[UInt8]> = []
  /// What was put together for each executable, in the order of the rows.
  private var rights: [(identity: ExecutableIdentity, right: UInt32, scope: UInt32)] = []

  /// - Parameters:
  ///   - rows: a plan's.
  ///   - attachTypeID: the kernel's number of what the programs of a digest row attach to, by its index; nil where the kernel has
  ///     no such type. Asked for rows that attach to something alone.
  public init(_ rows: GateRows, attachTypeID: (Int) -> UInt32?) {
    for row in rows.classes { add(row.scope, to: 0, line: row.line, of: "every process") }
    for row in rows.executables { add(row) }
    executables = rights.map { Self.entry($0.identity, right: $0.right, scope: $0.scope) }
    for row in rows.modules {
      executables.append(
        Self.entry(
          ExecutableIdentity(rootHash: row.rootHash, inode: GateLayout.wholeVolume), right: GateLayout.Right.modules,
          scope: 0))
    }
    for (index, row) in rows.digests.enumerated() {
      let name = row.sources.first.map { "program `\($0.program)` of `\($0.object)`" } ?? "a program"
      var target: UInt32 = 0
      if let wanted = row.attachTarget {
        guard let found = attachTypeID(index) else {
          omissions.append("\(name): this kernel has no `\(wanted.name)` to attach to")
          continue
        }
        target = found
      }
      add(row, attachTypeID: target, name)
    }
  }

  /// How many entries each map has that the plan sizes.
  public func count(_ map: GateMap) -> Int {
    switch map {
    case .executables: executables.count
    case .digests: digests.count
    case .scopes: scopes.count
    case .devices, .own, .state, .counters, .events: 0
    }
  }

  /// The entries of a map.
  public func entries(of map: GateMap) -> [Entry] {
    switch map {
    case .executables: executables
    case .digests: digests
    case .scopes: scopes
    case .devices, .own, .state, .counters, .events: []
    }
  }

  // MARK: - Executables

  private mutating func add(_ row: GateRows.ExecutableRow) {
    let identity = row.executable.identity
    let place: Int
    if let known = rights.firstIndex(where: { $0.identity == identity }) {
      place = known
    } else {
      place = rights.count
      rights.append((identity, 0, 0))
    }
    switch row.right {
    case .judging: rights[place].right |= GateLayout.Right.judging | GateLayout.Right.reader
    case .listed: rights[place].right |= GateLayout.Right.listed | GateLayout.Right.reader
    case .programs(let scope, let line):
      if rights[place].scope == 0 {
        rights[place].scope = nextScope
        nextScope += 1
      }
      rights[place].right |= GateLayout.Right.scope
      add(scope, to: rights[place].scope, line: line, of: "\(row.executable.path) of \(row.executable.image)")
    }
  }

  static func key(of identity: ExecutableIdentity) -> [UInt8] {
    var key = rootHash(identity.rootHash)
    key.appendLittleEndian(identity.inode)
    return key
  }

  private static func entry(_ identity: ExecutableIdentity, right: UInt32, scope: UInt32) -> Entry {
    var value: [UInt8] = []
    value.appendLittleEndian(right)
    value.appendLittleEndian(scope)
    return Entry(key: key(of: identity), value: value)
  }

  static func rootHash(_ digest: Digest) -> [UInt8] {
    digest.bytes + [UInt8](repeating: 0, count: GateLayout.rootHashSize - digest.bytes.count)
  }

  // MARK: - Scopes

  private mutating func add(_ scope: ProgramScope, to number: UInt32, line: Int, of subject: String) {
    guard let types = scope.types else {
      put(number, type: GateLayout.any, attachType: GateLayout.any, scope.helpers, line: line, of: subject)
      return
    }
    for type in types {
      guard let known = ProgramType(name: type.type) else { continue }
      guard let attachTypes = type.attachTypes else {
        put(number, type: known.rawValue, attachType: GateLayout.any, scope.helpers, line: line, of: subject)
        continue
      }
      for attachType in attachTypes {
        guard let number32 = Self.attachType(attachType, of: known) else { continue }
        put(number, type: known.rawValue, attachType: number32, scope.helpers, line: line, of: subject)
      }
    }
  }

  /// The number that the kernel has for a program's expected attach type when it asks the gate; nil for a combination that it
  /// never has.
  ///
  /// 0 is cgroup_inet_ingress for programs that mean it by it, and none for all others; two types get another number from
  /// the kernel in the place of 0 (kernel/bpf/syscall.c, bpf_prog_load_fixup_attach_type).
  static func attachType(_ name: String?, of type: ProgramType) -> UInt32? {
    guard let name else {
      switch type {
      case .cgroupSkb: return nil
      case .cgroupSock: return AttachType.cgroupInetSockCreate.rawValue
      case .skReuseport: return AttachType.skReuseportSelect.rawValue
      case .unspec, .socketFilter, .kprobe, .schedCls, .schedAct, .tracepoint, .xdp, .perfEvent, .lwtIn, .lwtOut,
        .lwtXmit, .sockOps, .skSkb, .cgroupDevice, .skMsg, .rawTracepoint, .cgroupSockAddr, .lwtSeg6local, .lircMode2,
        .flowDissector, .cgroupSysctl, .rawTracepointWritable, .cgroupSockopt, .tracing, .structOps, .ext, .lsm,
        .skLookup, .syscall, .netfilter:
        return 0
      }
    }
    guard let number = AttachType(name: name)?.rawValue, number != 0 || type == .cgroupSkb else { return nil }
    return number
  }

  private mutating func put(
    _ scope: UInt32, type: UInt32, attachType: UInt32, _ helpers: [String]?, line: Int, of subject: String
  ) {
    var value = Self.bitmap(helpers ?? [])
    value.appendLittleEndian(UInt32(helpers == nil ? 1 : 0))
    value.appendLittleEndian(UInt32(clamping: line))
    for alternative in 0..<GateLayout.alternatives {
      var key: [UInt8] = []
      for number in [scope, type, attachType, UInt32(alternative)] { key.appendLittleEndian(number) }
      guard let place = scopePlaces[key] else {
        scopePlaces[key] = scopes.count
        scopes.append(Entry(key: key, value: value))
        return
      }
      if Self.admits(scopes[place].value, value) { return }
      if Self.admits(value, scopes[place].value) {
        scopes[place] = Entry(key: key, value: value)
        return
      }
    }
    // One list in the place of several would admit what none of them allows.
    let word = type == GateLayout.any ? "programs of every type" : TypeNames.program(type)
    omissions.append(
      "line \(line): \(subject) has \(GateLayout.alternatives) other lists of helpers for \(word) by earlier rules, and the gate "
        + "knows no more")
  }

  /// A bit for each helper, by its number.
  static func bitmap(_ helpers: [String]) -> [UInt8] {
    var bits = [UInt8](repeating: 0, count: 32)
    for name in helpers {
      guard let helper = Helper(name: name), helper.rawValue / 8 < bits.count else { continue }
      bits[Int(helper.rawValue / 8)] |= 1 << (helper.rawValue % 8)
    }
    return bits
  }

  /// Whether one value admits whatever another does.
  private static func admits(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    if one[32] != 0 { return true }
    return other[32] == 0 && (0..<32).allSatisfy { other[$0] & ~one[$0] == 0 }
  }

  // MARK: - Digests

  private mutating func add(_ row: GateRows.DigestRow, attachTypeID: UInt32, _ name: String) {
    guard let type = ProgramType(name: row.type), let attachType = Self.attachType(row.attachType, of: type) else {
      omissions.append("\(name): the kernel has no such type and attach type")
      return
    }
    var flags: UInt32 = 0
    var afterCore = [UInt8](repeating: 0, count: 32)
    switch row.afterCore {
    case .digest(let digest):
      afterCore = digest.bytes
      flags |= GateLayout.DigestFlag.afterCore
    case .tag(let tag):
      afterCore.replaceSubrange(0..<tag.count, with: tag)
      flags |= GateLayout.DigestFlag.afterCore | GateLayout.DigestFlag.tag
    case nil: break
    }
    if row.instructions.coreRelocations > 0 {
      relocatedDigests += 1
      if row.afterCore != nil { predictedDigests += 1 }
    }
    if row.types != nil { flags |= GateLayout.DigestFlag.types }
    var value = afterCore
    value += row.types?.bytes ?? [UInt8](repeating: 0, count: 32)
    value.appendLittleEndian(flags)
    value.appendLittleEndian(UInt32(clamping: row.sources.first?.line ?? 0))
    let numbers = [
      type.rawValue, attachType, UInt32(clamping: row.instructions.coreRelocations), attachTypeID,
    ]
    for alternative in 0..<GateLayout.alternatives {
      var key = row.instructions.digest.bytes
      for number in numbers + [UInt32(alternative)] { key.appendLittleEndian(number) }
      guard digestKeys.insert(key).inserted else { continue }
      digests.append(Entry(key: key, value: value))
      return
    }
    omissions.append(
      "\(name): \(GateLayout.alternatives) other programs have the same instructions and other types, and the gate knows no more"
    )
  }
}
