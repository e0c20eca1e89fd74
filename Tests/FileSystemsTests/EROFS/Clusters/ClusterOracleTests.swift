import Base
import FileSystems
import Linux
import TestSupport
import Testing
import Verity

/// Generated trees, packed by other people's programs in every way that they have, and read here and by the kernel.
@Suite struct ClusterOracleTests {
  /// A way to pack, for those versions that know the compression.
  struct Way: Sendable, CustomTestStringConvertible {
    let utilities: ErofsUtils
    let options: [String]
    let seed: UInt64
    var testDescription: String { "\(utilities.testDescription) \(options.joined(separator: " "))" }
  }

  /// erofs-utils 1.5 of Debian 12 has LZ4 alone, and neither fragments nor duplicates that are trustworthy.
  private static let oldOptions = [
    "-zlz4", "-zlz4hc,9", "-zlz4 -C65536", "-zlz4hc,12 -C16384", "-zlz4 -Elegacy-compress", "-zlz4 -Eztailpacking",
    "-zlz4hc -C65536 -Eforce-inode-extended", "-zlz4 -Elegacy-compress -C32768",
  ]
  private static let newOptions =
    oldOptions + [
      "-zdeflate", "-zlzma", "-zzstd", "-zlzma -C65536", "-zzstd -C1048576", "-zzstd,level=19 -Eztailpacking",
      "-zlz4 -Efragments", "-zzstd -Efragments,force-inode-extended", "-zdeflate -Eall-fragments", "-zlz4hc -Ededupe",
      "-zlz4hc -Ededupe -C65536", "-zzstd -Ededupe,fragments -C32768", "-zlzma -Eall-fragments,dedupe -C16384",
      "-zlz4 -Elegacy-compress,ztailpacking,force-inode-compact", "-zzstd -b512", "-zlz4 -b1024 -C8192",
      "-zdeflate -b2048 -Efragments", "-zzstd --chunksize=65536", "-zlz4 -Enosbcrc", "-zlz4 --max-extent-bytes=65536",
      "-zlz4:zstd", "-zlz4 --xattr-prefix=user.name.",
    ]

  static let ways: [Way] = ErofsUtils.all.flatMap { utilities in
    (utilities.suite == nil ? oldOptions : newOptions).enumerated().map { number, options in
      Way(
        utilities: utilities, options: options.split(separator: " ").map(String.init), seed: UInt64(number % 5 + 1))
    }
  }

  @Test(arguments: ways)
  func readsWhatWasPacked(way: Way) throws {
    let tree = try GeneratedTree(seed: way.seed)
    let bytes = try tree.image(by: way.utilities, way.options)
    let image = try open512(bytes)
    var found = 0
    try image.walk { entry throws(FileSystemError) in
      guard entry.inode.kind == .regular else { return }
      found += 1
      #expect(try image.obstacle(to: entry.inode) == nil)
      let contents = try image.readFile(entry.inode, limit: 16 << 20)
      #expect(contents == tree.files[entry.path], "\(entry.path)")
      let middle = entry.inode.size * 2 / 3
      let behind = try image.readFile(entry.inode, in: middle..<entry.inode.size)
      #expect(behind == Array(contents[Int(middle)...]), "the end of \(entry.path)")
    }
    #expect(found == tree.files.count)
  }

  /// The second witness: the kernel's mount of the same image has the same bytes.
  @Test(
    .enabled(if: Tools.isRoot, "mounting needs root"),
    arguments: ways.filter {
      $0.options.contains { $0.contains("dedupe") || $0.contains("tail") || $0.contains("frag") }
    })
  func agreesWithTheKernel(way: Way) throws {
    let tree = try GeneratedTree(seed: way.seed)
    let path = try tree.directory.write("image", try tree.image(by: way.utilities, way.options))
    let mounted: MountedImage
    do {
      mounted = try MountedImage(path, in: tree.directory)
    } catch {
      // Kernels are built without some of the compressions.
      print("skipped: this kernel does not mount \(way): \(error)")
      return
    }
    let image = try open512(try readAll(path))
    for (path, _) in tree.files.sorted(by: { $0.key < $1.key }) {
      let inode = try image.lookup(path)
      #expect(try FileStatus.of(path: mounted.file(path)).inode == inode.nid, "\(path)")
      #expect(try image.readFile(inode, limit: 16 << 20) == readAll(mounted.file(path)), "\(path)")
    }
  }
}

/// A tree of files of random sizes: noise, words, zeros, mixtures of them, and parts of each other.
final class GeneratedTree {
  let directory: TemporaryDirectory
  private(set) var files: [String: [UInt8]] = [:]
  private var generator: SplitMix
  private var words: [[UInt8]] = []

  init(seed: UInt64) throws {
    directory = try TemporaryDirectory()
    generator = SplitMix(state: seed)
    for _ in 0..<200 {
      words.append(
        (0..<Int.random(in: 2...8, using: &generator)).map { _ in UInt8.random(in: 97...122, using: &generator) })
    }
    try Directory.create("\(directory.path)/tree")
    for place in ["d0", "d1", "many"] { try Directory.create("\(directory.path)/tree/\(place)") }
    for index in 0..<24 {
      var contents = try some()
      // Deduplication finds what another file has, too.
      if let other = files.values.sorted(by: { $0.lexicographicallyPrecedes($1) }).randomElement(using: &generator),
        Int.random(in: 0..<4, using: &generator) == 0
      {
        contents = Array(other.prefix(Int.random(in: 1...80_000, using: &generator))) + contents
      }
      try add("d\(index % 2)/file-\(index)", contents)
    }
    for index in 0..<120 { try add("many/a-name-of-some-length-\(index)", Array(repeating: 0x78, count: index % 9)) }
    try add("sparse", [1] + [UInt8](repeating: 0, count: 1 << 20) + [2])
  }

  private func add(_ path: String, _ contents: [UInt8]) throws {
    try directory.write("tree/\(path)", contents)
    files[path] = contents
  }

  private func some() throws -> [UInt8] {
    let sizes = [0, 1, 100, 4095, 4096, 4097, 5000, 8191, 8192, 8193, 20_000, 65_536, 100_000, 300_000]
    let size = sizes.randomElement(using: &generator) ?? 0
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: return noise(size)
    case 1: return text(size)
    case 2: return [UInt8](repeating: 0, count: size)
    case 3: return text(size / 2) + noise(size / 2)
    default:
      var contents: [UInt8] = []
      while contents.count < size {
        let count = Int.random(in: 1...30_000, using: &generator)
        contents += Bool.random(using: &generator) ? noise(count) : text(count)
      }
      return Array(contents.prefix(size))
    }
  }

  private func noise(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  private func text(_ count: Int) -> [UInt8] {
    var text: [UInt8] = []
    while text.count < count { text += (words.randomElement(using: &generator) ?? []) + [0x20] }
    return Array(text.prefix(count))
  }

  func image(by utilities: ErofsUtils, _ options: [String]) throws -> [UInt8] {
    let path = directory.file("packed")
    let result = try Subprocess.run(
      [utilities.tool("mkfs.erofs"), "-T0", "-U00000000-0000-0000-0000-000000000001", "--all-root", "-x-1", "--quiet"]
        + options + [path, "\(directory.path)/tree"])
    guard result.status == 0 else { throw TestFailure(result.text) }
    return try readAll(path)
  }
}
