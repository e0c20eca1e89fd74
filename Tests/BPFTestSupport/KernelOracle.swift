internal import KernelABI
package import BPFObject
internal import Base
@_spi(ProgramLoading) package import Linux
internal import Loader

/// Hands a linked object to the running kernel as it is: no fix-up, no retry, no sanitising.
package struct KernelOracle {
  /// The kernel's refusal, with what it wrote.
  package struct Refusal: Error {
    package let error: SystemError
    package let log: String
  }

  package let btf: KernelObject
  package let maps: [KernelObject]
  package let object: LinkedObject

  package static let isAvailable: Bool = {
    (try? BPF.createMap(BPF.MapAttributes(type: .array, keySize: 4, valueSize: 4, maxEntries: 1))) != nil
  }()

  package init(_ object: LinkedObject) throws {
    self.object = object
    var log = BPF.Log(level: 1, capacity: 1 << 20)
    do { btf = try BPF.loadBTF(object.btf, log: &log) } catch {
      throw Unexpected("BTF refused: \(error)\n\(log.text)")
    }
    var maps: [KernelObject] = []
    for map in object.maps { maps.append(try Self.create(map, btf)) }
    self.maps = maps
  }

  private static func create(_ map: LinkedMap, _ btf: KernelObject) throws -> KernelObject {
    // Sizes that an object leaves to its loader. Storage maps and bloom filters have none.
    let isSized = map.maxEntries > 0 || map.type.name.hasSuffix("_storage")
    var attributes = BPF.MapAttributes(
      type: map.type, keySize: map.keySize,
      valueSize: map.valueSize == 0 && map.type == .stackTrace ? 8 : map.valueSize,
      maxEntries: isSized ? map.maxEntries : 1)
    attributes.flags = map.flags
    attributes.extra = map.mapExtra
    attributes.name = map.kernelName
    attributes.keyTypeID = map.btfKeyTypeID
    attributes.valueTypeID = map.btfValueTypeID
    let inner = try map.inner.first.map { try create($0, btf) }
    do {
      let made = try BPF.createMap(attributes, btf: btf, inner: inner)
      if !map.initialValue.isEmpty { try BPF.update(made, key: [0, 0, 0, 0], value: map.initialValue) }
      if map.isFrozen { try BPF.freeze(made) }
      return made
    } catch {
      throw Unexpected("map \(map.name) refused: \(error)")
    }
  }

  /// Loads a program that the kernel is expected to take; the error holds its log when it does not.
  package func load(_ program: LinkedProgram, attachBTFID: UInt32 = 0) throws -> KernelObject {
    var log = BPF.Log(level: 1, capacity: 1 << 20)
    do { return try submit(program, attachBTFID, &log) } catch {
      throw Unexpected("program \(program.name) refused: \(error)\n\(log.text)")
    }
  }

  /// Loads a program that the kernel may refuse.
  package func tryLoad(_ program: LinkedProgram) throws -> KernelObject {
    var log = BPF.Log(level: 1, capacity: 1 << 20)
    do { return try submit(program, 0, &log) } catch { throw Refusal(error: error, log: log.text) }
  }

  /// Everything the kernel says while it loads a program, whether or not it takes it.
  package func log(of program: LinkedProgram, attachBTFID: UInt32) throws -> String {
    var log = BPF.Log(level: 2, capacity: 8 << 20)
    _ = try? submit(program, attachBTFID, &log)
    return log.text
  }

  private func submit(_ program: LinkedProgram, _ attachBTFID: UInt32, _ log: inout BPF.Log) throws(SystemError)
    -> KernelObject
  {
    var attributes = BPF.ProgramAttributes(program, license: object.license)
    attributes.attachBTFID = attachBTFID
    return try BPF.loadProgram(attributes, btf: btf, maps: maps, log: &log)
  }

  /// A number in a data section's map, by the map's name.
  package func value(in map: String, at offset: Int) throws -> UInt32 {
    guard let index = object.maps.firstIndex(where: { $0.name == map }),
      let value = try BPF.lookup(maps[index], key: [0, 0, 0, 0], valueSize: Int(object.maps[index].valueSize))
    else { throw Unexpected("no value in the map \(map)") }
    return try value.rawSpan.u32(at: offset)
  }
}
