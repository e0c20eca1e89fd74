/// What an instruction refers to, read from its relocation.
enum Reference: Equatable, Sendable {
  /// A map, by its index.
  case map(Int)
  /// A byte in a data section's map.
  case value(map: Int, offset: UInt32)
  /// A function, by its index.
  case function(Int)
  /// A jump table, by its bytes in their section.
  case jumpTable(Range<Int>)
  /// Something of the kernel's, by its index among the externs.
  case extern(Int)
}

/// What says which instructions refer to something, and to what.
protocol ReferenceSource: Sendable {
  /// Whether the instruction at this byte of a section refers to something.
  func isRelocated(_ offset: Int, of section: Int) -> Bool
  /// What a 64-bit load refers to, or nil when it loads a plain number.
  func load(at offset: Int, immediate: UInt32, in function: ObjectFunction) throws(BPFObjectError) -> Reference?
  /// The function that a call goes to: one of the object's, or one of the kernel's.
  func callee(at offset: Int, immediate: UInt32, in function: ObjectFunction) throws(BPFObjectError) -> Reference
}

/// The relocations of every section with instructions, by instruction.
struct References: ReferenceSource {
  private let elf: ELFFile
  private let functions: FunctionTable
  private let declared: DeclaredMaps
  /// Section index to map index, for data sections.
  private let dataMaps: [Int: Int]
  private let dataSizes: [Int: UInt32]
  private let relocations: [ELFRelocation]
  /// Indexes of ``relocations`` by section, and there by instruction, -1 for none; empty for a section without
  /// instructions. Every instruction is asked about, so this is no dictionary.
  private let slots: [[Int32]]
  private let externs: Externs
  /// The index of the map of configuration values.
  private let configurationMap: Int?
  /// The section of jump tables.
  private let jumpTables: Int?

  init(
    _ elf: ELFFile, functions: FunctionTable, declared: DeclaredMaps, data: [(section: Int, map: LinkedMap)],
    externs: Externs, configurationMap: Int?, arena: ArenaData?, jumpTables: JumpTables?
  ) throws(BPFObjectError) {
    self.elf = elf
    self.functions = functions
    self.declared = declared
    self.externs = externs
    self.configurationMap = configurationMap
    self.jumpTables = jumpTables?.section
    var dataMaps: [Int: Int] = [:]
    var dataSizes: [Int: UInt32] = [:]
    for (index, entry) in data.enumerated() {
      dataMaps[entry.section] = declared.maps.count + index
      dataSizes[entry.section] = entry.map.valueSize
    }
    if let arena {
      dataMaps[arena.section] = arena.map
      dataSizes[arena.section] = arena.size
    }
    self.dataMaps = dataMaps
    self.dataSizes = dataSizes
    var relocations: [ELFRelocation] = []
    var slots = [[Int32]](repeating: [], count: elf.sections.count)
    for section in elf.sections where section.holdsInstructions {
      var own = [Int32](repeating: -1, count: section.size / Instruction.size + 1)
      for relocation in try elf.relocations(of: section) {
        // The offset was found to be inside the section.
        let slot = relocation.offset / Instruction.size
        guard relocation.offset.isMultiple(of: Instruction.size), own[slot] < 0 else {
          throw BPFObjectError(
            .badRelocation, "a relocation at offset \(relocation.offset) of section `\(section.name)` is misplaced",
            expected: "at most one, at the start of an instruction")
        }
        // An object of 32 MiB has fewer than 2^31 of them.
        own[slot] = Int32(truncatingIfNeeded: relocations.count)
        relocations.append(relocation)
      }
      slots[section.index] = own
    }
    self.relocations = relocations
    self.slots = slots
  }

  /// Whether the instruction at this byte of a section has a relocation.
  func isRelocated(_ offset: Int, of section: Int) -> Bool { slot(at: offset, of: section) >= 0 }

  private func slot(at offset: Int, of section: Int) -> Int {
    guard section >= 0, section < slots.count, offset >= 0, offset / Instruction.size < slots[section].count,
      offset.isMultiple(of: Instruction.size)
    else { return -1 }
    return Int(slots[section][offset / Instruction.size])
  }

  private func relocation(at offset: Int, of section: Int) -> ELFRelocation? {
    let slot = slot(at: offset, of: section)
    return slot < 0 ? nil : relocations[slot]
  }

