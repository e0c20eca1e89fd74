import Linux

/// How the machine was started.
enum Boot: String, CaseIterable {
  /// UEFI Secure Boot with our certificate in db; the kernel locks itself down to integrity.
  case secureBoot = "secure-boot"
  /// `lockdown=integrity` on the command line; no key of ours is trusted.
  case integrity
  /// `lockdown=confidentiality` on the command line; no key of ours is trusted.
  case confidentiality
  /// No lockdown, at first. Cases that name no boot do not run on it.
  case plain
  /// No lockdown, for the gate, which is there until the machine is turned off.
  case gate
  /// The same with `lockdown=confidentiality` on the command line.
  case gateConfidentiality = "gate-confidentiality"

  /// The boots that a case runs on when it names none.
  static let usual: [Boot] = [.secureBoot, .integrity, .confidentiality]
}

/// One case: a name that stays, and what must not throw.
struct Case: Sendable {
  let name: String
  let boots: [Boot]
  let leaves: Set<String>
  let body: @Sendable () throws -> Void

  /// - Parameters:
  ///   - boots: on which boots the case runs; the usual ones when none is named.
  ///   - leaves: the device-mapper devices that stay when it is over, for cases after it.
  init(
    _ name: String, on boots: Boot..., leaves: Set<String> = [], body: @escaping @Sendable () throws -> Void
  ) {
    self.name = name
    self.boots = boots.isEmpty ? Boot.usual : boots
    self.leaves = leaves
    self.body = body
  }
}

/// Cases that belong together; the suite's name comes before theirs.
struct Suite: Sendable {
  let name: String
  let cases: [Case]
}

/// Why a case failed.
struct Failure: Error, CustomStringConvertible {
  let description: String
}

/// Why a case cannot run on this kernel.
struct Skipped: Error {
  let reason: String
}

/// Fails the case unless the condition holds.
func expect(_ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line) throws {
  guard condition else { throw Failure(description: "line \(line): \(what())") }
}

/// Fails the case unless both are equal.
func expectEqual<T: Equatable>(_ found: T, _ expected: T, _ what: String, line: Int = #line) throws {
  guard found == expected else {
    throw Failure(description: "line \(line): \(what): expected \(expected), found \(found)")
  }
}

/// Fails the case unless the call fails in the given way.
func expectErrno(_ name: String, _ what: String, line: Int = #line, _ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error as SystemError {
    guard error.errnoName == name else { throw Failure(description: "line \(line): \(what): \(error), not \(name)") }
    return
  }
  throw Failure(description: "line \(line): \(what): it worked, but should have failed with \(name)")
}

/// Prints the results as the Test Anything Protocol does, on the port that the host reads.
struct Report {
  private let boot: Boot
  private let started = milliseconds()
  private var passed = 0
  private var failed = 0
  private var skipped = 0
  /// What earlier cases have left.
  private var known: Set<String> = []

  init(boot: Boot) { self.boot = boot }

  mutating func run(_ suite: Suite) {
    let only = Machine.setting("only")?.split(separator: ",")
    for one in suite.cases where one.boots.contains(boot) {
      let name = "\(suite.name).\(one.name)"
      if let only, !only.contains(where: { name.contains($0) }) { continue }
      let start = milliseconds()
      do {
        try one.body()
        known.formUnion(one.leaves)
        // It would keep dm-verity in use for every case that comes after.
        let left = Machine.volumesLeft(except: known)
        known.formUnion(left)
        try expect(left.isEmpty, "it leaves volumes: \(left)")
        passed += 1
        Machine.say("ok \(boot.rawValue) \(name) (\(milliseconds() - start) ms)")
      } catch let reason as Skipped {
        skipped += 1
        Machine.say("skip \(boot.rawValue) \(name) -- \(reason.reason)")
      } catch {
        failed += 1
        Machine.say("not ok \(boot.rawValue) \(name) -- \("\(error)".split(separator: "\n").joined(separator: " | "))")
      }
    }
  }

  /// The last line; without it the host takes the run for failed.
  func finish() {
    let seconds = (milliseconds() - started) / 1000
    Machine.say("end \(boot.rawValue) passed=\(passed) failed=\(failed) skipped=\(skipped) seconds=\(seconds)")
  }
}

/// The clock, for the times behind the results.
private func milliseconds() -> Int64 {
  let now = Timestamp.now()
  return now.seconds * 1000 + now.nanoseconds / 1_000_000
}
