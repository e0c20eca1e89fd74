import CTestSupport
import Glibc
import Linux
import TestSupport

/// The linking helper on this kernel: what its sandbox leaves it, and loads that it links.
enum LinkHelperCases {
  static let suite = Suite(
    name: "link-helper",
    cases: [
      Case("sandbox") { try triesEveryCall() },
      Case("loads") { try loads() },
      Case("missing") { try refusesWithoutHelper() },
      Case("outside") {
        let result = try load("variable")
        try Command.expectStatus(6, result)
        try expect(result.text.contains("helper.outside"), result.text)
      },
    ])

  /// Each system call that the helper does not need ends it.
  private static func triesEveryCall() throws {
    var index: Int32 = 0
    var isNeeded: Int32 = 0
    while let name = ts_sandbox_call(index, &isNeeded) {
      let status = ts_call_in_sandbox(index)
      let signal = status & 0x7f
      try expect(
        isNeeded == 1 ? status == 0 : signal == SIGSYS, "\(String(cString: name)): status \(status)")
      index += 1
    }
    try expect(index > 40, "\(index) calls")
  }

  /// What is linked by the helper is loaded as it is without it, and the record says so.
  private static func loads() throws {
    let directory = try Machine.temporaryDirectory()
    for method in ["in-process", "helper"] {
      let result = try load("function_entry", link: method, auditedIn: directory)
      try Command.expectStatus(0, result)
    }
    let log = try Machine.text("\(directory)/audit.jsonl")
    for method in ["in-process", "helper"] {
      try expect(log.contains("\"link\":\"\(method)\""), "no record of `\(method)`")
    }
    let tags = log.split(separator: "\"tag\":\"").dropFirst().map { $0.prefix(16) }
    try expect(tags.count == 2 && tags[0] == tags[1], "\(tags)")
  }

  private static func refusesWithoutHelper() throws {
    let directory = try Machine.temporaryDirectory()
    let program = "\(directory)/verity-bpf"
    _ = try Subprocess.run(["/bin/cp", "/usr/bin/verity-bpf", program])
    let result = try Subprocess.run([program] + arguments("function_entry", "helper", directory))
    try expect(result.status == 1 && result.text.contains("helper.missing"), result.text)
  }

  private static func load(
    _ object: String, link: String = "helper", auditedIn directory: String? = nil
  ) throws -> Command.Result {
    try Command.run(arguments(object, link, directory ?? Machine.temporaryDirectory()))
  }

  private static func arguments(_ object: String, _ link: String, _ directory: String) throws -> [String] {
    let hash = try Machine.text("/images/kernel.roothash").trimmed
    let policy = """
      policy_name=vm policy_version=1.0.0
      DEFAULT action=DENY
      op=BPF_PROG_LOAD dmverity_roothash=sha256:\(hash) action=ALLOW

      """
    try Machine.write("\(directory)/p.pol", Array(policy.utf8))
    return [
      "load", "--image", "/images/kernel.raw", "--object", "\(object).bpf.o", "--policy", "\(directory)/p.pol",
      "--audit-dir", directory, "--link", link,
    ]
  }
}
