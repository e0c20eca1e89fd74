import Policy
import Testing

@Suite struct KernelCorpusTests {
  @Test func theCorpusIsThere() {
    #expect(Corpus.rows.count == 140)
  }

  /// Policies that are loaded as new: parser and directory layer give the kernel's answer, name and version.
  @Test(arguments: Corpus.rows.filter { $0.operation == "new" && $0.answer != "EEXIST" })
  func newPolicy(row: Corpus.Row) throws {
    let document = PolicyDocument.parse(try Corpus.policy(row), dialect: .kernel)
    let answer = KernelAnswer(to: document)
    #expect(answer.word == row.answer, "\(document.diagnostics.map { $0.headline(file: row.id) })")
    guard row.answer == "ok" else {
      #expect(answer.name == nil)
      return
    }
    #expect(answer.name.map { Self.escaped($0) } == row.name)
    // One row's recorder could not read the version of a policy named `-`.
    if row.version != "-" { #expect(answer.version?.description == row.version) }
    #expect(document.isValid)
  }

  /// The life of the policies `life` and `LIFE`, in the order in which it was recorded.
  @Test func installAndUpdate() throws {
    var installed: [[UInt8]: PolicyVersion] = [:]
    for row in Corpus.rows {
      let document = PolicyDocument.parse(try Corpus.policy(row), dialect: .kernel)
      let names = Set(installed.keys)
      let answer: KernelAnswer
      if row.operation == "new" {
        answer = KernelAnswer(to: document, installed: names)
      } else {
        let name = Array(row.operation.dropFirst("update:".count).utf8)
        let version = try #require(installed[name])
        answer = KernelAnswer(to: document, updating: (name, version))
      }
      #expect(answer.word == row.answer, "row \(row.id)")
      if let name = answer.name, let version = answer.version, row.id.contains("life") { installed[name] = version }
    }
    #expect(installed[Array("life".utf8)] == PolicyVersion(.max, .max, .max))
  }

  /// The writing of names in the table.
  private static func escaped(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      if byte == 0x5c { return "\\\\" }
      return (0x20..<0x7f).contains(byte)
        ? String(Unicode.Scalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
