internal import Base

/// The records of `.BTF.ext`, moved to where linking put their instructions.
extension ProgramLinker {
  mutating func appendRecords() throws(BPFObjectError) {
    program.funcInfoRecordSize = UInt32(ext.functions.recordSize)
    program.lineInfoRecordSize = UInt32(ext.lines.recordSize)
    program.coreRelocationRecordSize = UInt32(ext.relocations.recordSize)
    let part = ext.part
    let main = functions.functions[order[0]]
    guard try hasFunctionRecords() else { return }
    let hasLines = !ext.lines.records(in: main.range, of: main.sectionName).isEmpty
    for index in order {
      let function = functions.functions[index]
      let place = places[index] ?? 0
      let infos = ext.functions.records(in: function.range, of: function.sectionName)
      guard let info = infos.first, infos.count == 1, info.instructionOffset == function.range.lowerBound else {
        throw BPFObjectError(
          .noFuncInfo, "`.BTF.ext` does not describe function `\(function.name)`",
          expected: "one func_info record at its first instruction", found: "\(infos.count) records",
          why: "without them the kernel would silently ignore the program's CO-RE relocations",
          next: "compile the object with -g, and keep its .BTF.ext")
      }
      try Self.append(info, ext.functions.recordSize, of: part, to: &program.funcInfo, at: place / Instruction.size)
      if hasLines { try appendLines(of: function, at: place) }
      for record in ext.relocations.records(in: function.range, of: function.sectionName) {
        let offset = place + record.instructionOffset - function.range.lowerBound
        try Self.append(record, ext.relocations.recordSize, of: part, to: &program.coreRelocations, at: offset)
      }
    }
  }

  /// Whether the program's functions have records; without any it is loaded without, where nothing of it needs them.
  private func hasFunctionRecords() throws(BPFObjectError) -> Bool {
    let main = functions.functions[order[0]]
    guard ext.functions.records(in: main.range, of: main.sectionName).isEmpty else { return true }
    for index in order {
      let function = functions.functions[index]
      guard ext.relocations.records(in: function.range, of: function.sectionName).isEmpty else { return true }
    }
    for edit in program.edits {
      guard case .functionAddress(let callback) = edit.reason else { continue }
      throw BPFObjectError(
        ext.part.count == 0 ? .noBTFExt : .noFuncInfo,
        "no record in `.BTF.ext` describes function `\(main.name)`, which hands out the address of `\(callback)`",
        expected: "func_info records", found: ext.part.count == 0 ? "no section `.BTF.ext`" : "none",
        why: "the kernel takes the address of a function only from a program that says what its functions are",
        next: "compile the object with -g, and keep its .BTF.ext")
    }
    return false
  }

  private mutating func appendLines(of function: ObjectFunction, at place: Int) throws(BPFObjectError) {
    let lines = ext.lines.records(in: function.range, of: function.sectionName)
    guard lines.first?.instructionOffset == function.range.lowerBound else {
      throw BPFObjectError(
        .malformedBTFExt, "`.BTF.ext` has source lines for program `\(program.name)`, but not for `\(function.name)`",
        expected: "a line_info record at the first instruction of every function, or none at all",
        next: "compile all of the object with -g")
    }
    let part = ext.part
    // Once: room that is asked for exactly, again and again, is copied each time.
    if program.lineInfo.isEmpty { program.lineInfo.reserveCapacity(lines.count * ext.lines.recordSize) }
    for record in lines {
      let offset = place + record.instructionOffset - function.range.lowerBound
      try Self.append(record, ext.lines.recordSize, of: part, to: &program.lineInfo, at: offset / Instruction.size)
    }
  }

  /// Appends a record, which begins with its instruction's offset, with another offset. Static, as otherwise the linker
  /// would be copied for each record.
  private static func append(
    _ record: BTFExt.Record, _ size: Int, of part: ObjectPart, to records: inout [UInt8], at offset: Int
  ) throws(BPFObjectError) {
    let start = records.count
    try part.append(to: &records, at: record.position, count: size)
    records.storeLittleEndian(UInt32(truncatingIfNeeded: offset), at: start)
  }
}
