import LinuxSys
import PolicyWorkbench
import Testing

@Suite struct ErrorCatalogueTests {
  private static let rooms = [
    "PolicySyntax", "PolicyEngine", "PolicyWorkbench", "PolicyStore", "Signatures", "ObjectSignature", "TrustAnchors",
    "verity-bpf/Policy",
    "verity-bpf/Sign",
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

  /// Every code that a diagnostic of these rooms can have is explained, and nothing else is.
  @Test func codesAndParagraphsAgree() throws {
    let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/Sources"
    var used: Set<String> = []
    let code =
      #/["\[]((policy|facts|cases|loadpin|audit|(object-)?signature|trust|store)\.[a-z0-9]+(-[a-z0-9]+)*)["\]]/#
    for room in Self.rooms {
      for text in try Self.sources(below: "\(root)/\(room)") {
        for match in text.matches(of: code) {
          used.insert(String(match.output.1))
        }
      }
    }
    #expect(used.count > 60)
    let explained = Set(ErrorCatalogue.codes)
    #expect(used.subtracting(explained) == [])
    // Two codes are used by rooms above.
    #expect(explained.subtracting(used).subtracting(["audit.unwritable", "policy.denied"]) == [])
    for code in ErrorCatalogue.codes { #expect((ErrorCatalogue.paragraph(code) ?? "").utf8.count > 40) }
  }
}
