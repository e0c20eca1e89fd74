internal import KernelABI
internal import Base

/// The structures of functions in `.struct_ops` and `.struct_ops.link`.
package enum StructOpsMaps {
  private static let linkFlag: UInt32 = 1 << 13

  static func isStructOps(_ name: String) -> Bool {
    // Every section is asked, and few begin so.
    guard name.utf8.first == UInt8(ascii: "?") || name.hasPrefix(".struct_ops") else { return false }
    let name = name.drop { $0 == "?" }
    return name == ".struct_ops" || name == ".struct_ops.link"
  }

  /// - Parameter btf: completed, so that offsets are final.
  static func read(_ elf: ELFFile, _ btf: BTF, _ functions: FunctionTable) throws(BPFObjectError) -> [StructOps] {
    var maps: [StructOps] = []
    for section in elf.sections where isStructOps(section.name) && section.size > 0 {
      _ = try elf.section(named: section.name)
      guard let id = btf.typeID(named: section.name, kind: .dataSection) else {
        throw BPFObjectError(
          .badMap, "`.BTF` does not describe section `\(section.name)`", next: "compile the object with -g")
      }
      let contents = try elf.contents(of: section)
      let relocations = try elf.relocations(of: section)
      let variables = try btf.variables(of: btf.type(id))
      guard variables.count <= Limits.structOps else {
        throw BPFObjectError(
          .tooLarge, "section `\(section.name)` holds too many maps", expected: "at most \(Limits.structOps)",
          found: "\(variables.count)")
      }
      for relocation in relocations
      where !variables.contains(where: {
        relocation.offset >= Int($0.offset) && relocation.offset - Int($0.offset) < Int($0.size)
      }) {
        throw BPFObjectError(
          .badRelocation, "a relocation at offset \(relocation.offset) of section `\(section.name)` is in no variable")
      }
      for variable in variables {
        let declaration = try btf.type(variable.type)
        let name = try btf.name(of: declaration)
        let type = try btf.resolved(declaration.sizeOrType)
        let typeName = try btf.name(of: type)
        guard type.kind == .structure, !typeName.isEmpty, type.sizeOrType == variable.size else {
          throw BPFObjectError(
            .badMap, "struct_ops map `\(name)` is not a variable of a named structure", found: "\(type.kind)")
        }
        let start = Int(variable.offset)
        var value = try contents.slice(at: start, count: Int(variable.size))
        var slots: [StructOps.Slot] = []
        var filled: Set<Int> = []
        for relocation in relocations where relocation.offset >= start && relocation.offset - start < value.count {
          let offset = relocation.offset - start
          let symbol = elf.symbols[relocation.symbol]
          guard offset + 8 <= value.count, offset.isMultiple(of: 8), filled.insert(offset).inserted,
            let place = Int(exactly: symbol.value &+ (try contents.u64(at: relocation.offset))),
            let index = functions.function(startingAt: place, of: symbol.section), functions.functions[index].isProgram
          else {
            throw BPFObjectError(
              .badRelocation, "member at offset \(offset) of struct_ops map `\(name)` points to no program",
              expected: "a program of this object", found: "symbol `\(symbol.name)`")
          }
          value.storeLittleEndian(UInt64(0), at: offset)
          slots.append(StructOps.Slot(offset: offset, program: functions.functions[index].name))
        }
        slots.sort { $0.offset < $1.offset }
        maps.append(
          StructOps(
            name: name, typeName: withoutFlavour(typeName), typeID: type.id,
            flags: section.name.hasSuffix(".link") ? linkFlag : 0, value: value, programs: slots))
      }
    }
    return maps
  }

  /// `tcp_congestion_ops___local` stands for the kernel's `tcp_congestion_ops`.
  package static func withoutFlavour(_ name: String) -> String {
    guard let range = name.firstPlace(of: "___"), range.lowerBound > name.startIndex else { return name }
    return String(name[..<range.lowerBound])
  }
}
