/// A change of a file system that moves nothing: superblock, inodes and directories are numbers at fixed places.
enum FileSystemChange: CaseIterable {
  case head
  case numberInHead
  case inodeField
  case exchange
  case numberAnywhere
  case anything

  static func make(_ bytes: [UInt8], _ mutator: inout Mutator) -> [UInt8]? {
    guard bytes.count > 128 else { return nil }
    return mutator.changed(bytes, most: 4, by: allCases) { $0.make(&$1, &$2) }
  }

  private func make(_ bytes: inout [UInt8], _ mutator: inout Mutator) {
    // Inodes lie at multiples of 32 bytes.
    let inodes = bytes.count / 32
    switch self {
    case .head: mutator.change(&bytes, in: 0..<128)
    case .numberInHead: mutator.setNumber(&bytes, at: mutator.number(below: 32) * 4, size: 4)
    case .inodeField:
      let inode = mutator.number(below: inodes) * 32
      let field = [(0, 2), (2, 2), (4, 2), (6, 2), (8, 4), (16, 4), (20, 4), (24, 2)][mutator.number(below: 8)]
      mutator.setNumber(&bytes, at: inode + field.0, size: field.1)
    case .exchange:
      // One thing takes another's place.
      let (from, to) = (mutator.number(below: inodes) * 32, mutator.number(below: inodes) * 32)
      bytes.replaceSubrange(to..<to + 32, with: Array(bytes[from..<from + 32]))
    case .numberAnywhere:
      // Directory entries have twelve bytes.
      mutator.setNumber(
        &bytes, at: mutator.number(below: bytes.count / 4) * 4, size: [1, 2, 4, 8][mutator.number(below: 4)])
    case .anything: mutator.change(&bytes, in: 0..<bytes.count)
    }
  }
}

/// A change of a disk that moves nothing. Eleven bytes before it say how it is opened.
enum DiskChange {
  case options
  case number(size: Int)
  case anything

  static func make(_ bytes: [UInt8], _ mutator: inout Mutator) -> [UInt8]? {
    guard bytes.count > 64 else { return nil }
    return mutator.changed(
      bytes, most: 4, by: [.options, .number(size: 8), .number(size: 4), .anything, .anything] as [DiskChange]
    ) { $0.make(&$1, &$2) }
  }

  private func make(_ bytes: inout [UInt8], _ mutator: inout Mutator) {
    switch self {
    case .options: mutator.change(&bytes, in: 0..<11)
    case .number(let size):
      mutator.setNumber(&bytes, at: 11 + mutator.number(below: bytes.count / size) * size, size: size)
    case .anything: mutator.change(&bytes, in: 0..<bytes.count)
    }
  }
}
