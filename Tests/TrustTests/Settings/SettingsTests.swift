import Base
import Linux
import TestSupport
import Testing

@testable import Trust

/// Where settings come from, what is refused in them, and who may write them. All below a root of the test's own.
@Suite struct SettingsTests {
  let directory: TemporaryDirectory
  private var root: String { directory.file("root") }

  init() throws { directory = try TemporaryDirectory() }

  private func write(_ path: String, _ text: String) throws {
    let parent = path.split(separator: "/").dropLast().joined(separator: "/")
    try Tools.run("mkdir", "-p", "\(root)/\(parent)")
    try directory.write("root/\(path)", text)
  }

  private func settings() throws -> Settings { try Settings.read(root: root) }

  private func code(_ body: () throws -> Void) -> String {
    do { try body() } catch let error as any Diagnosable { return error.diagnostic.code } catch { return "\(error)" }
    return "none"
  }

  @Test func withoutFilesTheStandardValuesHold() throws {
    let settings = try settings()
    for name in SettingName.allCases {
      #expect(settings.value(name).value == name.standard && settings.value(name).origin == nil)
    }
    #expect(settings.files.isEmpty && settings.binding == nil)
  }

  /// Of the main file the first counts; drop-ins of all directories by their names, of two with one name the first.
  @Test func theOrderOfFiles() throws {
    for (place, number) in zip(["etc", "run", "usr/local/lib", "usr/lib"], 1...) {
      try write("\(place)/verity-bpf/verity-bpf.conf", "policy-store = /main/\(number)\n")
    }
    #expect(try settings().directory(.policyStore) == "/main/1")
    try Tools.run("rm", "\(root)/etc/verity-bpf/verity-bpf.conf")
    #expect(try settings().directory(.policyStore) == "/main/2")
    try write("usr/lib/verity-bpf/verity-bpf.conf.d/50-vendor.conf", "policy-store=/vendor\naudit-dir=/vendor\n")
    try write("run/verity-bpf/verity-bpf.conf.d/60-run.conf", "# a remark\n\n; another\naudit-dir = /run-time \r\n")
    let both = try settings()
    #expect(both.directory(.policyStore) == "/vendor" && both.directory(.auditDirectory) == "/run-time")
    let origin = try #require(both.value(.auditDirectory).origin)
    #expect(origin.path.hasSuffix("/run/verity-bpf/verity-bpf.conf.d/60-run.conf") && origin.line == 4)
    #expect(both.files.count == 3)
    // The same name in a directory that comes before takes the place of the other, and an empty one masks it.
    try write("etc/verity-bpf/verity-bpf.conf.d/50-vendor.conf", "trust-anchors=/site/./trust/\n")
    let replaced = try settings()
    #expect(replaced.directory(.policyStore) == "/main/2" && replaced.directory(.trustAnchors) == "/site/trust")
    try Tools.run("ln", "-s", "/dev/null", "\(root)/etc/verity-bpf/verity-bpf.conf.d/60-run.conf")
    try write("etc/verity-bpf/verity-bpf.conf.d/50-vendor.conf", "")
    #expect(try settings().directory(.auditDirectory) == "/var/log/verity-bpf")
    // An empty main file masks those after it.
    try write("etc/verity-bpf/verity-bpf.conf", "")
    #expect(try settings().directory(.policyStore) == PolicyStore.standardDirectory)
    // Other names are not read.
    for name in ["a.conf~", "b.txt", ".c.conf"] { try write("etc/verity-bpf/verity-bpf.conf.d/\(name)", "nonsense") }
    #expect(try settings().files.isEmpty)
  }

