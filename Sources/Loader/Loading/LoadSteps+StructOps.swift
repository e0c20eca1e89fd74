internal import KernelABI
internal import BPFObject
internal import Base
internal import Linux

/// Structures of functions that the kernel calls (struct_ops): a TCP congestion control, a scheduler …
///
/// As with libbpf, loading makes the map; attaching registers it. Registered with a link (`.struct_ops.link`), it goes
/// with the link; without, it stays until it is deleted from its map.
extension LoadSteps {
  /// The object's structures as the running kernel lays them out.
  func structureLayouts() throws(BPFLoadError) -> [StructOps.Layout] {
    guard let first = linked.structOps.first else { return [] }
    return try kernelTypes.layouts(of: linked.structOps, object: linked.btf, for: first.name)
  }

  /// Makes the maps, and registers them when the object is to be attached.
  func makeStructures(
    _ layouts: [StructOps.Layout], programs objects: [KernelObject], btf: KernelObject?,
    registrations: inout Registrations, pinnedAs pins: PinLayout, moving movable: inout MovableLinks
  ) throws(BPFLoadError) -> (maps: [KernelObject], links: [MadeLink]) {
    var maps: [KernelObject] = []
    var links: [MadeLink] = []
    for (structure, layout) in zip(linked.structOps, layouts) {
      var value = layout.value
      for slot in layout.programs {
        guard let index = programs.firstIndex(where: { $0.name == slot.program }) else {
          throw .noSuchSlotTarget(map: structure.name, target: slot.program)
        }
        guard slot.offset + 8 <= value.count else { continue }
        objects[index].descriptor.withRaw { value.storeLittleEndian(UInt64(UInt32(bitPattern: $0)), at: slot.offset) }
      }
      var attributes = BPF.MapAttributes(
        type: .structOps, keySize: 4, valueSize: layout.valueSize, maxEntries: 1)
      attributes.flags = structure.flags
      attributes.name = LinkedMap(origin: .declared, name: structure.name, type: attributes.type).kernelName
      attributes.kernelValueTypeID = layout.valueTypeID
      let hasLink = structure.flags & MapFlag.link.rawValue != 0
      let place = "struct_ops \(structure.typeName)"
      do throws(SystemError) {
        let map = try BPF.createMap(attributes, btf: btf)
        maps.append(map)
        // With a link, writing the value only prepares it; without, it registers.
        if hasLink { try BPF.update(map, key: [0, 0, 0, 0], value: value) }
      } catch {
        if let refusal = refusedEntry(error, "struct_ops `\(structure.name)`") { throw refusal }
        throw .mapRefused(map: structure.name, shape: "struct_ops `\(structure.typeName)`", error: error)
      }
      guard options.attaches, let map = maps.last else { continue }
      let pin = pins.link(structure.name)
      let moved = hasLink ? try movable.takeStructure(structure.name, pin, in: place, for: map) : nil
      do throws(SystemError) {
        if hasLink {
          let link = if let moved { moved } else { try BPF.linkStructure(map) }
          links.append(MadeLink(program: structure.name, place: place, pinName: structure.name, object: link))
        } else {
          try registrations.register(map, structure.name, value: value)
        }
      } catch {
        if let refusal = refusedEntry(error, "struct_ops `\(structure.name)`") { throw refusal }
        throw .mapRefused(map: structure.name, shape: "struct_ops `\(structure.typeName)`", error: error)
      }
    }
    return (maps, links)
  }
}

/// Structures that were registered without a link. They are unregistered again unless they are kept: what is registered
/// holds its map, also when the process ends.
struct Registrations: ~Copyable {
  private var maps: [(map: KernelObject, undo: Cleanup.Undo)] = []
  /// The names of the structures in the object.
  private(set) var names: [String] = []
  private var isKept = false

  init() {}

  deinit {
    for (map, undo) in maps {
      if !isKept { Self.unregister(map) }
      Cleanup.forget(undo)
    }
  }

  /// Registers the structure of functions with that value.
  mutating func register(_ map: KernelObject, _ name: String, value: [UInt8]) throws(SystemError) {
    // Undone also when a signal ends the process before the registration is kept.
    let undo = try Cleanup.making(undo: { _ in Self.unregister(map) }) { () throws(SystemError) in
      try BPF.update(map, key: [0, 0, 0, 0], value: value)
    }
    maps.append((map, undo))
    names.append(name)
  }

  mutating func keep() {
    isKept = true
    for (_, undo) in maps { Cleanup.forget(undo) }
  }

  private static func unregister(_ map: KernelObject) { _ = try? BPF.delete(map, key: [0, 0, 0, 0]) }
}
