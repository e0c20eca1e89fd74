internal import Base
internal import KernelABI

/// What an instruction looks like that may get an edit of some kind
/// (Documentation/bpf/standardization/instruction-set.rst).
enum InstructionForm {
  /// Bytes of an instruction's place; a 64-bit load takes two.
  static let size = 8

  /// Whether the instruction at a byte of its section is one that this kind of edit is for.
  static func fits(_ kind: LinkEdit.Kind, _ code: RawSpan, at offset: Int) throws(LinkViolation) -> Bool {
    let opcode = UInt8(truncatingIfNeeded: try LinkFrame.u64(code, offset))
    switch kind {
    case .map, .value, .function:
      guard opcode == Opcode.loadImmediate64.rawValue, offset + 2 * size <= code.byteCount else { return false }
      return UInt8(truncatingIfNeeded: try LinkFrame.u64(code, offset + size)) == 0
    case .call:
      let source = UInt8(truncatingIfNeeded: try LinkFrame.u64(code, offset) >> 12 & 15)
      return opcode == Opcode.call.rawValue && source == PseudoCall.function.rawValue
    }
  }
}
