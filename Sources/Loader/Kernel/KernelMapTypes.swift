internal import KernelABI
internal import BPFObject
internal import Linux

/// The types of maps that the running kernel has, as its own type information lists them. It is read only when a map was
/// refused, and says why.
enum KernelMapTypes {
  /// What a map asks for that this kernel does not have, in words; nil when it has the map's type, or nothing says so.
  static func missing(_ map: LinkedMap) -> String? {
    let release = map.unknownType == nil ? map.type.since : nil
    let running = KernelReports.runningRelease()
    // Reading all of the kernel's types takes milliseconds, and an object may have many maps.
    if let release, let running, running >= release { return nil }
    var words = "map \(map.unknownType == nil ? "type \(map.typeName)" : map.typeName)"
    if let release, let running { words += " (Linux \(release); this is \(running))" }
    if let listed = read() {
      // A distribution's kernel may have what came with a later release.
      guard listed[map.unknownType ?? map.type.rawValue] == nil else { return nil }
      if let last = listed.keys.max(), let name = listed[last] { words += "; its newest is \(name) (\(last))" }
      return words
    }
    guard let release, let running, running < release else { return nil }
    return words
  }

  /// The names of the kernel's `enum bpf_map_type` by their numbers; nil when they cannot be read.
  private static func read() -> [UInt32: String]? {
    guard let kernel = try? KernelBTF.open(), let btf = try? BTF(kernel.bytes),
      let id = btf.typeID(named: "bpf_map_type", kind: .enumeration), let type = try? btf.type(id)
    else { return nil }
    var names: [UInt32: String] = [:]
    for index in 0..<type.vlen {
      guard let enumerator = try? btf.enumerator(index, of: type), enumerator.name.hasPrefix(MapType.prefix) else {
        continue
      }
      names[UInt32(truncatingIfNeeded: enumerator.value)] = enumerator.name.dropFirst(MapType.prefix.utf8.count)
        .lowercased()
    }
    return names.isEmpty ? nil : names
  }
}
