/// A change of a file system that moves nothing: superblock, inodes and directories are numbers at fixed places.
enum FileSystemChange {
  static func make(_ bytes: [UInt8], _ mutator: inout Mutator) -> [UInt8]? {
    guard bytes.count > 128 else { return nil }
    var changed = bytes
    for _ in 0...mutator.number(below: 4) {
      switch mutator.number(below: 6) {
      case 0: mutator.change(&changed, in: 0..<128)
      case 1: mutator.setNumber(&changed, at: mutator.number(below: 32) * 4, size: 4)
      // Inodes lie at multiples of 32 bytes.
      case 2:
        let inode = mutator.number(below: bytes.count / 32) * 32
        let field = [(0, 2), (2, 2), (4, 2), (6, 2), (8, 4), (16, 4), (20, 4), (24, 2)][mutator.number(below: 8)]
        mutator.setNumber(&changed, at: inode + field.0, size: field.1)
      case 3:
        // One thing takes another's place.
        let (from, to) = (mutator.number(below: bytes.count / 32) * 32, mutator.number(below: bytes.count / 32) * 32)
        changed.replaceSubrange(to..<to + 32, with: Array(changed[from..<from + 32]))
      // Directory entries have twelve bytes.
      case 4:
        mutator.setNumber(
          &changed, at: mutator.number(below: bytes.count / 4) * 4, size: [1, 2, 4, 8][mutator.number(below: 4)])
      default: mutator.change(&changed, in: 0..<changed.count)
      }
    }
    return changed
  }
}

/// A change of a disk that moves nothing.
enum DiskChange {
  static func make(_ bytes: [UInt8], _ mutator: inout Mutator) -> [UInt8]? {
    guard bytes.count > 64 else { return nil }
    var changed = bytes
    for _ in 0...mutator.number(below: 4) {
      switch mutator.number(below: 5) {
      case 0: mutator.change(&changed, in: 0..<11)
      case 1: mutator.setNumber(&changed, at: 11 + mutator.number(below: bytes.count / 8) * 8, size: 8)
      case 2: mutator.setNumber(&changed, at: 11 + mutator.number(below: bytes.count / 4) * 4, size: 4)
      default: mutator.change(&changed, in: 0..<changed.count)
      }
    }
    return changed
  }
}
