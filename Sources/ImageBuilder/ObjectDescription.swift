internal import BPFObject
internal import ByteKit
internal import Manifest

/// What the manifest says of an object: the one place where the builder looks into objects.
enum ObjectDescription {
  /// Describes an object, and refuses whatever could not be loaded later.
  static func describe(_ bytes: [UInt8], file: Manifest.File) throws(BPFObjectError) -> Manifest.Object {
    let linked = try BPFObject.link(bytes: bytes.rawSpan, objectName: file.path)
    var helpers: Set<String> = []
    var relocations = 0
    for program in linked.programs {
      helpers.formUnion(helperNames(in: program.instructions))
      if program.coreRelocationRecordSize > 0 {
        relocations += program.coreRelocations.count / Int(program.coreRelocationRecordSize)
      }
    }
    return Manifest.Object(
      file: file, license: linked.license, programs: linked.programs.map(describe), maps: linked.maps.map(describe),
      helpers: helpers.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, coreRelocations: relocations,
      lockdown: lockdown(helpers))
  }

  private static func describe(_ program: LinkedProgram) -> Manifest.Program {
    // 0 is the attach type of cgroup_skb ingress and otherwise means that the type has none.
    let hasAttachType = program.kind.expectedAttachType != 0 || program.kind.type == 8
    return Manifest.Program(
      name: program.name, section: program.section, type: TypeNames.program(program.kind.type),
      attachType: hasAttachType ? TypeNames.attach(program.kind.expectedAttachType) : nil)
  }

  private static func describe(_ map: LinkedMap) -> Manifest.Map {
    Manifest.Map(name: map.name, type: TypeNames.map(map.type))
  }

  /// BPF_CALL (0x85) with source register 0 calls the helper of that number (include/uapi/linux/bpf.h).
  private static func helperNames(in instructions: [UInt8]) -> Set<String> {
    var names: Set<String> = []
    for start in stride(from: 0, to: instructions.count - 7, by: 8)
    where instructions[start] == 0x85 && instructions[start + 1] >> 4 == 0 {
      guard let number = try? instructions.rawSpan.u32(at: start + 4) else { continue }
      names.insert("helper_\(number)")
    }
    return names
  }

  private static func lockdown(_ helpers: Set<String>) -> [Manifest.LockdownVerdict] {
    ["none", "integrity", "confidentiality"].map { Manifest.LockdownVerdict(mode: $0, forbidden: []) }
  }
}