  @Test(arguments: [
    ("require-active-polcy=yes", "settings.unknown"), ("Policy-Store=/x", "settings.unknown"),
    ("=x", "settings.unknown"),
    ("require-active-policy", "settings.syntax"), ("[verity-bpf]", "settings.syntax"),
    ("audit-dir=/a\u{1b}[2J", "settings.syntax"),
    ("audit-dir=/a\naudit-dir=/b", "settings.syntax"), ("require-active-policy=", "settings.value"),
    ("require-active-policy=maybe", "settings.value"), ("require-active-policy=YES", "settings.value"),
    ("audit-dir=log", "settings.value"), ("audit-dir=/var/../etc", "settings.value"),
    ("policy-store=/", "settings.value"), ("audit-sync=", "settings.value"), ("audit-sync=yes", "settings.value"),
    ("audit-sync=Always", "settings.value"), ("audit-sync = always", "none"),
    ("require-active-policy=yes", "none"), ("require-active-policy = off # no remark here", "settings.value"),
  ])
  func lines(text: String, expected: String) throws {
    try write("etc/verity-bpf/verity-bpf.conf", "# first\n\(text)")
    #expect(code { _ = try settings() } == expected)
    guard expected != "none" else { return }
    do { _ = try settings() } catch let error as SettingsError {
      let message = error.diagnostic.message
      #expect(message.contains("verity-bpf.conf`, line \(text.contains("\n") ? 3 : 2)"), "\(message)")
    }
  }

  @Test func whoMayWrite() throws {
    let file = "etc/verity-bpf/verity-bpf.conf"
    try write(file, "require-active-policy=yes\n")
    #expect(try settings().binding?.line == 1)
    for path in [file, "etc/verity-bpf", "etc"] {
      let mode = try FileStatus.of(path: "\(root)/\(path)").mode
      try Directory.setPermissions("\(root)/\(path)", mode | 0o020)
      #expect(code { _ = try settings() } == "settings.permissions", "\(path)")
      try Directory.setPermissions("\(root)/\(path)", mode)
      guard Tools.isRoot else { continue }
      try Tools.run("chown", "65534", "\(root)/\(path)")
      #expect(code { _ = try settings() } == "settings.permissions", "\(path)")
      try Tools.run("chown", "0", "\(root)/\(path)")
    }
    #expect(try settings().binding != nil)
    try Tools.run("rm", "\(root)/\(file)")
    try Tools.run("mkfifo", "\(root)/\(file)")
    #expect(code { _ = try settings() } == "settings.not-a-file", "which must not wait for a writer")
    try Tools.run("rm", "\(root)/\(file)")
    try write("etc/verity-bpf/verity-bpf.conf.d", "no directory")
    #expect(code { _ = try settings() } == "settings.unreadable")
  }

  @Test func whatBinds() throws {
    try write(
      "etc/verity-bpf/verity-bpf.conf", "audit-dir=/site/log\nrequire-active-policy=yes\ntrust-anchors=/site/trust\n")
    let settings = try settings()
    for given in [nil, "/site/log", "/site/log/", "/site//log"] {
      #expect(code { _ = try settings.chosen(.auditDirectory, by: "--audit-dir", given) } == "none")
    }
    for given in ["/site/logs", "log", "", "/site/log/../other"] {
      #expect(code { _ = try settings.chosen(.auditDirectory, by: "--audit-dir", given) } == "settings.binding")
    }
    do { try settings.requireChoiceOfPolicy("mine.pol", by: "--policy") } catch {
      let message = error.diagnostic.message
      #expect(message.contains("--policy `mine.pol`") && message.contains("require-active-policy"))
      #expect(message.contains("/etc/verity-bpf/verity-bpf.conf`, line 2"))
    }
    #expect(code { try settings.requireChoiceOfPolicy("mine.pol", by: "--policy") } == "settings.binding")
    // Without a directory of its own the standard places count, and no other.
    try write("etc/verity-bpf/verity-bpf.conf", "require-active-policy=yes\n")
    let standard = try self.settings()
    #expect(code { _ = try standard.chosen(.trustAnchors, by: "--trust-anchors", "/x") } == "settings.binding")
    #expect(try standard.chosen(.trustAnchors, by: "--trust-anchors", nil) == nil)
    try write("etc/verity-bpf/verity-bpf.conf", "audit-dir=/site/log\n")
    let free = try self.settings()
    #expect(try free.chosen(.auditDirectory, by: "--audit-dir", "/x") == "/x")
    try free.requireChoiceOfPolicy("mine.pol", by: "--policy")
  }

