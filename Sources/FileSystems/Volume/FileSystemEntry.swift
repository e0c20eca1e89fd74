/// A path of the tree, relative to the root. All names of a directory share its text: a directory of many names, deep in the
/// tree, would take the names times the depth otherwise.
public struct FileSystemPath: Equatable, Sendable {
  /// The path of the directory, components separated by `/`; empty for the root.
  public let directory: String
  /// The name in it; empty for the root itself.
  public let name: String

  public init(directory: String, name: String) {
    self.directory = directory
    self.name = name
  }

  /// The whole path.
  public var text: String { directory.isEmpty ? name : "\(directory)/\(name)" }

  /// Bytes of the whole path.
  public var byteCount: Int { (directory.isEmpty ? 0 : directory.utf8.count + 1) + name.utf8.count }
}

/// A name of the tree together with the inode it leads to.
public struct FileSystemEntry: Equatable, Sendable {
  public let place: FileSystemPath
  public let inode: FileSystemInode

  /// Relative to the root, components separated by `/`; the root itself is empty.
  public var path: String { place.text }
}

/// One name in a directory.
public struct FileSystemName: Equatable, Sendable {
  /// 1 to 255 bytes of UTF-8 without `/` and NUL.
  public let name: String
  public let nid: UInt64
  /// What the entry says that the kernel shows as `st_ino`.
  public let number: UInt64
  /// What the entry says the inode is.
  public let kind: FileSystemInode.Kind
}

extension FileSystemName {
  /// The bytes as a name of a file; nil when no file can have it.
  static func text(_ bytes: [UInt8]) -> String? {
    guard 1...FileSystemLimits.nameBytes ~= bytes.count, !bytes.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") }),
      bytes.count > 2 || !bytes.allSatisfy({ $0 == UInt8(ascii: ".") })
    else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }
}
