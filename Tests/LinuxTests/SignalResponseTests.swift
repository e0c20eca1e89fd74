import Testing

@testable import Linux

/// The table of signals: none is forgotten.
struct SignalResponseTests {
  @Test func everySignalHasAResponse() throws {
    for signal in 1...SignalResponse.lastRealTime { #expect(SignalResponse.of(signal) != nil, "signal \(signal)") }
    #expect(SignalResponse.of(0) == nil && SignalResponse.of(65) == nil)
    let numbers = SignalResponse.rows.map(\.signal)
    #expect(Set(numbers).count == numbers.count && Set(numbers) == Set(1...31))
  }

  /// What the kernel's documentation says of a signal: one that ends a process by default is a request, ignored, or a
  /// fault, never left alone (signal(7)).
  @Test func noSignalThatEndsAProcessIsLeftAlone() {
    let harmless: Set<Int32> = [17, 18, 20, 21, 22, 23, 28]
    for signal in 1...SignalResponse.lastRealTime {
      #expect((SignalResponse.of(signal) == .leave) == harmless.contains(signal), "signal \(signal)")
    }
    for signal: Int32 in [13, 25] { #expect(SignalResponse.of(signal) == .ignore) }
    for signal: Int32 in [4, 5, 6, 7, 8, 11, 31] { #expect(SignalResponse.of(signal) == .crash) }
  }
}
