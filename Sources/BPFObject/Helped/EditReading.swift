internal import Base
internal import KernelABI
package import LinkProtocol

/// What a helper reads of an object for its loader.
package struct EditReading: Sendable {
  /// Edits and maps; what is said of programs is the analysis's.
  package var answer: LinkAnswer
  /// The object as linking in one process makes it.
  package let object: LinkedObject
  /// Where each of the object's programs begins, in their order.
  package let programs: [ObjectLayout.Place]

  /// Why there are no edits.
  package enum Failure: Error, Equatable {
    case object(BPFObjectError)
    case outside(LinkFeature)
  }

  /// Links an object, and reads its relocations once more as edits.
  package init(_ bytes: RawSpan) throws(Failure) {
    let tables: ObjectTables
    do throws(BPFObjectError) { tables = try ObjectTables(bytes, objectName: "") } catch { throw .object(error) }
    if let feature = tables.outside { throw .outside(feature) }
    do throws(BPFObjectError) {
      object = try BPFObject.link(bytes: bytes, allowsExterns: true)
    } catch {
      throw .object(error)
    }
    if !object.typeEdits.isEmpty { throw .outside(.typeEdits) }
    let declared = object.maps.prefix(tables.mapVariables.count)
    if declared.contains(where: { !$0.inner.isEmpty }) { throw .outside(.mapContents) }
    var maps: [MapClaim] = []
    for (map, variable) in zip(declared, tables.mapVariables) { maps.append(MapClaim(map, at: variable.offset)) }
    let edits: [LinkEdit]?
    do throws(BPFObjectError) { edits = try tables.edits() } catch { throw .object(error) }
    guard let edits else { throw .outside(.strayRelocations) }
    answer = LinkAnswer(edits: edits, maps: maps, programs: [])
    programs = tables.functions.functions.filter(\.isProgram).map {
      ObjectLayout.Place(section: $0.section, offset: $0.range.lowerBound)
    }
  }
}

extension MapClaim {
  /// A map as it was linked.
  fileprivate init(_ map: LinkedMap, at start: Int) {
    self.init(start: UInt32(truncatingIfNeeded: start), type: map.unknownType ?? map.type.rawValue)
    keySize = map.keySize
    valueSize = map.valueSize
    maxEntries = map.maxEntries
    flags = map.flags
    extra = map.mapExtra
    numaNode = map.numaNode
    keyType = map.btfKeyTypeID
    valueType = map.btfValueTypeID
    pinsByName = map.pinsByName
  }
}

extension ObjectTables {
  /// The object's relocations of instructions as edits, in their order; nil where one leads to nothing that an edit has.
  fileprivate func edits() throws(BPFObjectError) -> [LinkEdit]? {
    var numbers: [ObjectLayout.Place: Int] = [:]
    for (number, place) in layout.functions.enumerated() { numbers[place] = number }
    var edits: [LinkEdit] = []
    for section in elf.sections where section.holdsInstructions {
      let code = try elf.contents(of: section)
      var entries: [(relocation: ELFRelocation, position: Int)] = []
      var relocations = try elf.relocations(of: section)[...]
      for index in elf.tablesByTarget[UInt32(truncatingIfNeeded: section.index)] ?? []
      where elf.sections[index].type == ELFSection.Constant.rel {
        let table = elf.sections[index]
        for position in stride(from: table.offset, to: table.offset + table.size, by: ELFFile.relocationSize) {
          if let relocation = relocations.popFirst() { entries.append((relocation, position)) }
        }
      }
      entries.sort { $0.relocation.offset < $1.relocation.offset }
      for entry in entries {
        guard let edit = try edit(entry.relocation, at: entry.position, section, code, numbers) else { return nil }
        edits.append(edit)
      }
    }
    return edits
  }

  private func edit(
    _ relocation: ELFRelocation, at position: Int, _ section: ELFSection, _ code: ObjectPart,
    _ numbers: [ObjectLayout.Place: Int]
  ) throws(BPFObjectError) -> LinkEdit? {
    let symbol = elf.symbols[relocation.symbol]
    guard symbol.section > 0, symbol.section < elf.sections.count, let value = Int(exactly: symbol.value) else {
      return nil
    }
    let immediate = Int(Int32(bitPattern: try code.u32(at: relocation.offset + 4)))
    let isCall = relocation.type == ELFRelocation.call
    let place = isCall ? value + (immediate + 1) * Instruction.size : value + immediate
    let target: (kind: LinkEdit.Kind, index: Int, offset: Int)
    switch layout.sections[symbol.section].role {
    case .maps:
      guard let number = layout.mapStarts.firstIndex(of: place) else { return nil }
      target = (.map, number, 0)
    case .data: target = (.value, symbol.section, place)
    case .code:
      guard let number = numbers[ObjectLayout.Place(section: symbol.section, offset: place)] else { return nil }
      target = (isCall ? .call : .function, number, 0)
    case .relocations, .symbols, .other: return nil
    }
    guard let index = UInt32(exactly: target.index), let offset = UInt32(exactly: target.offset) else { return nil }
    return LinkEdit(
      section: UInt32(section.index), instruction: UInt32(relocation.offset / Instruction.size), kind: target.kind,
      index: index, offset: offset, relocation: UInt32(position))
  }
}
