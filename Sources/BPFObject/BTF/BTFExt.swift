internal import KernelABI

/// `.BTF.ext`: which function, source line and CO-RE relocation belongs to which instruction.
///
/// Format: Documentation/bpf/btf.rst, section 4.2. Instruction offsets here are bytes from the section's start; the
/// kernel wants those of functions and lines in instructions from the program's start.
struct BTFExt: Sendable {
  let functions: Records
  let lines: Records
  let relocations: Records

  /// One of the three lists, sorted by instruction within each section.
  struct Records: Sendable {
    /// Bytes a record has; 0 when the object has no such list.
    var recordSize = 0
    /// Every record in the order they are written, so that the same object is refused for the same record.
    fileprivate(set) var all: [Record] = []
    fileprivate var bySection: [String: [Record]] = [:]

    /// The records of `section` whose instruction is in `range` (bytes).
    func records(in range: Range<Int>, of section: String) -> ArraySlice<Record> {
      guard let all = bySection[section] else { return [] }
      let start = Self.firstIndex(in: all, notBelow: range.lowerBound)
      let end = Self.firstIndex(in: all, notBelow: range.upperBound)
      return all[start..<end]
    }

    private static func firstIndex(in records: [Record], notBelow offset: Int) -> Int {
      var low = 0
      var high = records.count
      while low < high {
        let middle = (low + high) / 2
        if records[middle].instructionOffset < offset { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  struct Record: Sendable {
    /// Bytes from the start of the section.
    let instructionOffset: Int
    /// Where the record begins in `.BTF.ext`.
    let position: Int

    var isAligned: Bool { instructionOffset.isMultiple(of: 8) }
  }

  let part: ObjectPart

  /// No records: what an object without the section has.
  static let none = BTFExt()

  private init() {
    part = ObjectPart(name: ".BTF.ext", bytes: [], check: .malformedBTFExt)
    (functions, lines, relocations) = (Records(), Records(), Records())
  }

  init(part: ObjectPart, btf: BTF) throws(BPFObjectError) {
    guard try part.u16(at: 0) == BTFFormat.magic, try part.u8(at: 2) == BTFFormat.version else {
      throw BPFObjectError(
        .malformedBTFExt, "`.BTF.ext` is not of version 1",
        expected: "magic 0x\(String(BTFFormat.magic, radix: 16)), version \(BTFFormat.version)",
        found: "magic 0x\(String(try part.u16(at: 0), radix: 16)), version \(try part.u8(at: 2))")
    }
    let headerLength = Int(try part.u32(at: 4))
    guard headerLength >= 24, headerLength <= part.count, headerLength.isMultiple(of: 4) else {
      throw BPFObjectError(
        .malformedBTFExt, "the header of `.BTF.ext` has a wrong length", expected: "24 or 32 bytes",
        found: "\(headerLength)")
    }
    // What a later header adds we would not understand, and must not ignore.
    for offset in stride(from: 32, to: headerLength, by: 4) where try part.u32(at: offset) != 0 {
      throw BPFObjectError(
        .malformedBTFExt, "the header of `.BTF.ext` has fields this program does not know",
        expected: "zeros after byte 32", found: "another value at byte \(offset)")
    }
    self.part = part
    functions = try Self.read(part, btf, after: headerLength, field: 8, smallest: 8, what: "func_info")
    lines = try Self.read(part, btf, after: headerLength, field: 16, smallest: 16, what: "line_info")
    relocations =
      headerLength >= 32
      ? try Self.read(part, btf, after: headerLength, field: 24, smallest: 16, what: "core_relo") : Records()
    try checkContents(btf)
  }

  /// Every record is about an instruction, and about types and names that exist.
  private func checkContents(_ btf: BTF) throws(BPFObjectError) {
    for record in functions.all {
      let id = try part.u32(at: record.position + 4)
      guard record.isAligned, try btf.type(id).kind == .function else {
        throw Self.unfit("func_info", record, "type \(id), which is a function")
      }
    }
    for record in lines.all {
      let file = try part.u32(at: record.position + 4)
      let line = try part.u32(at: record.position + 8)
      guard record.isAligned, file < btf.strings.count, line < btf.strings.count else {
        throw Self.unfit("line_info", record, "a file and a line among the strings of `.BTF`")
      }
    }
    for record in relocations.all {
      let id = try part.u32(at: record.position + 4)
      let access = try part.u32(at: record.position + 8)
      let kind = try part.u32(at: record.position + 12)
      guard record.isAligned, id < btf.types.count, access < btf.strings.count,
        CoreRelocationKind(rawValue: kind) != nil
      else {
        throw Self.unfit(
          "core_relo", record, "a type, an access string and a kind from 0 to \(CoreRelocationKind.allCases.count - 1)")
      }
    }
  }

  /// Whether a section has CO-RE records, by its header alone.
  static func hasCoreRelocations(_ part: ObjectPart) throws(BPFObjectError) -> Bool {
    guard part.count > 0, try part.u32(at: 4) >= 32 else { return false }
    return try part.u32(at: 28) > 0
  }

  private static func unfit(_ what: String, _ record: Record, _ expected: String) -> BPFObjectError {
    BPFObjectError(
      .malformedBTFExt, "the \(what) record at byte \(record.position) of `.BTF.ext` means nothing",
      expected: "an instruction at a multiple of 8 bytes, and \(expected)")
  }

  private static func read(
    _ part: ObjectPart, _ btf: BTF, after headerLength: Int, field: Int, smallest: Int, what: String
  ) throws(BPFObjectError) -> Records {
    let start = headerLength + Int(try part.u32(at: field))
    let length = Int(try part.u32(at: field + 4))
    if length == 0 { return Records() }
    guard start.isMultiple(of: 4), start <= part.count, length <= part.count - start else {
      throw BPFObjectError(
        .malformedBTFExt, "the \(what) records are not inside `.BTF.ext`", expected: "at most \(part.count) bytes",
        found: "\(length) bytes at offset \(start)")
    }
    let end = start + length
    let recordSize = Int(try part.u32(at: start))
    guard recordSize >= smallest, recordSize <= Limits.extRecordBytes, recordSize.isMultiple(of: 4) else {
      throw BPFObjectError(
        .malformedBTFExt, "the \(what) records of `.BTF.ext` have a wrong size",
        expected: "a multiple of 4 from \(smallest) to \(Limits.extRecordBytes)", found: "\(recordSize)")
    }
    var records = Records(recordSize: recordSize)
    var position = start + 4
    while position < end {
      guard end - position >= 8 else {
        throw BPFObjectError(
          .malformedBTFExt, "\(end - position) bytes trail the \(what) records of `.BTF.ext`",
          expected: "a section's 8-byte header, or the end")
      }
      let section = try btf.string(at: try part.u32(at: position))
      let count = Int(try part.u32(at: position + 4))
      position += 8
      guard count > 0, count <= (end - position) / recordSize else {
        throw BPFObjectError(
          .malformedBTFExt, "the number of \(what) records for section `\(section)` is wrong",
          expected: "1 to \((end - position) / recordSize)", found: "\(count)")
      }
      let first = records.all.count
      if first == 0 { records.all.reserveCapacity(count) }
      for _ in 0..<count {
        records.all.append(Record(instructionOffset: Int(try part.u32(at: position)), position: position))
        position += recordSize
      }
      records.bySection[section, default: []] += records.all[first...]
    }
    for (section, list) in records.bySection where !isSorted(list) {
      // Compilers write them in order; another order of the same records means the same.
      records.bySection[section]?.sort {
        ($0.instructionOffset, $0.position) < ($1.instructionOffset, $1.position)
      }
    }
    return records
  }

  private static func isSorted(_ records: [Record]) -> Bool {
    zip(records, records.dropFirst()).allSatisfy { $0.instructionOffset <= $1.instructionOffset }
  }
}
