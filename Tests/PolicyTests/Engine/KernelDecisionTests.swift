import Linux
import Policy
import Testing

/// The decisions a running 6.12 kernel took, under Tests/Fixtures/ipe-corpus/decisions.
@Suite struct KernelDecisionTests {
  static let directory: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/Fixtures/ipe-corpus/decisions"
  }()

  static func read(_ name: String) throws -> [UInt8] {
    try OwnedFD.open("\(directory)/\(name)", .readOnly).readToEnd(limit: 1 << 20) ?? []
  }

  struct Row: CustomTestStringConvertible, Sendable {
    let policy: String
    let target: String
    let decision: String
    var testDescription: String { "\(policy) \(target)" }
  }

  static let rows: [Row] = {
    guard let table = try? read("kernel-6.12.tsv") else { return [] }
    return String(decoding: table, as: UTF8.self).split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "\t").map { String($0) }
      return fields.count == 3 && !line.hasPrefix("#")
        ? Row(policy: fields[0], target: fields[1], decision: fields[2]) : nil
    }
  }()

  /// The facts of the corpus's targets, from its README.
  static func facts(_ target: String) -> Facts {
    var facts = Facts(operation: .execute)
    facts.bootVerified = target.contains("initramfs") || target.contains("rootfs-written")
    facts.dmveritySignature = target.contains("dmv-signed")
    if target.contains("dmv-") {
      facts.dmverityRoothash = DigestLiteral("sha256:a8d490871bcc5829ec43a908c6d24c9e6f031dc5ea8fdf07138cee393ebd06ae")
    }
    facts.fsveritySignature = target.contains("ext4-fsv-signed")
    if target.contains("digest-in-policy") {
      facts.fsverityDigest = DigestLiteral("sha256:c1e960a8bfb3ddc0fe7d8c487bbb22dc93ed0f48e25cfb6981d9fa864f585ea2")
    } else if target.contains("sha512") {
      facts.fsverityDigest = DigestLiteral("sha512:" + String(repeating: "5a", count: 64))
    } else if target.contains("ext4-fsv") {
      facts.fsverityDigest = DigestLiteral("sha256:" + String(repeating: "5a", count: 32))
    }
    return facts
  }

  @Test func theRowsAreThere() { #expect(Self.rows.count == 144) }

  @Test(arguments: rows)
  func theEngineDecidesAsTheKernelDid(row: Row) throws {
    let document = PolicyDocument.parse(try Self.read("\(row.policy).pol"), dialect: .kernel)
    let policy = try CompiledPolicy(document)
    let facts = Self.facts(row.target)
    let decision = policy.decide(facts)
    #expect((decision.action == .allow) == (row.decision == "ok"))
    // The explanation goes through the rules one by one, without the index, and comes to the same line.
    let explanation = policy.explain(facts)
    #expect(explanation.rules.first { $0.matches }?.statement == (decision.reason == .rule ? decision.statement : nil))
  }
}
