import Base
import TestSupport
import Testing

/// `verity-bpf doctor` as a user runs it, on the machine the tests run on.
struct DoctorTests {
  private static let recorded = "\(Tools.repository)/Tests/Fixtures/hosts/secure-boot-6.12.json"

  @Test("The text fits 80 columns and ends with the code that the JSON's verdict means")
  func text() throws {
    let text = try VerityBPFCommand.run(["doctor"])
    for line in text.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    let json = try VerityBPFCommand.run(["doctor", "--json"])
    #expect(json.status == text.status)
    let answer = try json.json()
    #expect(answer["schema"] == "verity-bpf/doctor/1")
    let verdicts = [0: "good", 1: "incomplete", 6: "gaps"]
    #expect(answer["verdict"] == verdicts[json.status].map { .string($0) })
    #expect(text.errors == "")
  }

  @Test("What was recorded elsewhere is judged here")
  func recorded() throws {
    let result = try VerityBPFCommand.run(["doctor", "--facts", Self.recorded])
    #expect(result.status == 6)
    #expect(result.output.contains("kernel 6.12.117+deb12-cloud-amd64"))
    #expect(result.output.contains("gap[bpf-signatures]"))
  }

  @Test("What is recorded can be judged, and says the same as a direct look")
  func record() throws {
    let record = try VerityBPFCommand.run(["doctor", "--record"])
    #expect(record.status == 0)
    let directory = try TemporaryDirectory()
    let path = try directory.write("facts.json", record.output)
    let judged = try VerityBPFCommand.run(["doctor", "--facts", path, "--json"])
    #expect(try judged.json() == VerityBPFCommand.run(["doctor", "--json"]).json())
  }

  @Test("Dozens of the kernel's files are asked for, and the roots of its file systems are looked at once")
  func roots() throws {
    let directory = try TemporaryDirectory()
    let trace = directory.file("trace")
    _ = try VerityBPFCommand.run(
      ["doctor"], in: directory.path, wrapper: ["strace", "-f", "-qq", "-o", trace, "-e", "trace=openat,openat2"])
    let lines = String(decoding: try directory.read("trace"), as: UTF8.self).split(separator: "\n")
    #expect(lines.count { $0.contains("openat2(") } > 10)
    for root in ["/proc", "/sys"] {
      let opened = lines.filter { $0.contains("\"\(root)\"") }
      #expect(opened.count == 1, "\(root): \(opened)")
    }
  }

  @Test("A user without privileges is told what could not be read")
  func unprivileged() throws {
    guard Tools.isRoot else { return print("skipped: not root, so no privileges to give up") }
    let result = try VerityBPFCommand.run(
      ["doctor", "--json"], wrapper: ["setpriv", "--reuid", "65534", "--clear-groups", "--"])
    // A binary below a private directory cannot be run by others.
    guard result.status != 126, result.status != 127 else { return print("skipped: the binary is not reachable") }
    let answer = try result.json()
    guard case .array(let findings)? = answer["findings"] else {
      Issue.record("no findings")
      return
    }
    let signatures = findings.first { $0["id"] == "bpf-signatures" }
    #expect(signatures?["state"] == "unknown")
  }

  @Test(
    "Anything else than recorded facts is refused", arguments: ["{}", "[", #"{"schema":"verity-bpf/host-facts/1"}"#])
  func refusal(text: String) throws {
    let directory = try TemporaryDirectory()
    let result = try VerityBPFCommand.run(["doctor", "--facts", try directory.write("facts.json", text)])
    #expect(result.status == 3, "\(result.errors)")
  }
}
