internal import Base
public import BPFObject
internal import KernelABI

/// What a kernel makes of a program's instructions by the program's CO-RE records, told beforehand from the kernel's types.
///
/// It follows the kernel's own relocation (tools/lib/bpf/relo_core.c, which is compiled into kernel/bpf). Where that would
/// refuse the program, or looks into the types of modules, or where releases differ, there is no answer.
public struct CoreForecast {
  private let places: CorePlaces

  /// - Parameters:
  ///   - object: ``LinkedObject/btf``, read.
  ///   - kernel: the kernel's own types.
  public init(object: BTF, kernel: BTF) { places = CorePlaces(CoreMatch(object: object, kernel: kernel)) }

  /// Whether a kernel keeps SHA-256 of a program's instructions, as it does since 6.18, and not eight bytes of SHA-1.
  public static func hashesBySHA256(_ kernel: BTF) -> Bool {
    guard let id = kernel.typeID(named: "bpf_prog", kind: .structure), let program = try? kernel.type(id) else {
      return false
    }
    return (try? CorePlaces.hasMember(named: "digest", program, kernel)) == true
  }

  /// The program's instructions with all records applied; nil where that is not known.
  public func instructions(of program: LinkedProgram) -> [UInt8]? {
    var code = program.instructions
    let size = max(16, Int(program.coreRelocationRecordSize))
    for start in stride(from: 0, to: program.coreRelocations.count, by: size) {
      guard let record = CoreRecord(program.coreRelocations, at: start, places.match.object),
        let change = try? places.change(by: record), change.apply(to: &code, at: record.instruction)
      else { return nil }
    }
    return code
  }
}

/// A CO-RE record: struct bpf_core_relo.
struct CoreRecord {
  let instruction: Int
  let type: UInt32
  /// The numbers of the access string.
  let access: [Int]
  let kind: CoreRelocationKind

  init?(_ records: [UInt8], at start: Int, _ types: BTF) {
    let bytes = records.rawSpan
    guard let offset = try? bytes.u32(at: start), let type = try? bytes.u32(at: start + 4),
      let access = try? bytes.u32(at: start + 8), let number = try? bytes.u32(at: start + 12),
      let kind = CoreRelocationKind(rawValue: number), let text = try? types.string(at: access)
    else { return nil }
    instruction = Int(offset) / Instruction.size
    self.type = type
    self.kind = kind
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    self.access = parts.compactMap { Int($0) }
    guard self.access.count == parts.count, self.access.allSatisfy({ $0 >= 0 }) else { return nil }
  }
}

/// What becomes of one instruction (struct bpf_core_relo_res).
struct CoreChange: Equatable {
  var before: UInt64
  var after: UInt64
  /// Whether the instruction has to have the value before.
  var isChecked = true
  /// Bytes of the field in the object's types and in the kernel's; 0 where it is not about a field's place.
  var sizeBefore: UInt32 = 0
  var sizeAfter: UInt32 = 0
  /// Whether the kernel puts something into its place that the verifier refuses where it is reached.
  var isPoison = false
  /// Whether a load or store of the field cannot be one of another size.
  var keepsSize = false

  /// The immediate of the call that stands for a record without an answer (relo_core.c, bpf_core_poison_insn).
  private static let poison: UInt32 = 195_896_080

  /// bpf_core_patch_insn; false where the kernel refuses the program.
  func apply(to code: inout [UInt8], at index: Int) -> Bool {
    let offset = index * Instruction.size
    guard let instruction = Instruction(at: index, in: code.rawSpan) else { return false }
    let isWide = instruction.opcode == Instruction.loadImmediate64
    guard !isWide || offset + 2 * Instruction.size <= code.count else { return false }
    if isPoison {
      Self.poison(&code, at: offset)
      if isWide { Self.poison(&code, at: offset + Instruction.size) }
      return true
    }
    let opcode = Opcode(rawValue: instruction.opcode)
    switch opcode.instructionClass {
    case .alu, .alu64:
      // BPF_K.
      guard instruction.opcode & 8 == 0,
        !isChecked || UInt32(bitPattern: instruction.immediate) == UInt32(truncatingIfNeeded: before)
      else { return false }
      code.storeLittleEndian(UInt32(truncatingIfNeeded: after), at: offset + 4)
      return true
    case .ldx, .st, .stx:
      guard !isChecked || instruction.offset == Int(Int16(truncatingIfNeeded: before)), after <= UInt64(Int16.max)
      else {
        return false
      }
      if keepsSize {
        Self.poison(&code, at: offset)
        return true
      }
      code.storeLittleEndian(UInt16(truncatingIfNeeded: after), at: offset + 2)
      guard sizeBefore != sizeAfter else { return true }
      guard opcode.mode == .memory, UInt32(opcode.size.bytes) == sizeBefore,
        let size = AccessSize.allCases.first(where: { UInt32($0.bytes) == sizeAfter })
      else { return false }
      code[offset] = Opcode(opcode.instructionClass, .memory, size).rawValue
      return true
    case .ld:
      guard isWide, code[offset + 1] >> 4 == 0, instruction.offset == 0,
        let low = try? code.rawSpan.u32(at: offset + 4), let high = try? code.rawSpan.u32(at: offset + 12),
        !isChecked || UInt64(low) | UInt64(high) << 32 == before
      else { return false }
      code.storeLittleEndian(UInt32(truncatingIfNeeded: after), at: offset + 4)
      code.storeLittleEndian(UInt32(truncatingIfNeeded: after >> 32), at: offset + 12)
      return true
    case .jmp, .jmp32: return false
    }
  }

  private static func poison(_ code: inout [UInt8], at offset: Int) {
    code[offset] = Instruction.call
    code[offset + 1] = 0
    code.storeLittleEndian(UInt16(0), at: offset + 2)
    code.storeLittleEndian(poison, at: offset + 4)
  }
}
