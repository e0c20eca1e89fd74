import Base
@testable import FileSystems
import Testing

/// The extents of a file, against a table with a row for each of its bytes.
@Suite struct ExtentTests {
  /// A file of a few extents in an image of random bytes: the extents, and the bytes that the file must have.
  private static func randomFile(
    _ generator: inout some RandomNumberGenerator, image: [UInt8]
  ) -> (extents: FileExtents, contents: [UInt8]) {
    var extents = FileExtents()
    var contents: [UInt8] = []
    var next = 0
    for _ in 0..<Int.random(in: 0...6, using: &generator) {
      let count = Int.random(in: 0...9, using: &generator)
      switch Int.random(in: 0..<3, using: &generator) {
      case 0:
        extents.append(UInt64(count), at: nil)
        contents += repeatElement(0, count: count)
        continue
      // Behind the last one in the image, or elsewhere.
      case 1: break
      default: next = Int.random(in: 0..<image.count - 9, using: &generator)
      }
      next = min(next, image.count - 9)
      extents.append(UInt64(count), at: UInt64(next))
      contents += image[next..<next + count]
      next += count
    }
    return (extents, contents)
  }

  private static func bytes(_ extents: some Sequence<FileExtent>, of image: [UInt8]) -> [UInt8] {
    extents.flatMap { extent in
      extent.imageOffset.map { Array(image[Int($0)..<Int($0 + extent.count)]) }
        ?? [UInt8](repeating: 0, count: Int(extent.count))
    }
  }

  @Test func everyRangeHasItsBytes() {
    var generator = SystemRandomNumberGenerator()
    let image = (0..<200).map { _ in UInt8.random(in: 1...255, using: &generator) }
    for _ in 0..<200 {
      let (extents, contents) = Self.randomFile(&generator, image: image)
      #expect(extents.byteCount == UInt64(contents.count))
      #expect(Self.bytes(extents, of: image) == contents)
      for start in 0...contents.count + 1 {
        for end in start...contents.count + 3 {
          let parts = extents.within(UInt64(start)..<UInt64(end))
          let expected = contents.dropFirst(start).prefix(max(0, end - start))
          #expect(Self.bytes(parts, of: image) == Array(expected), "\(start)..<\(end) of \(extents)")
          // Each begins where the one before ends, and none is empty.
          var place = UInt64(start)
          for part in parts {
            #expect(part.fileOffset == place && part.count > 0)
            place += part.count
          }
        }
      }
    }
  }

  @Test func neighboursAreOne() {
    var extents = FileExtents()
    extents.append(4096, at: 8192)
    extents.append(4096, at: 12288)
    extents.append(10, at: nil)
    extents.append(0, at: 0)
    extents.append(20, at: nil)
    extents.append(7, at: 16384)
    #expect(
      Array(extents) == [
        FileExtent(fileOffset: 0, imageOffset: 8192, count: 8192),
        FileExtent(fileOffset: 8192, imageOffset: nil, count: 30),
        FileExtent(fileOffset: 8222, imageOffset: 16384, count: 7),
      ])
    #expect(Array(extents.within(.max - 1..<(.max))).isEmpty)
    #expect(Array(FileExtents().within(0..<5)).isEmpty)
  }
}
