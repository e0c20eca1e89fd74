import Linux
import Synchronization
import Testing

@Suite struct ProcessorsTests {
  @Test(arguments: [0, 1, 2, 3, 16])
  func everyNumberComesOnce(threads: Int) {
    let numbers = Mutex<[Int]>([])
    Processors.share(threads) { number in numbers.withLock { $0.append(number) } }
    #expect(numbers.withLock { $0.sorted() } == Array(0..<max(1, threads)))
  }

  /// A thread moves to another processor by narrowing where it may run; it has to be wide again before the work begins.
  @Test func threadsMayRunEverywhere() throws {
    let before = try Self.allowed()
    let found = Mutex<Set<String>>([])
    for _ in 0..<50 {
      Processors.share(2) { _ in _ = found.withLock { $0.insert((try? Self.allowed()) ?? "unreadable") } }
    }
    #expect(found.withLock { $0 } == [before])
  }

  private static func allowed() throws -> String {
    let bytes = try OwnedFD.open("/proc/thread-self/status", .readOnly).readToEnd(limit: 1 << 16) ?? []
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first {
      $0.hasPrefix("Cpus_allowed_list:")
    }
    return try #require(line.map { String($0) })
  }
}
