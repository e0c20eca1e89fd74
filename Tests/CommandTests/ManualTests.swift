import Linux
import TestSupport
import Testing
import Trust

@testable import verity_bpf

/// The manual pages that the command writes, and what tools/install puts where.
struct ManualTests {
  @Test("Every subcommand has a page, with every option, that the formatter takes without a warning")
  func pages() throws {
    let directory = try TemporaryDirectory()
    #expect(try VerityBPFCommand.run(["--generate-manual", directory.path]).status == 0)
    let pages = try Directory.names(directory.path)
    for name in ["verity-bpf.1", "verity-bpf-load.1", "verity-bpf-doctor.1", "verity-bpf-policy-check.1"] {
      #expect(pages.contains(name))
    }
    let help = try VerityBPFCommand.run(["load", "--help"]).output
    let load = String(decoding: try directory.read("verity-bpf-load.1"), as: UTF8.self)
    for match in help.matches(of: #/--[a-z-]+/#) {
      let option = String(match.output).replacing("-", with: "\\-")
      #expect(load.contains(option), "\(option)")
    }
    guard (try? Tools.run("groff", "--version")) != nil else {
      return print("skipped: no groff to check the pages with")
    }
    for page in pages { #expect(try Tools.run("groff", "-man", "-ww", "-z", directory.file(page)) == "") }
  }

  @Test("The page about the settings has each of them, its default and what it does")
  func settings() throws {
    let directory = try TemporaryDirectory()
    try #require(try VerityBPFCommand.run(["--generate-manual", directory.path]).status == 0)
    let page = String(decoding: try directory.read("verity-bpf.conf.5"), as: UTF8.self)
    for name in SettingName.allCases {
      #expect(name.summary.count > 20 && name.summary.hasSuffix("."), "\(name.rawValue): a sentence")
      let start = ".TP\n\\fB\(Manual.escaped(name.rawValue))\\fR = \\fI\(Manual.escaped(name.kind.expectation))\\fR\n"
      let text = "\(name.summary) (default: \(name.standard.text ?? "not set"))"
      #expect(page.contains(start + Manual.escaped(text) + "\n"), "\(name.rawValue)")
    }
    for place in Settings.directories { #expect(page.contains(Manual.escaped("\(place)/verity-bpf.conf.d/"))) }
    for (file, text) in [
      ("verity-bpf.1", "verity\\-bpf.conf\\fR(5)"), ("verity-bpf-config-show.1", "verity\\-bpf.conf\\fR(5)"),
    ] {
      #expect(String(decoding: try directory.read(file), as: UTF8.self).contains(text), "\(file)")
    }
  }

  @Test("Installing puts command, pages, completions and schemas below the prefix")
  func install() throws {
    let directory = try TemporaryDirectory()
    let prefix = directory.file("usr")
    let etc = directory.file("etc")
    try Tools.run("\(Tools.repository)/tools/install", VerityBPFCommand.path, prefix, etc, "/usr")
    for name in [
      "bin/verity-bpf", "share/man/man1/verity-bpf-self-test.1", "share/man/man5/verity-bpf.conf.5",
      "share/bash-completion/completions/verity-bpf",
      "share/zsh/site-functions/_verity-bpf", "share/fish/vendor_completions.d/verity-bpf.fish",
      "share/verity-bpf/schemas/doctor.schema.json",
    ] { #expect((try? FileStatus.of(path: "\(prefix)/\(name)"))?.kind == .regular, "\(name)") }
    #expect(try Tools.run("\(prefix)/bin/verity-bpf", "explain-error", "policy.denied").hasPrefix("policy.denied\n"))
    // The interpreter is where it will be found, not where it lies while a package is made.
    #expect(
      String(decoding: try directory.read("usr/lib/binfmt.d/verity-bpf.conf"), as: UTF8.self).hasSuffix(
        ":/usr/bin/verity-bpf:OF\n"))
    // How the log is rotated; what an administrator has made of it is kept.
    #expect(String(decoding: try directory.read("etc/logrotate.d/verity-bpf"), as: UTF8.self).contains("delaycompress"))
    try directory.write("etc/logrotate.d/verity-bpf", "ours")
    try Tools.run("\(Tools.repository)/tools/install", VerityBPFCommand.path, prefix, etc)
    #expect(try directory.read("etc/logrotate.d/verity-bpf") == Array("ours".utf8))
    try Tools.run("bash", "-n", "\(prefix)/share/bash-completion/completions/verity-bpf")
  }
}
