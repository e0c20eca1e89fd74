internal import Base
internal import KernelABI

/// One slot of a program (Documentation/bpf/standardization/instruction-set.rst), and the few operations that linking and
/// the analyses look at.
package struct Instruction {
  package let opcode: UInt8
  /// The number of the register.
  package let destination: Int
  /// The number of the register, for the instructions that have one there.
  package let source: Int
  /// Instructions to jump, or bytes from an address.
  package let offset: Int
  package let immediate: Int32

  /// The four bits of `src_reg` as a number, which for loads of 64 bits and for calls is not a register.
  package var sourceField: UInt8 { UInt8(truncatingIfNeeded: source) }

  /// - Parameters:
  ///   - index: of the slot.
  ///   - code: instructions in the object's byte order, which is little-endian.
  /// - Returns: nil behind the end.
  @inline(__always)
  @inlinable package init?(at index: Int, in code: borrowing RawSpan) {
    guard let word = try? code.u64(at: index * Self.size) else { return nil }
    opcode = UInt8(truncatingIfNeeded: word)
    destination = Int(word >> 8 & 15)
    source = Int(word >> 12 & 15)
    offset = Int(Int16(truncatingIfNeeded: word >> 16))
    immediate = Int32(truncatingIfNeeded: word >> 32)
  }

  /// Bytes.
  package static let size = 8
  /// Takes two slots.
  package static var loadImmediate64: UInt8 { Opcode.loadImmediate64.rawValue }
  package static var call: UInt8 { Opcode.call.rawValue }
  package static var mayGoTo: UInt8 { Opcode.mayGoto.rawValue }

  /// `src_reg` of a 64-bit load.
  package enum Load {
    package static var value: UInt8 { 0 }
    static var mapFD: UInt8 { PseudoLoad.mapFD.rawValue }
    static var mapValue: UInt8 { PseudoLoad.mapValue.rawValue }
    package static var btfID: UInt8 { PseudoLoad.btfID.rawValue }
    package static var function: UInt8 { PseudoLoad.function.rawValue }
    package static var mapIndex: UInt8 { PseudoLoad.mapIndex.rawValue }
    package static var mapIndexValue: UInt8 { PseudoLoad.mapIndexValue.rawValue }
  }

  /// `src_reg` of a call.
  package enum Call {
    package static var helper: UInt8 { 0 }
    package static var function: UInt8 { PseudoCall.function.rawValue }
    package static var kernelFunction: UInt8 { PseudoCall.kernelFunction.rawValue }
  }
}
