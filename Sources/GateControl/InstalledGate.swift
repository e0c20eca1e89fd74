internal import Base
public import Gate
internal import KernelABI
public import Linux

/// The gate that is pinned on this machine.
public struct InstalledGate: Sendable {
  /// The directory of its pins.
  public let path: String
  private let maps: [GateMap: KernelObject]

  /// Opens the maps of a gate.
  ///
  /// - Parameters:
  ///   - path: the directory of its pins.
  ///   - readOnly: only to look; a sealed gate gives no more, and of the records all.
  /// - Throws: ``GateError``.
  public static func open(_ path: String = GateLayout.pinPath, readOnly: Bool) throws(GateError) -> InstalledGate {
    var maps: [GateMap: KernelObject] = [:]
    for map in GateMap.allCases {
      let place = "\(path)/map/\(map.rawValue)"
      let object: KernelObject
      let info: BPF.MapInfo
      do throws(SystemError) {
        object = try BPF.pinned(at: place, readOnly: readOnly && map != .events)
        info = try BPF.mapInfo(object)
      } catch {
        throw refusal(error, map, place: place, path)
      }
      guard map == .events || Int(info.keySize) == map.keySize && Int(info.valueSize) == map.valueSize else {
        throw .notOurs(
          path: place, expected: "keys of \(map.keySize) and values of \(map.valueSize) bytes",
          found: "\(info.keySize) and \(info.valueSize)")
      }
      maps[map] = object
    }
    return InstalledGate(path: path, maps: maps)
  }

  private static func refusal(_ error: SystemError, _ map: GateMap, place: String, _ path: String) -> GateError {
    switch error.code {
    case .enoent, .enotdir:
      return (try? FileStatus.of(path: path)) == nil
        ? .notInstalled(path: path)
        : .notOurs(path: place, expected: "a map `\(map.rawValue)`", found: "nothing")
    case .eperm, .eacces:
      // Without the gate's word on it, it is the kernel's own: no privilege.
      return .closed(path: place, error)
    case .some, nil: return .system(error)
    }
  }

  private func map(_ map: GateMap) throws(GateError) -> KernelObject {
    guard let object = maps[map] else { throw .notInstalled(path: path) }
    return object
  }

  // MARK: - Reading

  public func state() throws(GateError) -> GateState {
    let place = "\(path)/map/\(GateMap.state.rawValue)"
    let object = try map(.state)
    let value = try reading { () throws(SystemError) in
      try BPF.lookup(object, key: GateState.key, valueSize: GateMap.state.valueSize)
    }
    guard let value, let state = GateState(value: value) else {
      throw .notOurs(path: place, expected: "\(GateMap.state.valueSize) bytes", found: "\(value?.count ?? 0)")
    }
    guard state.version == GateLayout.version || state.version == 0 else {
      throw .notOurs(path: place, expected: "version \(GateLayout.version)", found: "version \(state.version)")
    }
    return state
  }

  public func counters() throws(GateError) -> [GateCounter: UInt64] {
    let object = try map(.counters)
    var result: [GateCounter: UInt64] = [:]
    for counter in GateCounter.allCases {
      let value = try reading { () throws(SystemError) in
        try BPF.lookup(object, key: Self.bytes(counter.rawValue), valueSize: GateMap.counters.valueSize)
      }
      result[counter] = value.flatMap { try? $0.rawSpan.u64(at: 0) }
    }
    return result
  }

  /// All entries of a map, in the kernel's order.
  public func entries(of map: GateMap) throws(GateError) -> [GateTables.Entry] {
    let object = try self.map(map)
    return try reading { () throws(SystemError) in
      var entries: [GateTables.Entry] = []
      var key: [UInt8]?
      while let next = try BPF.nextKey(object, after: key, keySize: map.keySize) {
        if let value = try BPF.lookup(object, key: next, valueSize: map.valueSize) {
          entries.append(GateTables.Entry(key: next, value: value))
        }
        key = next
      }
      return entries
    }
  }

  /// The records that no reader has taken; see ``Linux/BPF/RingBuffer``.
  public func records() throws(GateError) -> BPF.RingBuffer {
    let object = try map(.events)
    return try reading { () throws(SystemError) in
      try BPF.RingBuffer(object, size: BPF.mapInfo(object).maxEntries)
    }
  }

  private static func bytes(_ number: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(number)
    return bytes
  }

  // MARK: - Writing

  func write(_ state: GateState) throws(GateError) {
    try put([GateTables.Entry(key: GateState.key, value: state.value)], into: .state)
  }

  func put(_ entries: [GateTables.Entry], into map: GateMap) throws(GateError) {
    let object = try self.map(map)
    do throws(SystemError) {
      for entry in entries { try BPF.update(object, key: entry.key, value: entry.value) }
    } catch {
      throw .fill(map: map, entries: entries.count, error)
    }
  }

  /// The map that has a state for each task, which the kernel alone writes and does not freeze.
  private static let unfrozen: Set<String> = [GateMap.events.rawValue, GateMap.state.rawValue, "gate_tasks"]

  /// Keeps user space from writing any map of the gate but its state, and the records, which their reader moves on in.
  func freezeRows() throws(GateError) {
    let directory = "\(path)/map"
    try reading { () throws(SystemError) in
      for name in try Directory.names(directory) where !Self.unfrozen.contains(name) {
        try BPF.freeze(BPF.pinned(at: "\(directory)/\(name)"))
      }
    }
  }

  func freeze(_ map: GateMap) throws(GateError) {
    let object = try self.map(map)
    try reading { () throws(SystemError) in try BPF.freeze(object) }
  }

  private func reading<Value>(_ body: () throws(SystemError) -> Value) throws(GateError) -> Value {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
  }

  /// The kernel's numbers of the gate's programs. Only while the gate is not sealed.
  func programs() throws(GateError) -> Set<UInt32> {
    let directory = "\(path)/prog"
    return try reading { () throws(SystemError) in
      var ids: Set<UInt32> = []
      for name in try Directory.names(directory) {
        ids.insert(try BPF.programInfo(BPF.pinned(at: "\(directory)/\(name)", readOnly: true)).id)
      }
      return ids
    }
  }

  /// Every part of the gate with its number, as the gate is to know them.
  func parts() throws(GateError) -> [GateTables.Entry] {
    let kinds: [(GateLayout.Part, String)] = [(.map, "map"), (.program, "prog"), (.link, "link")]
    return try reading { () throws(SystemError) in
      var entries: [GateTables.Entry] = []
      func add(_ part: GateLayout.Part, _ id: UInt32, isWritten: Bool = false) {
        entries.append(GateTables.Entry(key: part.key(id), value: InstalledGate.bytes(isWritten ? 1 : 0)))
      }
      for (part, word) in kinds {
        let directory = "\(path)/\(word)"
        for name in try Directory.names(directory) {
          let pin = "\(directory)/\(name)"
          let object = try BPF.pinned(at: pin)
          switch part {
          // A reader of records notes in the map how far.
          case .map: add(.map, try BPF.mapInfo(object).id, isWritten: name == GateMap.events.rawValue)
          case .program: add(.program, try BPF.programInfo(object).id)
          case .link: add(.link, try BPF.linkInfo(object).id)
          case .pin: break
          }
          add(.pin, UInt32(truncatingIfNeeded: try FileStatus.of(path: pin).inode))
        }
      }
      return entries
    }
  }
}
