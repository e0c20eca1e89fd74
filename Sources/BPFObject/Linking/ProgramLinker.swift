internal import KernelABI
internal import Base

/// Links one program: the functions it calls are appended in the order in which they are first called, depth first,
/// as libbpf does (bpf_object__reloc_code), and every reference gets its final value.
struct ProgramLinker<Source: ReferenceSource> {
  let functions: FunctionTable
  private let references: Source
  private let code: [Int: ObjectPart]
  let ext: BTFExt
  private let mapNames: [String]
  private let jumpTables: JumpTables?
  /// Program name to the function that handles its exceptions, or why there is none.
  private let exceptionCallbacks: [String: Result<Int, BPFObjectError>]

  var program: LinkedProgram
  /// Function index to the byte of the linked program where it begins.
  private(set) var places: [Int: Int] = [:]
  private(set) var order: [Int] = []
  /// The maps for jump tables, of all programs so far. They come after the object's own.
  private(set) var tables: [LinkedMap] = []
  /// The map for a table of the program, by where the table begins and the function that jumps.
  private var tableNumbers: [[Int]: Int] = [:]

  init(
    functions: FunctionTable, references: Source, code: [Int: ObjectPart], ext: BTFExt, mapNames: [String],
    exceptionCallbacks: [String: Result<Int, BPFObjectError>], jumpTables: JumpTables?
  ) {
    self.jumpTables = jumpTables
    self.functions = functions
    self.references = references
    self.code = code
    self.ext = ext
    self.mapNames = mapNames
    self.exceptionCallbacks = exceptionCallbacks
    program = LinkedProgram(name: "", section: "", kind: ProgramKind(type: .unspec))
  }

  /// - Returns: the program, the functions that are in it, and how many instructions were looked at. A program that cannot be linked has
  ///   ``LinkedProgram/linkError`` and no instructions: the others of the object need not be loaded with it.
  /// - Throws: ``BPFObjectError`` with the check `tooLarge`, which is about the work that the object makes.
  mutating func link(
    _ index: Int, kind: ProgramKind
  ) throws(BPFObjectError) -> (program: LinkedProgram, functions: [Int], instructions: Int) {
    let main = functions.functions[index]
    let empty = LinkedProgram(
      name: main.name, section: kind.isOptional ? String(main.sectionName.dropFirst()) : main.sectionName, kind: kind)
    let tableCount = tables.count
    program = empty
    places = [:]
    order = []
    tableNumbers = [:]
    do throws(BPFObjectError) {
      try place(index)
      try walk(from: index)
      // The kernel calls it, no instruction does.
      if let callback = try exceptionCallbacks[main.name]?.get(), let entered = try enter(callback) {
        try walk(from: entered)
      }
      program.edits.sort { $0.index < $1.index }
      program.externUses.sort { $0.instruction < $1.instruction }
      try appendRecords()
    } catch {
      guard error.check != .tooLarge else { throw error }
      let count = program.instructions.count / Instruction.size
      tables.removeLast(tables.count - tableCount)
      program = empty
      program.linkError = error
      return (program, order, count)
    }
    return (program, order, program.instructions.count / Instruction.size)
  }

  /// Resolves a placed function, and all that it calls.
  private mutating func walk(from index: Int) throws(BPFObjectError) {
    // The functions that are being walked, with the byte at which each goes on.
    var walks: [(function: Int, offset: Int)] = [(index, functions.functions[index].range.lowerBound)]
    while let walk = walks.last {
      let function = functions.functions[walk.function]
      let part = try part(of: function)
      var offset = walk.offset
      var entered: Int?
      while offset < function.range.upperBound, entered == nil {
        // Most instructions refer to nothing.
        let opcode = try part.u8(at: offset)
        if opcode != Instruction.loadImmediate64, opcode != Instruction.call,
          !references.isRelocated(offset, of: function.section)
        {
          offset += Instruction.size
          continue
        }
        // First the width: a load's second half must be there before it is written.
        let width = try width(at: offset, in: function, part)
        entered = try resolve(at: offset, of: walk.function, part)
        offset += width
      }
      walks[walks.count - 1].offset = offset
      if let entered {
        walks.append((entered, functions.functions[entered].range.lowerBound))
      } else {
        walks.removeLast()
      }
    }
  }

  private func part(of function: ObjectFunction) throws(BPFObjectError) -> ObjectPart {
    guard let part = code[function.section] else {
      throw BPFObjectError(.badFunction, "section `\(function.sectionName)` holds no instructions")
    }
    return part
  }

  /// Appends a function's instructions as they are in the object.
  private mutating func place(_ index: Int) throws(BPFObjectError) {
    let function = functions.functions[index]
    let start = program.instructions.count
    guard start + function.range.count <= Limits.programInstructions * Instruction.size else {
      throw BPFObjectError(
        .tooLarge, "program `\(program.name)` is too large with its subprograms",
        expected: "at most \(Limits.programInstructions) instructions")
    }
    places[index] = start
    order.append(index)
    program.instructions += try part(of: function).slice(
      at: function.range.lowerBound, count: function.range.count)
  }

  private func width(
    at offset: Int, in function: ObjectFunction, _ part: ObjectPart
  ) throws(BPFObjectError) -> Int {
    guard try part.u8(at: offset) == Instruction.loadImmediate64 else { return Instruction.size }
    guard offset + 16 <= function.range.upperBound, try part.u8(at: offset + 8) == 0 else {
      throw BPFObjectError(
        .badInstruction, "the 64-bit load at offset \(offset) of section `\(function.sectionName)` has no second half")
    }
    guard !references.isRelocated(offset + 8, of: function.section) else {
      throw BPFObjectError(
        .badRelocation,
        "a relocation is against the second half of the load at offset \(offset) of section `\(function.sectionName)`")
    }
    return 2 * Instruction.size
  }

