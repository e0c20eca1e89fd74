import KernelABI
import Linux
import Testing

@Suite struct FileTypeTests {
  /// The types of files that every machine has, by their modes and by what statx(2) says of them.
  @Test func everyModeHasAType() throws {
    for type in FileType.allCases {
      for permissions: UInt16 in [0, 0o7777, 0o644] { #expect(FileType(mode: type.rawValue | permissions) == type) }
    }
    let known = Set(FileType.allCases.map(\.rawValue))
    for bits: UInt16 in 0..<16 where !known.contains(bits << 12) { #expect(FileType(mode: bits << 12 | 0o777) == nil) }
    #expect(try FileStatus.of(path: "/").kind == .directory)
    #expect(try FileStatus.of(path: "/dev/null").kind == .characterDevice)
    #expect(try FileStatus.of(path: "/proc/self/exe").kind == .regular)
    #expect(try FileStatus.of(path: "/proc/self/exe", followLinks: false).kind == .symbolicLink)
  }
}
