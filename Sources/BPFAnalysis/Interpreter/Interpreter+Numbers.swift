internal import BPFObject
internal import Base
internal import KernelABI

extension Interpreter {
  /// What a load brings from a place that nobody can write to.
  ///
  /// The verifier takes what a frozen map holds (`.rodata`) for constants (kernel/bpf/verifier.c, bpf_map_direct_read).
  func constant(_ base: AbstractValue, _ place: DecodedInstruction.Place) -> AbstractValue.Number {
    guard case .mapValue(let index, let start) = base.number, surroundings.maps.indices.contains(Int(index)),
      Int(index) != surroundings.configurationMap
    else { return .unknown }
    let map = surroundings.maps[Int(index)]
    // A map that is shared by its name may have been filled by another object.
    guard map.isFrozen, !map.pinsByName, let offset = Int(exactly: start) else { return .unknown }
    let (at, overflow) = offset.addingReportingOverflow(place.offset)
    guard !overflow else { return .unknown }
    let bytes = map.initialValue.rawSpan
    do throws(ByteError) {
      switch place.size {
      case .byte: return .constant(UInt64(try bytes.u8(at: at)))
      case .halfWord: return .constant(UInt64(try bytes.u16(at: at)))
      case .word: return .constant(UInt64(try bytes.u32(at: at)))
      case .doubleWord: return .constant(try bytes.u64(at: at))
      }
    } catch {
      return .unknown
    }
  }

  /// What an operation leaves in its destination.
  func computed(
    _ operation: ArithmeticOperation, _ value: AbstractValue, _ operand: AbstractValue, is64: Bool, isSigned: Bool,
    isRewritten: Bool
  ) -> AbstractValue {
    var result = value
    // An address stays one under every operation, so that none is missed.
    if is64, operation == .add || operation == .sub { result.kinds.formUnion(operand.kinds) }
    result.number =
      isRewritten || isSigned
      ? .unknown : Self.number(operation, value.number, operand.number, is64: is64)
    result.records = Self.records(operation, value, operand, is64: is64)
    return result
  }

  /// Adding a field's offset to a plain pointer makes the field's address; everything else has no name.
  private static func records(
    _ operation: ArithmeticOperation, _ value: AbstractValue, _ operand: AbstractValue, is64: Bool
  ) -> AbstractValue.Records {
    // An address in the stack has no records; what is there has.
    if is64, operation == .add || operation == .sub, value.kinds == .stack, operand.records == .none { return .none }
    guard is64, operation == .add else { return .mixed }
    switch (value.records, operand.records) {
    case (.fieldOffset, .none) where isZero(operand.number): return value.records
    case (.none, .none) where isZero(operand.number): return .none
    case (.none, .fieldOffset) where isPointer(value.number): return operand.records
    case (.fieldOffset, .none) where isPointer(operand.number): return value.records
    case (.none, _), (.fieldOffset, _), (.fieldSize, _), (.mixed, _): return .mixed
    }
  }

  private static func isZero(_ number: AbstractValue.Number) -> Bool { number == .constant(0) }

  /// Whether a value can be a pointer, as far as its number goes; one that the program says moves a field's offset.
  private static func isPointer(_ number: AbstractValue.Number) -> Bool {
    switch number {
    case .unknown, .constant(0): true
    case .constant, .map, .mapValue, .frame: false
    }
  }

  private static func number(
    _ operation: ArithmeticOperation, _ value: AbstractValue.Number, _ operand: AbstractValue.Number, is64: Bool
  ) -> AbstractValue.Number {
    guard case .constant(let right) = operand else { return .unknown }
    let left: UInt64
    switch value {
    case .unknown, .map: return .unknown
    case .constant(let number): left = number
    case .mapValue(let map, let offset):
      return is64 && operation == .add ? .mapValue(map: map, offset: offset &+ right) : .unknown
    case .frame(let offset):
      guard is64, operation == .add || operation == .sub, let distance = Int32(exactly: Int64(bitPattern: right))
      else { return .unknown }
      let (sum, overflow) =
        operation == .add
        ? offset.addingReportingOverflow(distance) : offset.subtractingReportingOverflow(distance)
      return overflow ? .unknown : .frame(sum)
    }
    let width: UInt64 = is64 ? 64 : 32
    let low = is64 ? left : left & 0xffff_ffff
    let result: UInt64
    // The verifier knows more; where it knows less, code that it looks at would count as never reached.
    switch operation {
    case .add: result = left &+ right
    case .sub: result = left &- right
    case .or: result = left | right
    case .and: result = left & right
    // The verifier forgets what is shifted by as many bits as there are, or more.
    case .lsh where right < width: result = low << right
    case .rsh where right < width: result = low >> right
    case .xor: result = left ^ right
    case .lsh, .rsh, .mul, .div, .neg, .mod, .mov, .arsh, .end: return .unknown
    }
    return .constant(is64 ? result : result & 0xffff_ffff)
  }

  /// Whether a conditional jump is taken; nil when that is not known (kernel/bpf/verifier.c, is_branch_taken).
  static func isTaken(
    _ operation: JumpOperation, _ left: AbstractValue, _ right: AbstractValue, is64: Bool
  ) -> Bool? {
    guard case .constant(let fullLeft) = left.number, case .constant(let fullRight) = right.number else { return nil }
    let (left, right) = is64 ? (fullLeft, fullRight) : (fullLeft & 0xffff_ffff, fullRight & 0xffff_ffff)
    let (signedLeft, signedRight) =
      is64
      ? (Int64(bitPattern: left), Int64(bitPattern: right))
      : (Int64(Int32(truncatingIfNeeded: left)), Int64(Int32(truncatingIfNeeded: right)))
    return switch operation {
    case .jeq: left == right
    case .jgt: left > right
    case .jge: left >= right
    case .jset: left & right != 0
    case .jne: left != right
    case .jsgt: signedLeft > signedRight
    case .jsge: signedLeft >= signedRight
    case .jlt: left < right
    case .jle: left <= right
    case .jslt: signedLeft < signedRight
    case .jsle: signedLeft <= signedRight
    case .ja, .call, .exit, .jcond: nil
    }
  }
}
