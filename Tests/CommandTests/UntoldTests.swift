import Base
import Linux
import TestSupport
import Testing

/// Standard output that is full, closed, or read by nobody any more: message, exit code, record and what is there agree.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loading and mounting need root"))
final class UntoldTests {
  /// What becomes of standard output, behind the command in a shell.
  private static let streams = [
    "full": "\"$@\" > /dev/full", "closed": "\"$@\" >&-",
    "broken": "{ \"$@\"; echo $? > status; } | true; exit $(cat status)",
  ]

  private let directory: TemporaryDirectory
  private let pins: String

  init() throws {
    directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    try directory.write("any.pol", "policy_name=any policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    try Tools.run(
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=t",
      "-keyout", directory.file("key.pem"), "-out", directory.file("cert.pem"))
    for name in ["mount", "bpf"] { try Directory.create(directory.file(name)) }
    pins = directory.file("bpf")
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
  }

  deinit {
    for name in ["bpf", "mount"] { _ = try? Tools.run("umount", "--lazy", directory.file(name)) }
  }

  private func run(_ stream: String, _ words: [String]) throws -> (status: Int, errors: String) {
    let script = "cd '\(directory.path)'; { \(Self.streams[stream] ?? ""); } 2> errors"
    let result = try Subprocess.run(["sh", "-c", script, "sh", VerityBPFCommand.path] + words)
    return (result.status, String(decoding: try directory.read("errors"), as: UTF8.self))
  }

  private func outcomes() throws -> [JSONValue?] {
    try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
      .filter { $0["stage"] == "outcome" }.map { $0["outcome"]?["result"] }
  }

  @Test(arguments: ["full", "closed", "broken"])
  func everythingThatIsDoneIsSaid(stream: String) throws {
    let signing = ["--certificate", "cert.pem", "--private-key", "key.pem"]
    let store = ["--store", "store", "--audit-dir", "audit"]
    func isThere(_ name: String) -> () -> Bool {
      { [directory] in (try? FileStatus.of(path: directory.file(name))) != nil }
    }
    // Each command, and whether what it does is done.
    let commands: [(words: [String], isDone: () -> Bool)] = [
      (["build-image", "progs", "-o", "p.raw"], isThere("p.raw")),
      (["sign", "root-hash", "p.raw"] + signing, isThere("p.roothash.p7s")),
      (["sign", "file", "progs/socket_filter.bpf.o", "-o", "s.bpf.o"] + signing, isThere("s.bpf.o")),
      (["policy", "sign", "any.pol"] + signing, isThere("any.p7b")),
      (["policy", "init", "--certificate", "cert.pem"] + store, isThere("store/state")),
      (["policy", "install", "any.p7b"] + store, { true }), (["policy", "activate", "any"] + store, { true }),
      (
        ["mount", "p.raw", "mount", "--no-device-mapper"],
        { [directory] in (try? Directory.names(directory.file("mount")).isEmpty) == false }
      ),
      (["umount", "mount"], { [directory] in (try? Directory.names(directory.file("mount")).isEmpty) == true }),
      (
        ["load", "--object", "s.bpf.o", "--policy", "any.pol", "--audit-dir", "audit", "--pin-path", "bpf/one"],
        isThere("bpf/one/prog/socket_filter")
      ),
      (
        [
          "load", "--object", "s.bpf.o", "--object", "progs/task_list.bpf.o", "--policy", "any.pol", "--audit-dir",
          "audit", "--pin-path", "bpf/two", "--json",
        ], isThere("bpf/two/s/prog/socket_filter")
      ),
      (["unload", "--pin-path", "bpf/one"], { [directory] in !isThere("bpf/one")() && directory.path != "" }),
    ]
    for (words, isDone) in commands {
      let (status, errors) = try run(stream, words)
      #expect(status == 7, "\(words): \(errors)")
      #expect(errors.contains("error[output.untold]: ") && errors.contains("    | "), "\(words): \(errors)")
      #expect(!errors.contains("nothing"), "\(words): \(errors)")
      #expect(isDone(), "\(words)")
      if words[0] == "load" {
        #expect(errors.contains("socket_filter") && errors.contains("bpf/"), "\(errors)")
      }
    }
    // What was not begun any more is on record as that, and nothing else is loaded than what the record says.
    let pinned = try Tools.run("find", pins, "-path", "*/prog/*", "-type", "f").split(separator: "\n").count
    let results = try outcomes()
    #expect(results.count == 3 && results.first == "loaded")
    #expect(results.filter { $0 == "loaded" }.count == pinned + 1, "one was unloaded since")
    #expect(results.allSatisfy { $0 == "loaded" || $0 == "not-begun" })
  }

  /// Where nothing stays, nothing is said to be done: it failed, or ends as any other program does.
  @Test func nothingIsDoneThatDoesNotStay() throws {
    let load = ["load", "--object", "progs/socket_filter.bpf.o", "--policy", "any.pol", "--audit-dir", "audit"]
    for stream in Self.streams.keys {
      let (status, errors) = try run(stream, load)
      #expect(status == 1 && errors.contains("nothing was pinned, so nothing stays loaded"), "\(stream): \(errors)")
      let (asked, _) = try run(stream, load + ["--dry-run"])
      #expect(asked == (stream == "broken" ? 128 + 13 : 1), "\(stream)")
      let (listed, _) = try run(stream, ["inspect", "progs/socket_filter.bpf.o"])
      #expect(listed == (stream == "broken" ? 128 + 13 : 1), "\(stream)")
    }
  }
}
