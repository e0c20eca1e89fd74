import KernelABI
import Synchronization

@testable import Linux

/// A thread with a mount namespace of its own: what is mounted on it nobody else sees, and it goes away with it.
enum IsolatedThread {
  /// Runs `body` and returns what it says; a reason when it cannot be run.
  static func run(_ body: @escaping @Sendable () throws -> [String]) -> [String] {
    let said = Mutex<[String]>(["no thread"])
    do {
      let thread = Thread {
        let lines: [String]
        do {
          try Mount.enterPrivateNamespace()
          lines = try body()
        } catch {
          lines = ["\(error)"]
        }
        said.withLock { $0 = lines }
      }
      _ = consume thread
    }
    return said.withLock { $0 }
  }

  /// Puts something over a path, runs `body`, and takes it away; false when nothing can be put there.
  static func bind(_ source: String, over target: String, _ body: () throws -> Void) throws -> Bool {
    do {
      // MS_BIND
      try Mount.mount(source, on: target, type: "none", Mount.Flags(rawValue: 4096))
    } catch {
      return false
    }
    defer { try? Mount.unmount(target) }
    try body()
    return true
  }
}
