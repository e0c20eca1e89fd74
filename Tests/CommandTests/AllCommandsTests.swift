import LinuxSys
import TestSupport
import Testing

@testable import CommandRuns

/// The command and the program it becomes for what it does not do itself.
@Suite struct AllCommandsTests {
  @Test func isFoundWhereItIsInstalledThenWhereItIsBuilt() {
    #expect(
      AllCommands.places(beside: "/usr/bin/verity-bpf") == [
        "/usr/libexec/verity-bpf/verity-bpf-commands", "/usr/bin/verity-bpf-commands",
      ])
    #expect(AllCommands.places(beside: "/verity-bpf").last == "/verity-bpf-commands")
  }

  /// Alone it does what it can, and says what the rest needs.
  @Test func saysWhatIsMissing() throws {
    let directory = try TemporaryDirectory()
    let alone = directory.file("verity-bpf")
    try Tools.run("install", "-m", "755", VerityBPFCommand.path, alone)
    #expect(try Tools.run(alone, "--version").hasPrefix("0."))
    let result = try Subprocess.run([alone, "doctor"])
    #expect(result.status == 1)
    #expect(result.text.hasPrefix("error[start.commands-missing]: "), "\(result.text)")
    // What is there and no program is not passed over for another.
    try directory.write("verity-bpf-commands", "no program\n")
    let damaged = try Subprocess.run([alone, "doctor"])
    #expect(damaged.status == 1)
    #expect(damaged.text.contains("verity-bpf-commands"), "\(damaged.text)")
  }

  /// Both programs are one tool: in lists of processes, and with every file that the caller has open.
  @Test func keepsNameAndOpenFiles() throws {
    let directory = try TemporaryDirectory()
    try directory.write("facts", "{")
    let result = try VerityBPFCommand.run(["inspect", "/dev/fd/3"], object: directory.file("facts"))
    #expect(result.errors.contains("image `/dev/fd/3`: no EROFS file system"), "\(result.errors)")
    try Tools.run("mkfifo", directory.file("pipe"))
    let script = """
      '\(VerityBPFCommand.path)' policy check '\(directory.file("pipe"))' & running=$!
      while [ "$(readlink /proc/$running/exe)" != '\(VerityBPFCommand.path)-commands' ]; do sleep 0.01; done
      sleep 0.2; cat /proc/$running/comm; kill $running
      """
    #expect(try Subprocess.run(["timeout", "20", "sh", "-c", script]).text == "verity-bpf\n")
  }
}
