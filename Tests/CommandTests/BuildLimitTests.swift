import Base
import BPFObject
import FileSystems
import ImageFormat
import Linux
import TestSupport
import Testing

/// What `build-image` takes at most is what the other commands take.
@Suite struct BuildLimitTests {
  private static let limits = FileSystemLimits()

  /// A directory so deep that its object's path has so many components.
  private static func sources(depth: Int) throws -> (TemporaryDirectory, object: String) {
    let directory = try BuildImageTests.sources([])
    let path = [String](repeating: "d", count: depth - 1).joined(separator: "/")
    try Tools.run("mkdir", "-p", directory.file("progs/\(path)"))
    let object = "\(path)/a.bpf.o"
    try directory.write("progs/\(object)", try BuildImageTests.objects.get().read("progs/xdp_counter.bpf.o"))
    return (directory, object)
  }

  @Test func aPathOfAsManyComponentsAsThereMayBe() throws {
    let (directory, object) = try Self.sources(depth: Self.limits.depth)
    let built = try BuildImageTests.build(directory)
    #expect(built.status == 0, "\(built.errors)")
    let told = try VerityBPFCommand.run(["provenance", "--image", "out.raw", "--object", object], in: directory.path)
    #expect(told.status == 0, "\(told.errors)")
  }

  @Test func oneComponentMore() throws {
    let (directory, _) = try Self.sources(depth: Self.limits.depth + 1)
    let built = try BuildImageTests.build(directory)
    #expect(built.status == 1 && built.errors.contains("[build.bad-file]"), "\(built.errors)")
    #expect(built.errors.contains(Self.limits.allowed(.path)), "\(built.errors)")
  }

  /// An object that is too large is refused in the same words by the builder and by who reads it, and not read at all.
  @Test func anObjectThatIsTooLarge() throws {
    let directory = try BuildImageTests.sources(["a.bpf.o"])
    let path = directory.file("progs/a.bpf.o")
    try OwnedFD.open(path, .readWrite).truncate(to: UInt64(BPFObject.maximumByteCount) + 1)
    let built = try BuildImageTests.build(directory)
    #expect(built.status == 1 && built.errors.contains("[object.too-large]"), "\(built.errors)")
    #expect(built.errors.contains("at most \(BPFObject.maximumByteCount) bytes"), "\(built.errors)")
    // What is no object may be larger; as an object it is refused.
    try Tools.run("mv", path, directory.file("progs/large"))
    let head = try OwnedFD.open(directory.file("progs/large"), .readWrite)
    try head.writeAll([0].span.bytes, at: 0)
    let included = try BuildImageTests.build(directory, ["--include=large"])
    #expect(included.status == 0, "\(included.errors)")
    let told = try VerityBPFCommand.run(["provenance", "--image", "out.raw", "--object", "large"], in: directory.path)
    #expect(told.status == 4 && told.errors.contains("[provenance.too-large]"), "\(told.errors)")
    #expect(told.errors.contains("at most \(BPFObject.maximumByteCount) bytes"), "\(told.errors)")
    // At the limit it is looked into.
    try head.writeAll([0x7f].span.bytes, at: 0)
    try Tools.run("mv", directory.file("progs/large"), path)
    try OwnedFD.open(path, .readWrite).truncate(to: UInt64(BPFObject.maximumByteCount))
    let largest = try BuildImageTests.build(directory)
    #expect(!largest.errors.contains("too-large"), "\(largest.errors)")
  }

  /// The documentation has the numbers of the code.
  @Test func theLimitsAreDocumented() throws {
    let formats = String(decoding: try TemporaryDirectory().read("\(Tools.repository)/docs/formats.md"), as: UTF8.self)
    let limits =
      FileSystemLimits.Limit.allCases.map { Self.limits.allowed($0) } + [
        "at most \(BPFObject.maximumByteCount) bytes", "a manifest of at most \(Manifest.maximumByteCount) bytes",
      ]
    for limit in limits { #expect(formats.contains("| \(limit) |"), "\(limit)") }
  }
}
