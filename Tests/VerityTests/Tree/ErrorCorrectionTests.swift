import Base
import TestSupport
import Testing
import Verity

/// Parity that veritysetup writes behind a tree is known by its bytes, and nothing else is taken for it.
@Suite(.enabled(if: VeritySetup.isInstalled(), "veritysetup is not installed"))
struct ErrorCorrectionTests {
  struct Case: Sendable {
    let blocks: Int
    let roots: Int
    var blockSize = 4096
    /// Blocks between tree and parity.
    var gap = 0
  }

  /// The data with its tree, and with parity behind that.
  private static func image(_ made: Case) throws -> (bytes: [UInt8], layout: VerityLayout) {
    let scratch = try TemporaryDirectory()
    let image = try Shape(blocks: made.blocks, dataBlockSize: made.blockSize, hashBlockSize: made.blockSize).image()
    let data = Int(image.layout.parameters.dataByteCount)
    let path = try scratch.write("image", image.bytes + [UInt8](repeating: 0, count: made.gap * made.blockSize))
    let format = try VeritySetup.run([
      "format", path, path, "--hash-offset=\(data)", "--data-blocks=\(made.blocks)",
      "--data-block-size=\(made.blockSize)", "--hash-block-size=\(made.blockSize)",
      "--salt=\(image.layout.parameters.saltText)", "--uuid=\(image.layout.superblock.uuid)", "--fec-device=\(path)",
      "--fec-offset=\(image.bytes.count + made.gap * made.blockSize)", "--fec-roots=\(made.roots)",
    ])
    #expect(format.status == 0, "\(format.text)")
    let bytes = try scratch.read(path)
    #expect(bytes.starts(with: image.bytes) && bytes.count > image.bytes.count)
    return (bytes, image.layout)
  }

  private static func refusal(_ bytes: [UInt8], _ layout: VerityLayout) -> VerityError? {
    do throws(VerityError) {
      _ = try VerityLayout.read(appendedTo: ArraySource(bytes), superblockOffset: layout.superblockOffset)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    Case(blocks: 77, roots: 2), Case(blocks: 2, roots: 24), Case(blocks: 700, roots: 3),
    Case(blocks: 300, roots: 16, blockSize: 512), Case(blocks: 500, roots: 2, gap: 5),
    Case(blocks: 3, roots: 7, blockSize: 1024, gap: 1),
  ])
  func isKnownByItsBytes(made: Case) throws {
    let (bytes, layout) = try Self.image(made)
    let offset = layout.treeEnd + UInt64(made.gap * made.blockSize)
    let refusal = Self.refusal(bytes, layout)
    #expect(refusal == .errorCorrection(offset: offset, roots: made.roots, treeEnd: layout.treeEnd))
    #expect(refusal?.diagnostic.category == .unsupported && refusal?.diagnostic.isSuspicious == false)
    // As data and tree of its own it is a window, and nothing behind it is read.
    let source = ArraySource(bytes)
    let window = try VerityLayout.read(data: source, hashes: source, superblockOffset: layout.superblockOffset)
    #expect(window.treeEnd == layout.treeEnd)
  }

  /// What is not parity of this very image, as far as that was worked out, is what it was: bytes under no hash.
  @Test func otherBytesAreSuspicious() throws {
    let (bytes, layout) = try Self.image(Case(blocks: 500, roots: 2, gap: 2))
    let (end, parity) = (Int(layout.treeEnd), Int(layout.treeEnd) + 2 * 4096)
    var changed: [[UInt8]] = []
    for place in [end, end + 4096, parity, parity + 8191] {
      var other = bytes
      other[place] ^= 1
      changed.append(other)
    }
    // The parity of other data; zeros; one block less or more.
    var other = bytes
    other[3] ^= 1
    changed.append(other)
    changed.append(Array(bytes[..<end]) + [UInt8](repeating: 0, count: bytes.count - end))
    changed += [Array(bytes.dropLast(4096)), bytes + [UInt8](repeating: 0, count: 4096), bytes + [0]]
    for bytes in changed {
      let refusal = Self.refusal(bytes, layout)
      #expect(refusal == .trailingBytes(.image, expected: layout.treeEnd, actual: UInt64(bytes.count)))
      #expect(refusal?.diagnostic.isSuspicious == true)
    }
  }
}