  /// A caller may wait for more records than the settings want, and not for fewer.
  @Test func whatBindsTheSync() throws {
    let words = AuditSync.allCases
    #expect(words == [.none, .decision, .always] && words.sorted() == words)
    for (own, text) in zip(words, ["", "audit-sync=decision\n", "audit-sync=always\n"]) {
      for binds in [false, true] {
        try write("etc/verity-bpf/verity-bpf.conf", text + (binds ? "require-active-policy=yes\n" : ""))
        let settings = try settings()
        #expect(settings.auditSync == own)
        #expect(try settings.chosenSync(by: "--audit-sync", nil) == own)
        for given in words {
          let isRefused = binds && given < own
          let found = code {
            let chosen = try settings.chosenSync(by: "--audit-sync", given)
            #expect(chosen == given)
          }
          #expect(found == (isRefused ? "settings.binding" : "none"), "\(own) \(given) \(binds)")
        }
      }
    }
    do { _ = try settings().chosenSync(by: "--audit-sync", AuditSync.none) } catch let error as SettingsError {
      let diagnostic = error.diagnostic
      #expect(
        diagnostic.message.contains("--audit-sync `none`") && diagnostic.message.contains("verity-bpf.conf`, line 2"))
      #expect(diagnostic.expected?.hasPrefix("audit-sync as it is set") == true)
    }
  }

  /// A caller may have objects linked with fewer rights than the settings want, and not with more.
  @Test func whatBindsTheLinking() throws {
    let words = LinkMethod.allCases
    #expect(words == [.inProcess, .helper] && words.sorted() == words)
    for (own, text) in zip(words, ["", "link=helper\n"]) {
      for binds in [false, true] {
        try write("etc/verity-bpf/verity-bpf.conf", text + (binds ? "require-active-policy=yes\n" : ""))
        let settings = try settings()
        #expect(settings.link == own)
        #expect(try settings.chosenLink(by: "--link", nil) == own)
        for given in words {
          let found = code {
            let chosen = try settings.chosenLink(by: "--link", given)
            #expect(chosen == given)
          }
          #expect(found == (binds && given < own ? "settings.binding" : "none"), "\(own) \(given) \(binds)")
        }
      }
    }
    try write("etc/verity-bpf/verity-bpf.conf", "link=somewhere\n")
    #expect(throws: SettingsError.self) { try settings() }
  }

  /// docs/configuration.md has the table of settings as it is here; `make generated` writes it.
  @Test func theDocumentationSaysTheSame() throws {
    let path = "\(Tools.repository)/docs/configuration.md"
    let page = String(decoding: try directory.read(path), as: UTF8.self)
    let rows = SettingName.allCases.map { name in
      "| `\(name.rawValue)` | \(name.kind.expectation) | \(name.standard.text.map { "`\($0)`" } ?? "not set") | \(name.summary) |\n"
    }
    let table = "| setting | value | default | what it does |\n|---|---|---|---|\n" + rows.joined()
    let (begin, end) = ("<!-- The table of settings begins; `make generated` writes it. -->\n", "<!-- It ends. -->\n")
    let parts = page.split(separator: begin, maxSplits: 1)
    try #require(parts.count == 2)
    let rest = parts[1].split(separator: end, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(rest.count == 2)
    if Environment.value("VERITY_BPF_WRITE_GENERATED") != nil {
      let file = try OwnedFD.open(path, [.writeOnly, .truncate])
      try file.writeAll(Array("\(parts[0])\(begin)\(table)\(end)\(rest[1])".utf8).rawSpan)
    } else {
      #expect(rest[0] == table, "`make generated` writes it")
    }
  }
}