  /// What a 64-bit load refers to, or nil when it loads a plain number.
  func load(
    at offset: Int, immediate: UInt32, in function: ObjectFunction
  ) throws(BPFObjectError) -> Reference? {
    guard let relocation = relocation(at: offset, of: function.section) else { return nil }
    let symbol = elf.symbols[relocation.symbol]
    guard relocation.type == ELFRelocation.wide else {
      throw bad(relocation, symbol, function, "R_BPF_64_64 for a 64-bit load")
    }
    if symbol.isUndefined { return try extern(symbol, plus: immediate, relocation, function) }
    let place = try place(of: symbol, plus: immediate, relocation, function)
    if symbol.section == declared.section {
      guard let map = declared.map(startingAt: place) else {
        throw bad(relocation, symbol, function, "the start of a map")
      }
      return .map(map)
    }
    if let map = dataMaps[symbol.section], let size = dataSizes[symbol.section] {
      guard place < Int(size), let value = UInt32(exactly: place) else {
        throw bad(relocation, symbol, function, "an offset below \(size)")
      }
      return .value(map: map, offset: value)
    }
    if let target = functions.function(startingAt: place, of: symbol.section) { return .function(target) }
    if symbol.section == jumpTables { return try jumpTable(symbol, at: place, relocation, function) }
    throw bad(relocation, symbol, function, "a map, a variable or a function of this object")
  }

  private func jumpTable(
    _ symbol: ELFSymbol, at place: Int, _ relocation: ELFRelocation, _ function: ObjectFunction
  ) throws(BPFObjectError) -> Reference {
    let left = elf.sections[symbol.section].size - place
    guard UInt64(place) == symbol.value, symbol.value.isMultiple(of: 8), symbol.size.isMultiple(of: 8), symbol.size > 0,
      symbol.size <= UInt64(left)
    else { throw bad(relocation, symbol, function, "a jump table of whole entries, in its section") }
    return .jumpTable(place..<place + Int(symbol.size))
  }

  private func extern(
    _ symbol: ELFSymbol, plus addend: UInt32, _ relocation: ELFRelocation, _ function: ObjectFunction
  ) throws(BPFObjectError) -> Reference {
    if let field = externs.field(named: symbol.name), let configurationMap {
      guard Int(addend) < field.size else {
        throw bad(relocation, symbol, function, "an offset below \(field.size)")
      }
      return .value(map: configurationMap, offset: UInt32(field.offset) + addend)
    }
    guard let index = externs.symbol(named: symbol.name), addend == 0 else {
      throw bad(relocation, symbol, function, "a kernel symbol, without an offset")
    }
    return .extern(index)
  }

  /// The function that a call goes to: one of the object's, or one of the kernel's.
  func callee(
    at offset: Int, immediate: UInt32, in function: ObjectFunction
  ) throws(BPFObjectError) -> Reference {
    // A call's operand counts instructions from the next one; the relocation counts from the symbol.
    let distance = (Int(Int32(bitPattern: immediate)) + 1) * Instruction.size
    guard let relocation = relocation(at: offset, of: function.section) else {
      return .function(try functions.callee(at: offset, distance: distance, in: function))
    }
    let symbol = elf.symbols[relocation.symbol]
    guard relocation.type == ELFRelocation.call else {
      throw bad(relocation, symbol, function, "R_BPF_64_32 for a call")
    }
    if symbol.isUndefined {
      guard let index = externs.symbol(named: symbol.name), case .function = externs.symbols[index].kind,
        distance == 0
      else { throw bad(relocation, symbol, function, "a kernel function") }
      return .extern(index)
    }
    let start = try place(of: symbol, plus: 0, relocation, function)
    if let target = functions.function(startingAt: start + distance, of: symbol.section) { return .function(target) }
    throw bad(relocation, symbol, function, "a function of this object")
  }

  private func place(
    of symbol: ELFSymbol, plus addend: UInt32, _ relocation: ELFRelocation, _ function: ObjectFunction
  ) throws(BPFObjectError) -> Int {
    guard symbol.section > 0, symbol.section < elf.sections.count,
      symbol.value <= UInt64(elf.sections[symbol.section].size)
    else { throw bad(relocation, symbol, function, "a symbol inside a section") }
    let place = Int(symbol.value) + Int(Int32(bitPattern: addend))
    guard place >= 0 else { throw bad(relocation, symbol, function, "a place inside the section") }
    return place
  }

  private func bad(
    _ relocation: ELFRelocation, _ symbol: ELFSymbol, _ function: ObjectFunction, _ expected: String
  ) -> BPFObjectError {
    var name = symbol.name
    if symbol.section > 0, symbol.section < elf.sections.count {
      if name.isEmpty { name = elf.sections[symbol.section].name }
      name += "` in section `\(elf.sections[symbol.section].name)"
    }
    return BPFObjectError(
      .badRelocation,
      "instruction \(relocation.offset / 8) of section `\(function.sectionName)` refers to `\(name)`, "
        + "which it cannot use",
      expected: expected, found: "relocation type \(relocation.type), symbol value \(symbol.value)")
  }
}
