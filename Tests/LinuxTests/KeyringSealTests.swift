import KernelABI
import Testing

@testable import Linux

/// For which volumes the dm-verity module's word about its keyring holds.
@Suite struct KeyringSealTests {
  @Test func whatItHoldsFor() {
    // A module that was there first, and nothing was removed by force; another taint says nothing of it.
    for tainted: UInt64 in [0, 1, 0x1200, ~8] {
      #expect(KeyringSeal.judge(tainted: tainted, module: 10, volume: 11) == .sealed)
    }
    for tainted: UInt64 in [8, 9, .max] {
      #expect(KeyringSeal.judge(tainted: tainted, module: 10, volume: 11) == .unknown(.moduleRemoved))
    }
    for (module, volume): (UInt64, UInt64) in [(11, 10), (10, 10)] {
      #expect(KeyringSeal.judge(tainted: 0, module: module, volume: volume) == .unknown(.moduleYounger))
    }
    for (tainted, module, volume): (UInt64?, UInt64?, UInt64?) in [(nil, 10, 11), (0, nil, 11), (0, 10, nil)] {
      #expect(KeyringSeal.judge(tainted: tainted, module: module, volume: volume) == .unknown(.hidden))
    }
  }
}
