import Testing

@testable import Linux

/// Lines of /proc/self/mountinfo.
@Suite struct MountTableTests {
  private func entry(_ line: String) -> Mount.Entry? { Mount.entry(Array(line.utf8)[...]) }

  @Test func whatALineSays() throws {
    let line =
      "119 67 0:42 /sub /a\\040b ro,relatime shared:23 master:1 - overlay x "
      + "ro,lowerdir=/c\\134:d\\054e\\075f:/g,redirect_dir=on"
    let found = try #require(entry(line))
    #expect(found.identifier == 119 && found.parent == 67 && found.device == DeviceNumber(major: 0, minor: 42))
    #expect(found.place == Mount.Place(root: "/sub", path: "/a b") && found.type == "overlay")
    #expect(
      found.options == [
        Mount.Option("ro"), Mount.Option("lowerdir", "/c\\:d,e=f:/g"), Mount.Option("redirect_dir", "on"),
      ])
  }

  @Test func whatIsNoLine() {
    #expect(entry("") == nil && entry("1 2 3") == nil)
    #expect(entry("1 2 0:1 / /m ro - tmpfs x") == nil)
    #expect(entry("x 2 0:1 / /m ro - tmpfs x rw") == nil && entry("1 2 01 / /m ro - tmpfs x rw") == nil)
  }

  /// The kernel's own list has the mount that a file was opened through.
  @Test func theMountOfAnOpenFile() throws {
    let file = try OwnedFD.open("/proc/self/mountinfo", .readOnly)
    let identifier = try Mount.identifier(ofOpenFile: file.withRaw { $0 })
    let entries = try Mount.entries()
    #expect(entries.contains { $0.identifier == identifier && $0.type == "proc" && $0.place.path == "/proc" })
    #expect(throws: SystemError.self) { try Mount.identifier(ofOpenFile: 9999) }
  }
}
