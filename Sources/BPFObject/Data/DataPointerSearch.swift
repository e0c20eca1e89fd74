internal import KernelABI

/// Finds addresses in data sections, and who may read them.
struct DataPointerSearch: Sendable {
  /// In the order of their sections and offsets.
  private(set) var found: [DataPointers] = []
  /// Where each section's begin in ``found``, by the section's name; its map has another.
  private var places: [String: Range<Int>] = [:]

  private static let namedTargets = 4

  /// Whether sections are looked through at all.
  private let isAsked: Bool

  init(isAsked: Bool = true) { self.isAsked = isAsked }

  /// Looks through a section's relocations.
  ///
  /// - Parameter type: the DATASEC of the section; nil where the types do not describe it.
  mutating func look(into section: ELFSection, of elf: ELFFile, _ btf: BTF, type: BTFType?) throws(BPFObjectError) {
    guard isAsked else { return }
    let relocations = try elf.relocations(of: section).sorted { $0.offset < $1.offset }
    guard !relocations.isEmpty else { return }
    let contents = section.type == ELFSection.Constant.nobits ? nil : try elf.contents(of: section)
    var variables = (try type.map { type throws(BPFObjectError) in try btf.variables(of: type) } ?? [])[...]
    let start = found.count
    for relocation in relocations {
      // Both are in the order of their offsets.
      while let next = variables.first, Int(next.offset) + Int(next.size) <= relocation.offset {
        variables = variables.dropFirst()
      }
      let holder = variables.first.flatMap { Int($0.offset) <= relocation.offset ? $0 : nil }
      let symbol = elf.symbols[relocation.symbol]
      let target =
        symbol.name.isEmpty && symbol.section < elf.sections.count
        ? elf.sections[symbol.section].name : symbol.name
      // What a program reads there: 8 bytes, or fewer at the section's end.
      let stored = try contents.map { contents throws(BPFObjectError) in
        try contents.slice(at: relocation.offset, count: min(8, contents.count - relocation.offset))
      }
      let isZero = stored?.allSatisfy { $0 == 0 } ?? true
      if let last = found.last, found.count > start, last.range.contains(relocation.offset) {
        let index = found.count - 1
        found[index].count += 1
        found[index].areZero = last.areZero && isZero
        if last.targets.count < Self.namedTargets, !last.targets.contains(target) {
          found[index].targets.append(target)
        }
        continue
      }
      let name = try holder.map { holder throws(BPFObjectError) in try btf.name(of: btf.type(holder.type)) }
      let range = holder.map { Int($0.offset)..<Int($0.offset) + Int($0.size) } ?? relocation.offset..<section.size
      found.append(
        DataPointers(
          section: section.name, variable: name, offset: relocation.offset, count: 1, targets: [target],
          areZero: isZero, range: range))
    }
    places[section.name] = start..<found.count
  }

  /// Notes the instructions that take the address of one of the variables.
  ///
  /// - Parameter sections: the sections of data maps, by the maps' names.
  mutating func note(_ program: LinkedProgram, sections: [String: String]) {
    guard !found.isEmpty else { return }
    for edit in program.edits {
      guard case .mapValue(let map, let offset) = edit.reason, let section = sections[map],
        let index = index(of: Int(offset), in: section)
      else { continue }
      found[index].users.append(.init(program: program.name, instruction: edit.index))
    }
  }

  /// The variable with addresses that holds this byte of a section.
  private func index(of offset: Int, in section: String) -> Int? {
    guard let range = places[section] else { return nil }
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = (low + high) / 2
      if found[middle].range.lowerBound <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > range.lowerBound, found[low - 1].range.contains(offset) else { return nil }
    return low - 1
  }
}
