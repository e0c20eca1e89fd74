import Base
import Policy
import Testing

@testable import Trust

/// Texts of lists of what was revoked, and what is remembered of their versions.
@Suite struct ListTests {
  private static let digest = "sha256:" + String(repeating: "5a", count: 32)

  @Test func textIsReadAsWritten() throws {
    let digest = try #require(Digest(Self.digest))
    let identity = RevocationList.Identity(name: "fleet-1", version: PolicyVersion(1, 2, 3))
    let text = RevocationList.text(
      identity, lastDay: "2027-02-28", lines: Array("# why\nsigner \(Self.digest)".utf8),
      added: [(.object, digest), (.rootHash, digest)])
    let list = try RevocationList(text, path: "x")
    #expect(list.identity == identity && list.count == 3 && list.lastDay == "2027-02-28")
    #expect(list.end == 1_803_859_200)
    #expect(try RevocationList(RevocationList.text(identity, lastDay: nil, added: []), path: "x").end == nil)
    #expect(RevocationList.lines(of: text).starts(with: "# why\n".utf8))
  }

  /// Held against date(1).
  @Test(arguments: [
    ("1970-01-01", 0), ("1970-12-31", 364), ("1972-02-29", 789), ("2000-02-29", 11_016), ("2000-03-01", 11_017),
    ("2026-11-30", 20_787), ("2100-03-01", 47_541), ("9999-12-31", 2_932_896),
  ])
  func daysOfTheCalendar(_ day: String, _ number: Int64) { #expect(RevocationList.days(to: day) == number) }

  @Test(arguments: [
    "2026-02-29", "2100-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-1-01", "26-01-01", "2026-01-01 ",
    "2026/01/01", "1969-12-31", "+026-01-01", "",
  ])
  func noDays(_ day: String) { #expect(!RevocationList.isDay(day)) }

  @Test func names() {
    for name in ["fleet", "a.b-c_d", "9"] { #expect(RevocationList.isName(name), "\(name)") }
    for name in ["", ".a", "-a", "_a", "a/b", "a b", "é", String(repeating: "a", count: 65)] {
      #expect(!RevocationList.isName(name), "\(name)")
    }
  }

  @Test func versionsAreReadAsWritten() throws {
    var versions = ListVersions()
    versions.highest["fleet"] = ListVersions.Entry(
      version: PolicyVersion(1, 0, 0), message: try #require(Digest(Self.digest)))
    let bytes = try versions.encoded()
    #expect(try ListVersions(bytes) == versions)
    for place in bytes.indices {
      var other = bytes
      other[place] ^= 1
      #expect(throws: StoreState.DecodingFailure.self, "\(place)") { try ListVersions(other) }
    }
  }
}
