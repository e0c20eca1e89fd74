import Base
import KernelABI
import KernelHeaders
import Linux
import TestSupport
import Testing

/// KernelABI against the kernel's headers: those that are installed, and the newest that Debian had.
@Suite struct HeaderTests {
  private static func installed(_ path: String) throws -> String {
    // linux/lsm.h came with 6.8.
    guard let file = try? OwnedFD.open("/usr/include/\(path)", .readOnly) else { return "" }
    return String(decoding: try #require(try file.readToEnd(limit: 8 << 20)), as: UTF8.self)
  }

  /// The release of the headers in /usr/include (linux-libc-dev).
  private static func installedRelease() throws -> KernelRelease {
    let code = try #require(CHeader(try installed("linux/version.h")).value(of: "LINUX_VERSION_CODE"))
    return KernelRelease(Int(code >> 16), Int(code >> 8 & 0xff), Int(code & 0xff))
  }

  /// Every constant has the header's number, is there when the release it is said to have come with is not newer than
  /// the headers, and is not there when it is.
  @Test func installedHeadersAgree() throws {
    let release = try Self.installedRelease()
    #expect(release >= KernelRelease(6, 1))
    let facts = try HeaderFacts(version: "\(release)") { try Self.installed($0) }
    #expect(facts.numbers["map types", default: [:]].count > 30 && facts.numbers["helpers", default: [:]].count > 200)
    let drift = facts.drift(asOf: release)
    #expect(drift.isEmpty, "\(drift.joined(separator: "\n"))")
  }

  /// The newest headers have nothing that KernelABI has not, and the other way round.
  @Test func newestHeadersAgree() throws {
    let bytes = try TemporaryDirectory().read("\(Tools.repository)/Tests/Fixtures/kernel-abi/numbers")
    let facts = try #require(HeaderFacts(text: String(decoding: bytes, as: UTF8.self)))
    let release = try #require(KernelRelease(parsing: facts.version))
    #expect(release >= KernelRelease(7, 3))
    #expect(facts.text == String(decoding: bytes, as: UTF8.self))
    for drift in [facts.drift(), facts.drift(asOf: release)] {
      #expect(drift.isEmpty, "\(drift.joined(separator: "\n"))")
    }
  }

  /// What is compared is what the module has: a vocabulary without names in the headers would agree with anything.
  @Test func everyVocabularyIsComparedByNames() throws {
    let bytes = try TemporaryDirectory().read("\(Tools.repository)/Tests/Fixtures/kernel-abi/numbers")
    let facts = try #require(HeaderFacts(text: String(decoding: bytes, as: UTF8.self)))
    for vocabulary in Vocabulary.all {
      let stated = facts.numbers[vocabulary.title] ?? [:]
      let shared = vocabulary.constants.filter { stated[$0.headerName] == $0.number }
      #expect(shared.count >= min(3, vocabulary.constants.count - 1), "\(vocabulary.title): \(stated)")
      #expect(Set(vocabulary.constants.map(\.headerName)).count == vocabulary.constants.count, "\(vocabulary.title)")
    }
  }

  @Test func driftIsFound() throws {
    let bytes = try TemporaryDirectory().read("\(Tools.repository)/Tests/Fixtures/kernel-abi/numbers")
    let text = String(decoding: bytes, as: UTF8.self)
    func drift(replacing old: String, by new: String) throws -> [String] {
      let start = try #require(text.firstRange(of: old))
      let changed = text.replacingCharacters(in: start, with: new)
      return try #require(HeaderFacts(text: changed)).drift()
    }
    let arena = "map types\tBPF_MAP_TYPE_ARENA\t33\n"
    #expect(try drift(replacing: arena, by: "") == ["map types: BPF_MAP_TYPE_ARENA (33) is not in the headers"])
    #expect(
      try drift(replacing: arena, by: "map types\tBPF_MAP_TYPE_ARENA\t99\n") == [
        "map types: BPF_MAP_TYPE_ARENA (33) has the number 99 in the headers",
        "map types: BPF_MAP_TYPE_ARENA (99) is not in KernelABI",
      ])
    #expect(
      try drift(replacing: arena, by: arena + "map types\tBPF_MAP_TYPE_NEW\t36\n") == [
        "map types: BPF_MAP_TYPE_NEW (36) is not in KernelABI"
      ])
    let old = try #require(HeaderFacts(text: text)).drift(asOf: KernelRelease(6, 8))
    #expect(old.contains("map types: BPF_MAP_TYPE_ARENA (33) is there already, and not only since 6.9"))
  }

  @Test func headersAreRead() {
    let header = CHeader(
      """
      /* enum wrong { NOT_ME }; */
      enum kinds { A, B = 4, C, D = B, E = (1U << 5) | 2, // F
        G, __MAX };
      #define FIRST 0x10 /* sixteen */
      #define SECOND (FIRST | \\
                      1)
      #define CALL(x) ((x) & 7)
      #define TEXT "text"
      #define B 77
      #define ___BPF_FUNC_MAPPER(FN, ctx...) \\
        FN(unspec, 0, ##ctx) \\
        FN(second, 2, ##ctx)
      """)
    #expect(header.enumerators(beside: "B") == ["A", "B", "C", "D", "E", "G", "__MAX"])
    #expect(["A", "B", "C", "D", "E", "G"].map { header.value(of: $0) } == [0, 4, 5, 4, 34, 35])
    #expect(header.value(of: "FIRST") == 16 && header.value(of: "SECOND") == 17)
    #expect(header.value(of: "CALL") == nil && header.value(of: "TEXT") == nil && header.value(of: "NOT_ME") == nil)
    #expect(header.value(of: "BPF_FUNC_second") == 2)
    #expect(CHeader("#define __BPF_FUNC_MAPPER(FN) FN(unspec), FN(first),").value(of: "BPF_FUNC_first") == 1)
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
    var copy = self
    copy.replaceSubrange(range, with: text)
    return copy
  }
}
