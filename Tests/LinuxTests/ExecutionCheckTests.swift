import Base
import KernelABI
import Linux
import Testing

/// Whether files may be executed, asked of the kernel.
struct ExecutionCheckTests {
  private func ask(_ path: String) throws -> ExecutionCheck { ExecutionCheck.ask(try OwnedFD.open(path, .readOnly)) }

  /// Linux 6.14 has the question.
  private let isKnown = KernelReports.runningRelease().map { $0 >= KernelRelease(6, 14) } ?? false

  /// Nothing is executed: the test goes on.
  @Test func anExecutableFileIsAllowed() throws {
    #expect(try ask("/bin/true") == (isKnown ? .allowed : .unanswered))
  }

  /// What the file's mode or its mount says is no word of a security module's.
  @Test func whatIsNotForExecutionIsNoAnswer() throws {
    let directory = try PrivateDirectory(prefix: "execution-check")
    let file = "\(directory.path)/file"
    try OwnedFD.open(file, [.writeOnly, .create]).writeAll([0x7f, 0x45, 0x4c, 0x46].rawSpan)
    #expect(try ask(file) == .unanswered)
    #expect(try ask("/proc/self/status") == .unanswered)
    #expect(try ask("/dev/null") == .unanswered)
  }
}
