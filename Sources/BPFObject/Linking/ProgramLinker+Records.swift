internal import ByteKit

/// The records of `.BTF.ext`, moved to where linking put their instructions.
extension ProgramLinker {
  mutating func appendRecords() throws(BPFObjectError) {
    program.funcInfoRecordSize = UInt32(ext.functions.recordSize)
    program.lineInfoRecordSize = UInt32(ext.lines.recordSize)
    program.coreRelocationRecordSize = UInt32(ext.relocations.recordSize)
    let main = functions.functions[order[0]]
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
      program.funcInfo += try rebased(info, ext.functions.recordSize, to: place / Instruction.size)
      if hasLines { try appendLines(of: function, at: place) }
      for record in ext.relocations.records(in: function.range, of: function.sectionName) {
        let offset = place + record.instructionOffset - function.range.lowerBound
        program.coreRelocations += try rebased(record, ext.relocations.recordSize, to: offset)
      }
    }
  }

  private mutating func appendLines(of function: ObjectFunction, at place: Int) throws(BPFObjectError) {
    let lines = ext.lines.records(in: function.range, of: function.sectionName)
    guard lines.first?.instructionOffset == function.range.lowerBound else {
      throw BPFObjectError(
        .malformedBTFExt, "`.BTF.ext` has source lines for program `\(program.name)`, but not for `\(function.name)`",
        expected: "a line_info record at the first instruction of every function, or none at all",
        next: "compile all of the object with -g")
    }
    for record in lines {
      let offset = place + record.instructionOffset - function.range.lowerBound
      program.lineInfo += try rebased(record, ext.lines.recordSize, to: offset / Instruction.size)
    }
  }

  private func rebased(
    _ record: BTFExt.Record, _ size: Int, to offset: Int
  ) throws(BPFObjectError) -> [UInt8] {
    var bytes = try ext.part.slice(at: record.position, count: size)
    bytes.storeLittleEndian(UInt32(truncatingIfNeeded: offset), at: 0)
    return bytes
  }
}
