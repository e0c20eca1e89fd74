public import KernelABI
internal import Base

/// A CO-RE record that the loader answers in the kernel's place, because the kernel would refuse the program for it.
public struct AnsweredRecord: Equatable, Sendable {
  /// The record's index among the program's.
  let record: Int
  /// The instruction that gets the answer, by its index in the linked program.
  public let instruction: Int
  public let kind: CoreRelocationKind
  /// The root type in ``LinkedObject/btf``.
  public let type: UInt32
  public let access: String
  /// What it asks about.
  public let subject: String
}

extension LinkedObject {
  /// Has the loader answer the records that are beyond what the kernel does (``CoreLimit``): all that ask whether
  /// something is there. Others stay with the kernel, and so does the refusal.
  ///
  /// The records stay among ``LinkedProgram/coreRelocations`` until ``answering(_:)``, so that nothing that is said of the
  /// program before depends on one kernel.
  public mutating func answerRecords() {
    guard programs.contains(where: { !$0.coreRelocations.isEmpty }), let types else { return }
    var search = CoreLimitSearch(types)
    for index in programs.indices { programs[index].findAnswered(types, &search) }
  }

  /// The object with the answers in its instructions, and without their records.
  ///
  /// - Parameter answer: whether what the record asks about is there; nil leaves the record to the kernel.
  public func answering<Failure>(
    _ answer: (AnsweredRecord) throws(Failure) -> Bool?
  ) throws(Failure) -> LinkedObject {
    var object = self
    for index in object.programs.indices where !object.programs[index].answered.isEmpty {
      try object.programs[index].answer(answer)
    }
    return object
  }
}

extension CoreLimitSearch {
  /// The limits that a program's records are beyond, in their order; nil for one that the kernel follows, as all but few.
  package mutating func limits(of program: LinkedProgram) -> [CoreLimit?] {
    program.records(btf).map { limit(of: $0.kind, type: $0.type) }
  }
}

extension LinkedProgram {
  /// A record as it is written: struct bpf_core_relo.
  fileprivate struct Record {
    let instruction: Int
    let type: UInt32
    let access: String
    let kind: CoreRelocationKind
  }

  private var recordSize: Int { max(16, Int(coreRelocationRecordSize)) }

  /// All records, which linking has found to be readable.
  fileprivate func records(_ types: BTF) -> [Record] {
    let bytes = coreRelocations.rawSpan
    return stride(from: 0, to: bytes.byteCount, by: recordSize).compactMap { start in
      guard let offset = try? bytes.u32(at: start), let type = try? bytes.u32(at: start + 4),
        let access = try? bytes.u32(at: start + 8), let number = try? bytes.u32(at: start + 12),
        let kind = CoreRelocationKind(rawValue: number), let text = try? types.string(at: access)
      else { return nil }
      return Record(instruction: Int(offset) / Instruction.size, type: type, access: text, kind: kind)
    }
  }

  fileprivate mutating func findAnswered(_ types: BTF, _ search: inout CoreLimitSearch) {
    answered = records(types).enumerated().compactMap { index, record in
      guard record.kind.asksForExistence, holdsAnswer(at: record.instruction),
        search.limit(of: record.kind, type: record.type) != nil
      else { return nil }
      let subject = types.subject(ofRelocation: record.kind, typeID: record.type, access: record.access)
      return AnsweredRecord(
        record: index, instruction: record.instruction, kind: record.kind, type: record.type, access: record.access,
        subject: subject ?? "type \(record.type)")
    }
  }

  /// Whether the instruction's operand is the compiler's "it is there", as relocation wants it (relo_core.c,
  /// bpf_core_patch_insn).
  private func holdsAnswer(at instruction: Int) -> Bool {
    let offset = instruction * Instruction.size
    guard offset >= 0, offset + Instruction.size <= instructions.count,
      (try? instructions.rawSpan.u32(at: offset + 4)) == 1
    else { return false }
    let opcode = instructions[offset]
    if opcode == Instruction.loadImmediate64 {
      return offset + 2 * Instruction.size <= instructions.count && instructions[offset + 1] >> 4 == 0
        && (try? instructions.rawSpan.u32(at: offset + 12)) == 0
    }
    // BPF_ALU and BPF_ALU64 with BPF_K.
    return [4, 7].contains(opcode & 7) && opcode & 8 == 0
  }

  fileprivate mutating func answer<Failure>(
    _ answer: (AnsweredRecord) throws(Failure) -> Bool?
  ) throws(Failure) {
    var settled: Set<Int> = []
    for record in answered {
      guard let isThere = try answer(record) else { continue }
      settled.insert(record.record)
      instructions.storeLittleEndian(UInt32(isThere ? 1 : 0), at: record.instruction * Instruction.size + 4)
      edits.append(InstructionEdit(index: record.instruction, reason: .coreAnswer(subject: record.subject)))
    }
    edits.sort { $0.index < $1.index }
    let size = recordSize
    coreRelocations = stride(from: 0, to: coreRelocations.count, by: size).flatMap { start in
      settled.contains(start / size) ? [] : Array(coreRelocations[start..<min(start + size, coreRelocations.count)])
    }
    answered = []
  }
}