  /// Gives one instruction its final value.
  ///
  /// - Returns: a function that was appended for it and is to be walked now.
  private mutating func resolve(
    at offset: Int, of index: Int, _ part: ObjectPart
  ) throws(BPFObjectError) -> Int? {
    let function = functions.functions[index]
    let source = try part.u8(at: offset + 1) >> 4
    let immediate = try part.u32(at: offset + 4)
    let site = (places[index] ?? 0) + offset - function.range.lowerBound
    switch try part.u8(at: offset) {
    case Instruction.loadImmediate64:
      guard let reference = try references.load(at: offset, immediate: immediate, in: function) else {
        guard source == Instruction.Load.value else {
          throw unlinked(offset, function, "a 64-bit load names a map, variable or function by number")
        }
        return nil
      }
      switch reference {
      case .map(let map):
        edit(site, source: Instruction.Load.mapIndex, UInt32(map), next: 0, .mapIndex(map: mapNames[map]))
        return nil
      case .value(let map, let value):
        edit(
          site, source: Instruction.Load.mapIndexValue, UInt32(map), next: value,
          .mapValue(map: mapNames[map], offset: value))
        return nil
      case .function(let target):
        let entered = try enter(target)
        let reason = InstructionEdit.Reason.functionAddress(function: functions.functions[target].name)
        edit(site, source: Instruction.Load.function, distance(from: site, to: target), next: 0, reason)
        return entered
      case .extern(let extern):
        program.externUses.append(ExternUse(instruction: site / Instruction.size, extern: extern))
        return nil
      case .jumpTable(let table):
        let number = try jumpTable(table, of: index)
        let reason = InstructionEdit.Reason.mapValue(map: tables[number].name, offset: 0)
        edit(site, source: Instruction.Load.mapIndexValue, UInt32(mapNames.count + number), next: 0, reason)
        return nil
      }
    case Instruction.call:
      switch source {
      case Instruction.Call.helper where !references.isRelocated(offset, of: function.section): return nil
      case Instruction.Call.function:
        let reference = try references.callee(at: offset, immediate: immediate, in: function)
        guard case .function(let target) = reference else {
          if case .extern(let extern) = reference {
            program.externUses.append(ExternUse(instruction: site / Instruction.size, extern: extern))
          }
          return nil
        }
        let entered = try enter(target)
        let reason = InstructionEdit.Reason.call(function: functions.functions[target].name)
        edit(site, source: source, distance(from: site, to: target), next: nil, reason)
        return entered
      default: throw unlinked(offset, function, "a call goes to something that is neither helper nor function")
      }
    default:
      guard !references.isRelocated(offset, of: function.section) else {
        throw BPFObjectError(
          .badRelocation,
          "instruction \(offset / 8) of section `\(function.sectionName)` has a relocation, but refers to nothing",
          expected: "a 64-bit load or a call", found: "opcode \(try part.u8(at: offset))")
      }
      return nil
    }
  }

  /// The number of the map for a table that a placed function jumps by.
  private mutating func jumpTable(_ table: Range<Int>, of index: Int) throws(BPFObjectError) -> Int {
    if let number = tableNumbers[[table.lowerBound, table.upperBound, index]] { return number }
    guard let jumpTables, let place = places[index],
      tables.reduce(table.count / 8, { $0 + $1.jumpTargets.count }) <= Limits.jumpTargets
    else {
      throw BPFObjectError(
        .tooLarge, "the jump tables of program `\(program.name)` are too large",
        expected: "at most \(Limits.jumpTargets) targets in all")
    }
    let targets = try jumpTables.targets(of: table, in: functions.functions[index], at: place)
    tables.append(JumpTables.map(targets, of: program.name, number: tableNumbers.count))
    tableNumbers[[table.lowerBound, table.upperBound, index]] = tables.count - 1
    return tables.count - 1
  }

  private mutating func enter(_ target: Int) throws(BPFObjectError) -> Int? {
    if places[target] != nil { return nil }
    try place(target)
    return target
  }

  /// Instructions from the one after `site` to a function.
  private func distance(from site: Int, to target: Int) -> UInt32 {
    let instructions = ((places[target] ?? 0) - site) / Instruction.size - 1
    return UInt32(bitPattern: Int32(truncatingIfNeeded: instructions))
  }

  /// Writes an instruction's operand. The site is inside the program: its function was appended before.
  private mutating func edit(
    _ site: Int, source: UInt8, _ immediate: UInt32, next: UInt32?, _ reason: InstructionEdit.Reason
  ) {
    let old = Self.slots(program.instructions, at: site)
    program.instructions[site + 1] = program.instructions[site + 1] & 15 | source << 4
    program.instructions.storeLittleEndian(immediate, at: site + 4)
    if let next { program.instructions.storeLittleEndian(next, at: site + 12) }
    let changed = Self.slots(program.instructions, at: site) != old
    if changed { program.edits.append(InstructionEdit(index: site / Instruction.size, reason: reason)) }
  }

  /// An instruction and the one after it, as numbers to compare.
  private static func slots(_ instructions: [UInt8], at site: Int) -> [UInt64] {
    let span = instructions.rawSpan
    return [(try? span.u64(at: site)) ?? 0, (try? span.u64(at: site + Instruction.size)) ?? 0]
  }

  private func unlinked(_ offset: Int, _ function: ObjectFunction, _ what: String) -> BPFObjectError {
    BPFObjectError(
      .badInstruction,
      "instruction \(offset / 8) of section `\(function.sectionName)` cannot be linked: \(what)",
      expected: "a relocation that says what is meant", found: "a bare number",
      why: "such numbers are file descriptors or ids of whoever loads the object")
  }
}
