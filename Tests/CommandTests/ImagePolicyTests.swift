import Glibc
import Linux
import TestSupport
import Testing

/// Image policies of systemd (systemd.image-policy(7)) on our disks: known answers.
///
/// Image policies are not read here: which partition may be used in which state is systemd's to say, and what a program needs
/// is said by a policy of ours. What can be compared is what each state is: systemd has to find the tree and the signature where our
/// `verify` finds them, and a disk must not pass there for less than it is.
@Suite struct ImagePolicyTests {
  /// A policy, and whether it lets a disk without and one with a signature pass. Beside both lies their root hash, so that a use
  /// without the tree is refused.
  struct Line: Sendable, CustomTestStringConvertible {
    let policy: String
    let unsigned: Bool
    let signed: Bool
    var testDescription: String { policy }

    init(_ policy: String, _ unsigned: Bool, _ signed: Bool) {
      (self.policy, self.unsigned, self.signed) = (policy, unsigned, signed)
    }
  }

  private static let table = [
    Line("*", true, true), Line("-", false, false), Line("~", false, false),
    Line("root=open", true, true), Line("root=verity", true, true), Line("root=signed", false, true),
    Line("root=unprotected", false, false), Line("root=encrypted", false, false), Line("root=absent", false, false),
    Line("root=unused", false, false), Line("root=ignore", false, false), Line("root=verity:=ignore", true, true),
    Line("root=signed:=ignore", false, true), Line("usr=verity:=ignore", false, false),
    Line("root=verity+absent:usr=absent:=ignore", true, true),
  ]

  /// The systemd-dissect that `tools/vm/systemd` got; Debian 12's has no image policies.
  private static let dissect: [String]? = {
    let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
    let cache = getenv("XDG_CACHE_HOME").map { String(cString: $0) } ?? "\(home)/.cache"
    let root = "\(cache)/verity-bpf/vm/systemd/root"
    let words = ["\(root)/lib/ld-linux-x86-64.so.2", "--library-path", "\(root)/lib", "\(root)/systemd-dissect"]
    return (try? Subprocess.run(words + ["--version"]))?.status == 0 ? words : nil
  }()

  @Test(.enabled(if: dissect != nil, "no systemd with image policies: tools/vm/systemd gets one"))
  func systemdSeesWhatWeSee() throws {
    let dissect = try #require(Self.dissect)
    let directory = try LayoutTests.sources()
    for (name, signer) in [("unsigned", []), ("signed", LayoutTests.signer)] {
      let built = try BuildImageTests.build(directory, ["--layout=ddi"] + signer, output: "\(name).raw")
      #expect(built.status == 0, "\(built.errors)")
      let verified = try VerityBPFCommand.run(
        ["verify", "\(name).raw", "--certificate=cert.pem"], in: directory.path)
      #expect(verified.status == (name == "signed" ? 0 : 4), "\(verified.errors)")
      for line in Self.table {
        let words = dissect + ["--validate", "--image-policy=\(line.policy)", directory.file("\(name).raw")]
        let answer = try Subprocess.run(words)
        #expect((answer.status == 0) == (name == "signed" ? line.signed : line.unsigned), "\(line): \(answer.text)")
      }
    }
  }
}
