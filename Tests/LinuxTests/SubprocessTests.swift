import Linux
import TestSupport
import Testing

@Suite struct SubprocessTests {
  @Test func collectsOutputAndStatus() throws {
    let result = try Subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    #expect(result.status == 3)
    #expect(result.text.contains("out\n") && result.text.contains("err\n"))
  }

  @Test func namesWhatIsMissing() {
    #expect(throws: SystemError.self) { try Subprocess.run(["no-such-program-here"]) }
  }
}
