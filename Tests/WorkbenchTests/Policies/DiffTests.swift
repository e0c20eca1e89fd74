import Base
import Policy
import Workbench
import Testing

@Suite struct DiffTests {
  @Test func layoutAndOrderOfIndependentRulesDoNotCount() throws {
    let old = parse("op=EXECUTE boot_verified=TRUE action=ALLOW\nop=KMODULE boot_verified=TRUE action=ALLOW")
    let new = parse(
      "# other\nop=KMODULE boot_verified=TRUE action=ALLOW\n\nop=EXECUTE  boot_verified=TRUE action=ALLOW")
    #expect(try PolicyDiff(old: old, new: new).isEmpty)
  }

  @Test func anOrderThatMattersIsFound() throws {
    let first = "op=EXECUTE boot_verified=TRUE action=ALLOW\n"
    let second = "op=EXECUTE dmverity_signature=FALSE action=DENY\n"
    let diff = try PolicyDiff(old: parse(first + second), new: parse(second + first))
    let change = try #require(diff.changes.first)
    #expect(diff.changes.count == 1)
    #expect(change.facts.bootVerified == true && change.facts.dmveritySignature == false)
    #expect(change.before.action == .allow && change.after.action == .deny)
  }

  /// Changes that examples made from single rules do not show, each with facts of which nothing can be left out.
  @Test(arguments: [
    // A path that lies in two patterns.
    (
      "dmverity_signature=TRUE x_path=/progs/net/* action=ALLOW",
      "x_path=/progs/*/xdp_drop.bpf.o action=DENY|dmverity_signature=TRUE x_path=/progs/net/* action=ALLOW",
      [#"{"op":"BPF_PROG_LOAD","dmverity_signature":true,"x_path":"/progs/net/xdp_drop.bpf.o"}"#]
    ),
    // An object of several kinds of programs, none of which alone decides.
    (
      "x_prog_type=xdp action=DENY|x_prog_type=tracing action=DENY|x_prog_type=xdp,tracing action=ALLOW",
      "x_prog_type=xdp action=DENY|x_prog_type=tracing action=DENY",
      [#"{"op":"BPF_PROG_LOAD","x_prog_type":["xdp","tracing"]}"#]
    ),
    // Both directions between the same rules.
    (
      "x_path=/progs/** x_image_version_min=1 action=ALLOW", "x_path=/progs/* action=ALLOW",
      [
        #"{"op":"BPF_PROG_LOAD","x_path":"/progs//","x_image_version":"1"}"#,
        #"{"op":"BPF_PROG_LOAD","x_path":"/progs/"}"#,
      ]
    ),
    // What a witness vouches for.
    (
      "x_witness=KERNEL action=ALLOW", "x_witness=BOTH action=ALLOW",
      [
        #"{"op":"BPF_PROG_LOAD","dmverity_roothash":"sha256:\#(Self.zeros)","x_witness":"KERNEL"}"#
      ]
    ),
  ])
  func changesBetweenRules(old: String, new: String, shown: [String]) throws {
    func policy(_ rules: String) -> PolicyDocument {
      parse(rules.split(separator: "|").map { "op=BPF_PROG_LOAD \($0)\n" }.joined())
    }
    let diff = try PolicyDiff(old: policy(old), new: policy(new))
    #expect(diff.isComplete && diff.changes.map { $0.facts.json.compact }.sorted() == shown.sorted())
    let same = try PolicyDiff(old: policy(old), new: policy(old))
    #expect(same.isComplete && same.isEmpty)
  }
  private static let zeros = String(repeating: "00", count: 32)

  /// Policies that are written otherwise and mean the same.
  @Test(arguments: [
    ("x_path=/a/** action=ALLOW|x_path=/a/b action=ALLOW", "x_path=/a/** action=ALLOW"),
    (
      "x_configured=TRUE action=DENY|action=ALLOW",
      "x_configured=TRUE action=DENY|x_configured=FALSE action=ALLOW|action=ALLOW"
    ),
    (
      "x_image_version_min=1 x_image_version_min=2 action=ALLOW", "x_image_version_min=2.0 action=ALLOW"
    ),
    ("x_path=/** action=ALLOW", "x_path=** action=ALLOW"),
    // Facts that cannot be together.
    ("bpf_keyring=BPF bpf_signature=OK action=ALLOW", "bpf_signature=OK bpf_keyring=BPF action=ALLOW"),
  ])
  func sameMeaning(old: String, new: String) throws {
    func policy(_ rules: String) -> PolicyDocument {
      parse(rules.split(separator: "|").map { "op=BPF_PROG_LOAD \($0)\n" }.joined())
    }
    let diff = try PolicyDiff(old: policy(old), new: policy(new))
    #expect(diff.isComplete && diff.isEmpty, "\(diff.changes.map { $0.facts.json.compact })")
  }

  /// What was not looked at is said, whatever was found.
  @Test func aBoundIsSaid() throws {
    let old = parse("op=BPF_PROG_LOAD x_path=/a action=ALLOW\nop=BPF_PROG_LOAD x_class=FULL action=ALLOW")
    let new = parse("op=BPF_PROG_LOAD x_class=FULL action=ALLOW\nop=BPF_PROG_LOAD x_path=/b action=ALLOW")
    #expect(try PolicyDiff(old: old, new: new).isComplete)
    #expect(try !PolicyDiff(old: old, new: new, effort: 20).isComplete)
    #expect(try PolicyDiff(old: old, new: new, effort: 20).json["complete"] == false)
  }

  @Test func permissiveIsAChange() throws {
    let new = parse("", header: "policy_name=t policy_version=1.0.0 x_enforcing=FALSE")
    let diff = try PolicyDiff(old: parse(""), new: new)
    #expect(diff.changes.isEmpty && !diff.isEmpty)
  }

  /// Every difference that random facts show is found by the diff, and every example of the diff is a difference.
  @Test func againstRandomFacts() throws {
    let digests = (0..<3).map { "sha256:" + String(repeating: "0\($0)", count: 32) }
    let properties =
      digests.map { "dmverity_roothash=\($0)" } + digests.map { "x_signer=\($0)" } + [
        "dmverity_signature=TRUE", "dmverity_signature=FALSE", "bpf_signature=OK", "bpf_signature=METADATA_VERIFIED",
        "bpf_signature=UNSIGNED", "x_witness=KERNEL", "x_witness=BOTH", "x_lockdown=INTEGRITY", "x_lockdown=NONE",
        "x_prog_type=xdp,lsm", "x_prog_type=lsm,kprobe", "x_image_version_min=1", "x_image_version_min=2",
      ]
    func rules() -> String {
      (0..<Int.random(in: 0...6)).map { _ in
        let chosen = properties.shuffled().prefix(Int.random(in: 0...2)).joined(separator: " ")
        return "op=BPF_PROG_LOAD \(chosen) action=\(Bool.random() ? "ALLOW" : "DENY")\n"
      }.joined()
    }
    var differing = 0
    for _ in 0..<300 {
      let (old, new) = (parse(rules()), parse(rules()))
      guard old.isValid, new.isValid else { continue }
      let diff = try PolicyDiff(old: old, new: new)
      let (before, after) = (try CompiledPolicy(old), try CompiledPolicy(new))
      for change in diff.changes {
        #expect(before.decide(change.facts).action != after.decide(change.facts).action)
      }
      for _ in 0..<60 {
        var facts = Facts(operation: .bpfProgLoad)
        for property in properties.shuffled().prefix(6) {
          let parts = property.split(separator: "=", maxSplits: 1).map { String($0) }
          try? facts.set(parts[0], parts[0] == "x_prog_type" ? (Bool.random() ? "lsm" : "kprobe") : parts[1])
        }
        if before.decide(facts).action != after.decide(facts).action {
          differing += 1
          #expect(
            !diff.changes.isEmpty, "\(facts)\nold \(before.decide(facts).ruleText)\nnew \(after.decide(facts).ruleText)"
          )
        }
      }
    }
    #expect(differing > 100)
  }
}
