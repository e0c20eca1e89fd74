import Linux
import Workbench
import Testing

@Suite struct ErrorCatalogueTests {
  /// What codes begin with: the part before the dot.
  private static let subjects = [
    "annotation", "audit", "binfmt", "build", "cases", "dm-table", "erofs", "explain", "facts", "fsverity", "gate",
    "helper",
    "host",
    "image",
    "json", "kernel", "kernel-signature", "layout", "load", "loadpin", "manifest", "mount", "object",
    "object-signature",
    "output", "policy", "provenance", "ps", "self-test", "settings", "sign",
    "signature", "start", "store", "system", "trust", "unload", "verify", "verity",
  ]

  /// Strings of the same form that are none.
  // Names of files, and `helper.id` as a subscript.
  private static let noCodes: Set<String> = [
    "audit.jsonl", "audit.lock", "audit.log", "audit.spare", "helper.id", "verity.d",
  ]

  private static func sources(below directory: String) throws -> [String] {
    try Directory.names(directory).flatMap { name -> [String] in
      let path = "\(directory)/\(name)"
      if name.hasSuffix(".swift") {
        guard !name.hasPrefix("ErrorCatalogue") else { return [] }
        let bytes = try OwnedFD.open(path, .readOnly).readToEnd(limit: 1 << 20) ?? []
        return [String(decoding: bytes, as: UTF8.self)]
      }
      return (try? sources(below: path)) ?? []
    }
  }

  /// Every code that a diagnostic anywhere can have is explained, and nothing else is.
  @Test func codesAndParagraphsAgree() throws {
    let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/Sources"
    var used: Set<String> = []
    // Diagnostics in texts begin with their code in brackets.
    let literal = #/["\[]([a-z][a-z-]*)\.([a-z0-9]+(?:-[a-z0-9]+)*)["\]]/#
    // However a code is written, a diagnostic is made of it here.
    let made = #/(?:Diagnostic|warning)\(\s*"([a-z0-9-]+)\./#
    var subjects: Set<String> = []
    for text in try Self.sources(below: root) {
      for match in text.matches(of: literal) where Self.subjects.contains(String(match.output.1)) {
        used.insert("\(match.output.1).\(match.output.2)")
      }
      // The one module whose codes are put together from two parts.
      if text.contains("\"\\(format.rawValue).\\(check.rawValue)\"") {
        let checks = ["block"] + text.matches(of: #/case \w+ = "([a-z-]+)"/#).map { String($0.output.1) }
        for format in ["erofs", "squashfs", "ext4"] { for check in checks { used.insert("\(format).\(check)") } }
        // EROFS alone has no other checksums, and what is no file system at all is its to say.
        used.subtract(["erofs.metadata-checksum"])
        for format in ["squashfs", "ext4"] { used.subtract(["\(format).not-erofs", "\(format).boot-area"]) }
      }
      for match in text.matches(of: made) { subjects.insert(String(match.output.1)) }
    }
    #expect(subjects.subtracting(Self.subjects) == [], "subjects that this test does not know")
    #expect(used.count > 200)
    let explained = Set(ErrorCatalogue.codes)
    #expect(used.subtracting(explained).subtracting(Self.noCodes) == [])
    #expect(explained.subtracting(used) == [])
    for code in ErrorCatalogue.codes { #expect((ErrorCatalogue.paragraph(code) ?? "").utf8.count > 40, "\(code)") }
  }
}
