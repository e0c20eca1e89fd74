import Base
import Linux
import TestSupport
import Testing

@testable import verity_bpf

/// BPF objects that are executed, and what registers this program for them. A user namespace has a binfmt_misc of its own
/// (Linux 6.7), in which nothing can be loaded; loading is tried in the test machine (ExecutableCases).
@Suite struct ExecutedObjectTests {
  private static let mount = "mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc"

  /// Why there is no such place here; nil where there is.
  private static let obstacle: String? = {
    let result = try? Subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "\(mount) 2>&1"])
    guard let result else { return "unshare(1) cannot be run" }
    return result.status == 0 ? nil : result.text.trimmed
  }()

  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    try directory.write(
      "executed.pol",
      "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD x_executed=TRUE action=ALLOW\n")
    // An ordinary file is vouched for by its signature.
    for path in ["trust", "trust/bpf"] { try Directory.create(directory.file(path)) }
    try Tools.run(
      "openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", directory.file("key"), "-out",
      directory.file("trust/bpf/alice.pem"), "-subj", "/CN=alice", "-days", "2")
    let signed = try VerityBPFCommand.run(
      ["sign", "file", "progs/xdp_counter.bpf.o", "--certificate", "trust/bpf/alice.pem", "--private-key", "key"],
      in: directory.path)
    try #require(signed.status == 0, "\(signed.errors)")
    try Tools.run("chmod", "755", directory.file("progs/xdp_counter.bpf.o"))
    try Tools.run("ln", "-s", VerityBPFCommand.path, directory.file("v"))
  }

  /// Runs a script with `v` for the command, in a user namespace with a binfmt_misc of its own.
  private func run(_ script: String, mounted: Bool = true) throws -> String {
    let wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    let start = mounted ? "\(Self.mount) && " : ""
    return try Subprocess.run(
      wrapper + ["cd '\(directory.path)' && F=/proc/sys/fs/binfmt_misc && \(start){ \(script)\n}"]
    ).text
  }

  /// The interpreter takes what the kernel hands over, and nothing by its path: IPE has not seen that.
  @Test func isRefusedByHand() throws {
    let object = "progs/xdp_counter.bpf.o"
    for words in [[object], ["./\(object)", "--json"], [directory.file(object)]] {
      let result = try VerityBPFCommand.run(words, in: directory.path)
      #expect(result.status == 64 && result.output.isEmpty, "\(words): \(result.errors)")
    }
    // A descriptor that the caller hands over is not the kernel's either.
    for named in [["--object", object], ["--fd", "3"]] {
      let result = try VerityBPFCommand.run(
        ["load"] + named + [
          "--policy", "executed.pol", "--trust-anchors", "trust", "--audit-dir", "audit", "--dry-run",
        ], object: directory.file(object), in: directory.path)
      #expect(result.status == 2, "\(named): \(result.errors)")
    }
  }

  @Test func helpIsAsReviewed() throws {
    let path = VerbPath(Verb("./agent.bpf.o", ExecutedObjectCommand.self))
    let text = Help.text(of: path) + "\n"
    try CommandFixture.rewrite("help/executed-object.txt", text)
    #expect(try CommandFixture.read("help/executed-object.txt") == text)
    for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    // Every option of `load` that does not name objects, and no other.
    let left = Set(LoadCommand.declaration.options.map(\.name)).subtracting(
      ExecutedObjectCommand.declaration.options.map(\.name))
    #expect(left == Set((ObjectChoice.keys + [LoadCommand.all, LoadCommand.attach]).map(\.parameter.name)))
  }

  @Test func generatesWhatSystemdReads() throws {
    let result = try VerityBPFCommand.run(["--generate-binfmt", "/usr/bin/verity-bpf"])
    #expect(result.status == 0 && result.output.hasSuffix(":/usr/bin/verity-bpf:OF\n"))
    for path in ["verity-bpf", "/a:b", "/" + String(repeating: "a", count: 127)] {
      let refused = try VerityBPFCommand.run(["--generate-binfmt", path])
      #expect(refused.status == 6 && refused.errors.contains("binfmt.interpreter"), "\(path): \(refused.errors)")
    }
  }

  @Test func registersAndTakesItAway() throws {
    if let obstacle = Self.obstacle { return print("skipped: no binfmt_misc of one's own: \(obstacle)") }
    let text = try run(
      """
      say() { echo "$1 $? $(grep -o 'error.[a-z.-]*' err) $(grep -o '"standing":"[a-z-]*","changed":[a-z]*' out)"; }
      v() { ./v "$@" --json > out 2> err; }
      v binfmt status; say before
      v binfmt enable; say enabled
      v binfmt enable; say again
      v binfmt status; say status
      echo 0 > $F/verity-bpf; v binfmt status; say off
      v binfmt enable; say on
      sleep 0.05; echo ':other:M:18:\\xf7\\x00::/bin/true:' > $F/register; v binfmt status; say second
      sleep 0.05; v binfmt enable; say first
      grep -o '"others".*' out
      echo 0 > $F/status; v binfmt status; say all-off
      v binfmt enable; say all-off
      echo 1 > $F/status; v binfmt disable; say disabled
      v binfmt disable; say again
      echo ':verity-bpf:E::o::/bin/true:OC' > $F/register; v binfmt status; say other
      v binfmt enable; say taken
      v binfmt disable; say disabled
      ls $F
      """)
    #expect(
      text == """
        before 1  "standing":"absent","changed":false
        enabled 0  "standing":"enabled","changed":true
        again 0  "standing":"enabled","changed":false
        status 0  "standing":"enabled","changed":false
        off 1  "standing":"disabled","changed":false
        on 0  "standing":"enabled","changed":true
        second 1  "standing":"second","changed":false
        first 0  "standing":"enabled","changed":true
        "others":["other"],"before":[]}
        all-off 1  "standing":"all-disabled","changed":false
        all-off 6 error[binfmt.disabled \n\
        disabled 0  "standing":"absent","changed":true
        again 0  "standing":"absent","changed":false
        other 1  "standing":"other","changed":false
        taken 1 error[binfmt.taken \n\
        disabled 0  "standing":"absent","changed":true
        other
        register
        status

        """, "\(text)")
  }

  /// Without a binfmt_misc of one's own there is that of the machine, mounted or not, which is not one's to change.
  @Test func elsewhereNothingIsChanged() throws {
    if let obstacle = Self.obstacle { return print("skipped: no binfmt_misc of one's own: \(obstacle)") }
    let hidden = try run(
      "mount -t tmpfs none $F; ./v binfmt enable; echo $?; ./v binfmt status; echo $?; ./v binfmt disable; echo $?; ls $F",
      mounted: false)
    #expect(hidden.matches(of: #/binfmt\.not-mounted/#).count == 3 && hidden.hasSuffix("\n6\n"), "\(hidden)")
    let readOnly = try run("mount -o remount,ro,bind $F; ./v binfmt enable; echo $?")
    #expect(readOnly.contains("EROFS") && readOnly.hasSuffix("\n1\n"), "\(readOnly)")
  }

  @Test func whatIsExecutedIsJudgedAsSuch() throws {
    if let obstacle = Self.obstacle { return print("skipped: no binfmt_misc of one's own: \(obstacle)") }
    let text = try run(
      """
      ./v binfmt enable > /dev/null
      o=./progs/xdp_counter.bpf.o
      ln -s xdp_counter.bpf.o progs/link
      cp progs/xdp_counter.bpf.o load
      cp progs/xdp_counter.bpf.o plain; chmod 644 plain
      cp progs/xdp_counter.bpf.o suid; chmod 4755 suid
      mkdir noexec; mount -t tmpfs -o noexec none noexec; cp -p $o noexec
      cp -p $o progs/damaged; truncate -s 100 progs/damaged
      say() { echo "$1 $?" $(grep -o 'error.[a-z.-]*\\|Error: .*\\|Permission denied' err | head -n 1); }
      a='--policy executed.pol --trust-anchors trust --audit-dir audit --interface lo'
      $o $a > out 2> err; say executed
      $o $a <&- > out 2> err; say no-input
      $o $a <&- >&- 2> err; say no-output
      progs/link $a > out 2> err; say link
      ./suid $a > out 2> err; say suid
      $o $a more > out 2> err; say argument
      $o $a --fd 3 > out 2> err; say option
      ./load --fd 3 $a 3< $o > out 2> err; say like-a-command
      ./plain $a > out 2> err; say no-bit
      ./noexec/xdp_counter.bpf.o $a > out 2> err; say noexec
      ./progs/damaged $a > out 2> err; say damaged
      $o --help > out 2> err; say help; grep -o 'Usage: [^ ]*' out
      ./v load --object $o $a --attach > out 2> err; say load
      grep -c '"stage":"attempt".*"executed":true,"fd":3,' audit/audit.jsonl
      grep -c '"stage":"decision".*"x_executed":true' audit/audit.jsonl
      """)
    let expected = """
      executed 5 error[load.user-namespace
      no-input 5 error[load.user-namespace
      no-output 5 error[load.user-namespace
      link 5 error[load.user-namespace
      suid 5 error[load.user-namespace
      argument 64 Error: `more` is not understood: there are only options here.
      option 64 Error: There is no option `--fd`.
      like-a-command 64 Error: There is no option `--fd`.
      no-bit 126 Permission denied
      noexec 126 Permission denied
      damaged 4 error[provenance.file-system
      help 0
      Usage: ./progs/xdp_counter.bpf.o
      load 2 error[policy.denied
      6
      5

      """
    #expect(text == expected, "\(text)")
  }
}
