@testable import BPFAnalysis
import Testing

/// Values on the stack, which are kept in eight bytes each, against what is kept of registers.
@Suite struct StackValueTests {
  private static let values: [AbstractValue] = {
    let records: [AbstractValue.Records] = [
      .none, .mixed, .fieldOffset(0), .fieldOffset(7), .fieldOffset(.max), .fieldSize(0), .fieldSize(7),
    ]
    let kinds: [AbstractValue.Kinds] = [[], .kernel, .number, .harmless, .readFromKernel, .all]
    return records.flatMap { records in kinds.map { AbstractValue(kinds: $0, records: records) } }
  }()

  @Test func nothingIsLost() {
    for value in Self.values { #expect(StackValue(value).value == value) }
    #expect(StackValue.unknown.value == .unknown)
  }

  /// A number is not kept: calls may write to the stack.
  @Test func numbersAreForgotten() {
    #expect(StackValue(AbstractValue(kinds: .stack, number: .frame(-8))).value == AbstractValue(kinds: .stack))
  }

  @Test func joinsLikeRegisters() {
    for left in Self.values {
      for right in Self.values {
        #expect(StackValue(left).joined(with: StackValue(right)).value == left.joined(with: right))
      }
    }
  }
}
