internal import Base
public import KernelABI

/// The formats of file systems that are read here; the raw value begins the codes of their refusals.
public enum FileSystemFormat: String, CaseIterable, Sendable {
  case erofs
  case squashfs
  /// ext2 and ext3 too.
  case ext4

  /// As people call it.
  public var name: String {
    switch self {
    case .erofs: "EROFS"
    case .squashfs: "squashfs"
    case .ext4: "ext4"
    }
  }

  /// Its number in the kernel.
  public var magic: FileSystemMagic {
    switch self {
    case .erofs: .erofs
    case .squashfs: .squashfs
    case .ext4: .ext4
    }
  }

  /// The one that statfs(2) says a file is on; nil for those that no reader here knows.
  public init?(statfs number: UInt64) {
    guard let format = Self.allCases.first(where: { $0.magic.rawValue == number }) else { return nil }
    self = format
  }

  /// The one whose superblock lies in the first bytes of a device; nil for none of them.
  ///
  /// EROFS comes first: where it has its magic other formats may have anything, but its reader wants zeros at their places.
  ///
  /// - Parameter head: the first 2 KiB, or as much as the device has.
  public init?(head: borrowing RawSpan) {
    for format in Self.allCases {
      guard let place = SuperblockPlace(of: format.magic),
        let found = try? head.slice(at: place.offset, count: place.bytes.count), found.copyBytes() == place.bytes
      else { continue }
      self = format
      return
    }
    return nil
  }

  /// All names, for messages: `EROFS or squashfs`.
  public static var names: String {
    let names = allCases.map(\.name)
    return names.dropLast().reduce("") { $0.isEmpty ? $1 : "\($0), \($1)" } + " or " + (names.last ?? "")
  }
}
