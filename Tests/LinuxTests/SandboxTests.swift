import CTestSupport
import Glibc
import Linux
import Testing

/// What is left to a process in the sandbox: each call that it does not need ends it.
@Suite struct SandboxTests {
  @Test func everyCallThatItDoesNotNeedEndsIt() {
    var index: Int32 = 0
    var isNeeded: Int32 = 0
    var needed = 0
    while let name = ts_sandbox_call(index, &isNeeded) {
      let status = ts_call_in_sandbox(index)
      if isNeeded == 1 {
        #expect(status == 0, "\(String(cString: name)): status \(status)")
        needed += 1
      } else {
        #expect(status & 0x7f == SIGSYS, "\(String(cString: name)): status \(status)")
      }
      index += 1
    }
    #expect(needed > 3 && index > 40)
  }

  /// This process has no pipes there, or is not to lose what it has: nothing is given up.
  @Test func withoutPipesNothingIsGivenUp() throws {
    var status: (isPipe: Bool, isPipe2: Bool) = (false, false)
    var file = stat()
    status.isPipe = fstat(0, &file) == 0 && file.st_mode & S_IFMT == S_IFIFO
    status.isPipe2 = fstat(1, &file) == 0 && file.st_mode & S_IFMT == S_IFIFO
    guard !status.isPipe || !status.isPipe2 else {
      print("skipped: standard input and output of the tests are pipes")
      return
    }
    #expect(Sandbox.enter()?.step == .pipes)
  }
}
