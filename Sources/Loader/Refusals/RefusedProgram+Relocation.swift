internal import BPFAnalysis
internal import KernelABI
internal import BPFObject
internal import Base
internal import Linux

/// Relocations that the kernel could not resolve.
///
/// The kernel does not refuse such a record by itself: it replaces the instruction by a call of the helper
/// 195896080 (0xbad2310), which exists nowhere, and the verifier stumbles over it only when it is reached
/// (tools/lib/bpf/relo_core.c, bpf_core_poison_insn).
extension RefusedProgram {
  /// What the record of this instruction is about; nil when it has none.
  func relocation(at index: Int) -> Refusal.Relocation? {
    let bytes = program.coreRelocations.rawSpan
    let size = Int(program.coreRelocationRecordSize)
    guard size >= 16, let btf = try? BTF(linked.btf.rawSpan) else { return nil }
    for record in stride(from: 0, to: bytes.byteCount, by: size) {
      // struct bpf_core_relo: insn_off in bytes, type_id, access_str_off, kind.
      guard let offset = try? bytes.u32(at: record), let type = try? bytes.u32(at: record + 4),
        let access = try? bytes.u32(at: record + 8), let number = try? bytes.u32(at: record + 12)
      else { return nil }
      guard Int(offset) == index * 8, let kind = CoreRelocationKind(rawValue: number),
        let text = try? btf.string(at: access),
        let subject = btf.subject(ofRelocation: kind, typeID: type, access: text)
      else { continue }
      return Refusal.Relocation(
        subject: "\(kind.subject) `\(subject)`", kernelRelease: try? KernelReports.release(),
        nearMiss: kernelTypes().map { btf.nearMiss(ofRelocation: kind, typeID: type, access: text, in: $0) }
          ?? .names([]))
    }
    return nil
  }

  /// The first record that the kernel does not follow, with what it asks about and where; nil where it follows all.
  func recordBeyondKernel() -> String? {
    let reports = BPFObject.reports(of: linked)
    guard let report = reports.first(where: { $0.name == program.name }),
      let record = report.coreRelocations.first(where: { $0.limit != nil }), let limit = record.limit
    else { return nil }
    let place = LineInfo(program, btf: linked.btf).place(ofInstruction: record.instruction)
    let source = place.map { " (\($0.file):\($0.line))" } ?? ""
    return "the record \(record.kindName) of `\(record.subject ?? "a type without a name")` at instruction "
      + "\(record.instruction)\(source): \(limit.reason)"
  }

  /// The function that is called at this instruction, and that the kernel does not have although the object declares it,
  /// weakly.
  func absentFunction(at index: Int) -> String? {
    for edit in program.edits where edit.index == index {
      if case .kernelSymbol(let name) = edit.reason { return name }
    }
    return nil
  }

  /// All of the kernel's types, which only a refusal is worth reading for.
  private func kernelTypes() -> BTF? {
    guard let kernel = try? KernelBTF.open() else { return nil }
    return try? BTF(kernel.bytes)
  }
}

extension VerifierLog {
  /// Whether the kernel's relocating failed as a whole (relo_core.c, bpf_core_calc_relo_insn; kernel/bpf/btf.c,
  /// bpf_core_apply).
  var isCoreFailure: Bool {
    tail.contains { $0.mentions("error matching candidate") || $0.mentions("target candidate search failed") }
  }

  /// Whether the verifier stumbled over an instruction that the kernel could not relocate.
  var isPoisonedRelocation: Bool {
    refusedHelper == Self.poisonedRelocation
  }

  private static let poisonedRelocation: UInt32 = 195_896_080

  /// Whether it stumbled over a call of a function that the kernel does not have.
  var isAbsentCall: Bool {
    refusedHelper.map { $0 >= LinkedProgram.absentCall } ?? false
  }

  /// The number of the helper that the verifier did not accept: `… helper bpf_probe_read_kernel#113`,
  /// `invalid func unknown#195896080`, `unknown func bpf_probe_read#4`.
  var refusedHelper: UInt32? {
    for sentence in sentences {
      guard let hash = sentence.lastIndex(of: "#"),
        sentence.mentions(" helper ") || sentence.hasPrefix("invalid func ") || sentence.hasPrefix("unknown func ")
      else { continue }
      return UInt32(sentence[sentence.index(after: hash)...].prefix { ("0"..."9").contains($0) })
    }
    return nil
  }
}
