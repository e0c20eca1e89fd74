@testable import BPFAnalysis
import BPFTestSupport
import Testing

/// The runs that are still to be followed.
@Suite struct RunQueueTests {
  /// Against a set, of which the least is taken.
  @Test(arguments: [1, 63, 64, 65, 4096, 4097, 262_144])
  func theFirstIsNext(_ count: Int) {
    var generator = Generator(UInt64(count))
    var queue = RunQueue(count: count)
    var expected: Set<Int> = []
    for _ in 0..<2000 {
      if Bool.random(using: &generator) {
        let run = Int.random(in: 0..<count, using: &generator)
        queue.insert(run)
        expected.insert(run)
      } else {
        let least = expected.min()
        #expect(queue.takeFirst() == least)
        if let least { expected.remove(least) }
      }
    }
    while let least = expected.min() {
      #expect(queue.takeFirst() == least)
      expected.remove(least)
    }
    #expect(queue.takeFirst() == nil)
  }

  @Test func noneOfNone() {
    var queue = RunQueue(count: 0)
    #expect(queue.takeFirst() == nil)
  }
}
