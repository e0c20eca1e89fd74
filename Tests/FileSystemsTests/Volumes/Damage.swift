import Base
import FileSystems
import Linux
import Testing
import Verity

extension [UInt8] {
  /// The same with one to three of these places changed: a bit, a byte, or a number at a border.
  func damaged(at places: [Int], using generator: inout SplitMix) -> [UInt8] {
    var changed = self
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      guard let place = places.randomElement(using: &generator) else { continue }
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: changed[place] = UInt8.random(in: .min ... .max, using: &generator)
      case 2: changed[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? 0
      default:
        let value: UInt32 = [0, 1, 0xffff, 0x7fff_ffff, 0xffff_ffff].randomElement(using: &generator) ?? 0
        if place + 4 <= changed.count { changed.storeLittleEndian(value, at: place) }
      }
    }
    return changed
  }
}

/// Every way to walk through a volume visits the same names: with what was verified kept or forgotten, and with threads that
/// share the directories.
func expectWalksAgree(_ bytes: [UInt8]) throws {
  var image = try open512(bytes)
  var paths: [String] = []
  try image.walk { entry throws(FileSystemError) in paths.append(entry.path) }
  var passed: [String] = [""]
  try image.passEntries { _, entry throws(FileSystemError) in passed.append(entry.path) }
  #expect(passed == paths)
  let shared = try AnyFileSystem<VerifiedDevice<ArraySource>>.shareEntries(
    among: Processors.threads(), open: { try open512(bytes) }, from: [String](),
    visit: { _, entry, found throws(FileSystemError) in found.append(entry.path) }, merge: { $0 += $1 })
  #expect(Set(shared + [""]) == Set(paths) && shared.count + 1 == paths.count)
  #expect(try image.files().map(\.path) == image.passFiles().map(\.path))
}
