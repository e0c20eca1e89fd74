import Base
import Verity
import Linux
import TestSupport
import Testing

/// Both directions against veritysetup: what it builds is byte for byte what we build and passes here; what we build
/// passes there.
@Suite(.enabled(if: VeritySetup.isInstalled(), "veritysetup is not installed"))
struct VeritySetupTests {
  /// Every accepted block size, both algorithms, salts of no, some and all bytes, and sizes around level boundaries.
  static let shapes: [Shape] = {
    var shapes = [
      Shape(blocks: 1), Shape(blocks: 1, dataBlockSize: 512, hashBlockSize: 512, saltSize: 0), Shape(blocks: 2),
      Shape(blocks: 128, saltSize: 256), Shape(blocks: 129, saltSize: 0), Shape(blocks: 127, algorithm: .sha512),
      Shape(blocks: 20000, dataBlockSize: 512, hashBlockSize: 512, algorithm: .sha512),
      Shape(blocks: 16385, dataBlockSize: 512), Shape(blocks: 16384, dataBlockSize: 512),
      Shape(blocks: 5, dataBlockSize: 65536, hashBlockSize: 65536, saltSize: 1),
      Shape(blocks: 40, dataBlockSize: 65536, hashBlockSize: 512, algorithm: .sha512),
      Shape(blocks: 3000, dataBlockSize: 512, hashBlockSize: 65536, saltSize: 255),
    ]
    var generator = SeededGenerator(0x76657269)
    for seed in 0..<12 {
      let dataBits = Int.random(in: 9...13, using: &generator)
      shapes.append(
        Shape(
          blocks: Int.random(in: 1...(20000 >> (dataBits - 9)), using: &generator), dataBlockSize: 1 << dataBits,
          hashBlockSize: 1 << Int.random(in: 9...14, using: &generator),
          algorithm: Bool.random(using: &generator) ? .sha256 : .sha512,
          saltSize: Int.random(in: 0...256, using: &generator), seed: UInt64(seed)))
    }
    return shapes
  }()

  @Test(arguments: shapes)
  func agrees(shape: Shape) throws {
    let scratch = try TemporaryDirectory()
    let ours = try shape.image()
    let parameters = ours.layout.parameters
    let data = Array(ours.bytes.prefix(Int(parameters.dataByteCount)))

    // Theirs, appended to the same data, with our UUID: the same file.
    let theirs = try scratch.write("theirs", data)
    let format = try VeritySetup.run([
      "format", theirs, theirs, "--hash-offset=\(data.count)", "--data-blocks=\(shape.blocks)",
      "--data-block-size=\(shape.dataBlockSize)", "--hash-block-size=\(shape.hashBlockSize)",
      "--hash=\(shape.algorithm.rawValue)", "--salt=\(parameters.saltText)", "--uuid=\(ours.layout.superblock.uuid)",
    ])
    #expect(format.status == 0, "\(format.text)")
    #expect(format.text.contains(ours.rootHash.hex))
    let built = try scratch.read(theirs)
    #expect(built == ours.bytes)
    let source = ArraySource(built)
    let layout = try VerityLayout.read(appendedTo: source, superblockOffset: parameters.dataByteCount)
    #expect(layout == ours.layout)
    #expect(try verify(built, layout, ours.rootHash).isSound)

    // Ours, under their verification; then with one bit turned over in the last data block.
    var bytes = ours.bytes
    let path = try scratch.write("ours", bytes)
    let arguments = ["verify", path, path, ours.rootHash.hex, "--hash-offset=\(data.count)"]
    let good = try VeritySetup.run(arguments)
    #expect(good.status == 0, "\(good.text)")
    bytes[data.count - 1] ^= 0x80
    _ = try scratch.write("ours", bytes)
    #expect(try VeritySetup.run(arguments).status != 0)
    #expect(try !verify(bytes, layout, ours.rootHash).isSound)
  }

  @Test(arguments: [Shape(blocks: 1), Shape(blocks: 300), Shape(blocks: 77, dataBlockSize: 1024, hashBlockSize: 512)])
  func agreesOnSeparateHashFiles(shape: Shape) throws {
    let scratch = try TemporaryDirectory()
    let ours = try shape.image()
    let parameters = ours.layout.parameters
    let data = Array(ours.bytes.prefix(Int(parameters.dataByteCount)))
    let dataPath = try scratch.write("data", data)
    let hashPath = scratch.file("hashes")
    let format = try VeritySetup.run([
      "format", dataPath, hashPath, "--data-block-size=\(shape.dataBlockSize)",
      "--hash-block-size=\(shape.hashBlockSize)", "--salt=\(parameters.saltText)",
      "--uuid=\(ours.layout.superblock.uuid)",
    ])
    #expect(format.status == 0, "\(format.text)")

    let hashes = ArraySource(try scratch.read(hashPath))
    let layout = try VerityLayout.read(data: ArraySource(data), hashes: hashes)
    #expect(layout.placement == .separate)
    let report = try layout.verify(data: ArraySource(data), hashes: hashes, rootHash: ours.rootHash, threads: 2.threads)
    #expect(report.isSound && report.provenBlocks == UInt64(shape.blocks))
    let device = try VerifiedDevice(
      data: ArraySource(data), hashes: hashes, layout: layout, rootHash: ours.rootHash)
    for index in 0..<UInt64(shape.blocks) {
      let size = try device.block(index).bytes.byteCount
      #expect(size == shape.dataBlockSize)
    }

    var sink = ArraySink()
    #expect(try layout.writeTree(of: ArraySource(data), to: &sink, threads: 2.threads) == ours.rootHash)
    #expect(sink.bytes == hashes.bytes)

    // Either may be larger than what lies in it, and neither smaller.
    #expect(try VerityLayout.read(data: ArraySource(data + [1]), hashes: ArraySource(hashes.bytes + [1])) == layout)
    #expect(throws: VerityError.self) {
      try VerityLayout.read(data: ArraySource(data), hashes: ArraySource(Array(hashes.bytes.dropLast())))
    }
    #expect(throws: VerityError.self) {
      try VerityLayout.read(data: ArraySource(Array(data.dropLast())), hashes: hashes)
    }
  }

  /// What veritysetup makes without a word, and the whitelist does not take.
  @Test(arguments: [
    (["--format=0"], "hash type"), (["--hash=sha1"], "hash algorithm"), (["--format=0", "--hash=sha1"], "hash type"),
    (["--hash=sha3-256"], "hash algorithm"), (["--data-block-size=131072"], "data block size"),
    (["--hash-block-size=131072"], "hash block size"),
  ])
  func refusesWhatTheyAccept(options: [String], field: String) throws {
    let scratch = try TemporaryDirectory()
    let data = [UInt8](repeating: 5, count: 3 * 131072)
    let path = try scratch.write("data", data)
    let hashPath = scratch.file("hashes")
    let format = try VeritySetup.run(["format", path, hashPath, "--salt=0102"] + options)
    try #require(format.status == 0, "\(format.text)")
    let hashes = ArraySource(try scratch.read(hashPath))
    let error = #expect(throws: VerityError.self) { try VerityLayout.read(data: ArraySource(data), hashes: hashes) }
    #expect(error?.diagnostic.message.hasSuffix(field) == true)
  }
}
