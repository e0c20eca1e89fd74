/// What is known of eight bytes of stack, in eight bytes: a program of a quarter of a million straight runs has as many stacks.
///
/// It is an ``AbstractValue`` without its number, which is never kept in the stack.
struct StackValue: Equatable {
  /// What it may be, in the first byte; which case the records are, in the second; the record's number, in the upper half.
  private let bits: UInt64

  /// Nothing was stored there.
  static let unknown = StackValue(.unknown)

  private enum Records {
    static let mask: UInt64 = 0xffff_ffff_0000_ff00
    static let fieldOffset: UInt64 = 1 << 8
    static let fieldSize: UInt64 = 2 << 8
    static let mixed: UInt64 = 3 << 8
  }

  private init(bits: UInt64) {
    self.bits = bits
  }

  /// What is stored of a value.
  init(_ value: AbstractValue) {
    let records: UInt64 =
      switch value.records {
      case .none: 0
      case .fieldOffset(let record): Records.fieldOffset | UInt64(UInt32(bitPattern: record)) << 32
      case .fieldSize(let record): Records.fieldSize | UInt64(UInt32(bitPattern: record)) << 32
      case .mixed: Records.mixed
      }
    bits = UInt64(value.kinds.rawValue) | records
  }

  var value: AbstractValue {
    let record = Int32(bitPattern: UInt32(truncatingIfNeeded: bits >> 32))
    let records: AbstractValue.Records =
      if bits & 0xff00 == 0 {
        .none
      } else if bits & 0xff00 == Records.fieldOffset {
        .fieldOffset(record)
      } else if bits & 0xff00 == Records.fieldSize {
        .fieldSize(record)
      } else {
        .mixed
      }
    return AbstractValue(kinds: AbstractValue.Kinds(rawValue: UInt8(truncatingIfNeeded: bits)), records: records)
  }

  /// What holds on both ways.
  func joined(with other: StackValue) -> StackValue {
    let kinds = (bits | other.bits) & 0xff
    let records = bits & Records.mask
    return StackValue(bits: kinds | (records == other.bits & Records.mask ? records : Records.mixed))
  }
}
