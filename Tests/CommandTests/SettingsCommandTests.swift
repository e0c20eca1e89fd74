import Base
import Linux
import TestSupport
import Testing

/// Settings of the host, as its commands keep to them. /run is a file system of each run's own, in a mount namespace that
/// nobody else sees.
@Suite(.enabled(if: Tools.isRoot, "not root: nothing can be mounted")) struct SettingsCommandTests {
  let directory: TemporaryDirectory

  /// An image, a policy of the caller's that allows it, and an active one that denies everything.
  init() throws {
    directory = try BuildImageTests.sources(["a.bpf.o"])
    try #require(BuildImageTests.build(directory).status == 0)
    try directory.write("mine.pol", "policy_name=mine policy_version=0.0.0\nDEFAULT action=ALLOW\n")
    try directory.write("site.pol", "policy_name=site policy_version=1.0.0\nDEFAULT action=DENY\n")
    try Directory.create(directory.file("trust"))
    try Tools.run(
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
      directory.file("key"), "-out", directory.file("crt"), "-subj", "/CN=site")
    let store = ["--store", directory.file("store"), "--audit-dir", directory.file("log")]
    for arguments in [
      ["sign", "site.pol", "--certificate", "crt", "--private-key", "key"], ["init", "--certificate", "crt"] + store,
      ["install", "site.p7b"] + store, ["activate", "site"] + store,
    ] {
      let result = try VerityBPFCommand.run(["policy"] + arguments, in: directory.path)
      try #require(result.status == 0, "\(result.errors)")
    }
    try directory.write(
      "settings",
      "# This host\npolicy-store=\(directory.file("store"))\naudit-dir = \(directory.file("log"))\n"
        + "require-active-policy=yes\naudit-sync=decision\n")
  }

  /// Runs a command on a host with these settings.
  private func run(_ arguments: [String], settings: String = "settings") throws -> VerityBPFCommand.Result {
    let script = """
      mount -t tmpfs -o mode=755 none /run
      mkdir /run/verity-bpf
      install -m 644 \(settings) /run/verity-bpf/verity-bpf.conf
      exec "$@"
      """
    return try VerityBPFCommand.run(
      arguments, in: directory.path, wrapper: ["unshare", "--mount", "sh", "-ec", script, "sh"])
  }

  private let object = ["load", "--image", "out.raw", "--object", "a.bpf.o"]

  @Test func noCallerChoosesAnother() throws {
    let free = try VerityBPFCommand.run(object + ["--policy", "mine.pol", "--dry-run"], in: directory.path)
    try #require(free.status == 0, "\(free.errors)")
    for (option, value) in [("--policy", "mine.pol"), ("--audit-dir", "elsewhere"), ("--trust-anchors", "trust")] {
      for dryRun in [[], ["--dry-run"]] {
        let result = try run(object + [option, value] + dryRun)
        #expect(result.status == 64 && result.output.isEmpty)
        #expect(result.errors.contains("error[settings.binding]: \(option) `\(value)`"), "\(result.errors)")
        #expect(result.errors.contains("`/run/verity-bpf/verity-bpf.conf`, line 4"), "\(result.errors)")
      }
    }
    #expect((try? FileStatus.of(path: directory.file("elsewhere"))) == nil)
    let weaker = try run(object + ["--audit-sync", "none"])
    #expect(weaker.status == 64 && weaker.errors.contains("settings.binding"), "\(weaker.errors)")
    #expect(weaker.errors.contains("audit-sync as it is set, or a word that waits for more records: decision"))
    for word in ["decision", "always"] {
      let result = try run(object + ["--audit-sync", word])
      #expect(result.status == 2 && result.errors.contains("the active policy denies"), "\(word): \(result.errors)")
    }
    let mount = try run(["mount", "out.raw", "trust", "--trust-anchors", "trust"])
    #expect(mount.status == 64 && mount.errors.contains("settings.binding"), "\(mount.errors)")
    let change = try run(["policy", "activate", "site", "--audit-dir", "elsewhere"])
    #expect(change.status == 64 && change.errors.contains("settings.binding"), "\(change.errors)")
  }

  /// Without options the active policy decides, and the log of the settings has the decision.
  @Test func theActivePolicyDecides() throws {
    let denied = try run(object)
    #expect(denied.status == 2 && denied.errors.contains("the active policy denies"), "\(denied.errors)")
    let records = String(decoding: try directory.read("log/audit.jsonl"), as: UTF8.self)
    #expect(records.contains("a.bpf.o"))
    let same = try run(object + ["--audit-dir", directory.file("log") + "/"])
    #expect(same.status == 2, "\(same.errors)")
    let list = try run(["policy", "list"])
    #expect(list.status == 0 && list.output.contains("site 1.0.0"), "\(list.errors)")
  }

  /// What cannot be understood binds as well: nothing goes on without it.
  @Test func aDamagedFileStopsEveryCommand() throws {
    try directory.write("damaged", "require-active-polcy=yes\n")
    for arguments in [object + ["--policy", "mine.pol"], ["policy", "list"], ["config", "show"], ["ps"]] {
      let result = try run(arguments, settings: "damaged")
      #expect(result.status == 3 && result.errors.contains("error[settings.unknown]"), "\(arguments): \(result.errors)")
    }
  }

  @Test func configShow() throws {
    let text = try run(["config", "show"])
    #expect(text.status == 0, "\(text.errors)")
    let lines = text.output.split(separator: "\n")
    #expect(lines.count == 6)
    #expect(lines.last == "require-active-policy  yes  (/run/verity-bpf/verity-bpf.conf, line 4)")
    #expect(lines.contains("link                   in-process  (default)"), "\(lines)")
    #expect(lines.contains("trust-anchors          not set  (default)"), "\(lines)")
    #expect(lines.contains("audit-sync             decision  (/run/verity-bpf/verity-bpf.conf, line 5)"), "\(lines)")
    let json = try run(["config", "show", "--json"]).json()
    guard case .array(let settings)? = json["settings"] else {
      Issue.record("\(json)")
      return
    }
    #expect(settings[5]["value"] == true && settings[5]["line"] == 4 && settings[4]["value"] == .null)
    #expect(settings[2]["name"] == "audit-sync" && settings[2]["value"] == "decision" && settings[2]["line"] == 5)
    #expect(json["files"] == ["/run/verity-bpf/verity-bpf.conf"])
    let none = try VerityBPFCommand.run(["config", "show", "--json"])
    #expect(none.status == 0, "\(none.errors)")
  }
}
