internal import Base
internal import ImageFormat
public import Linux

extension ImageFile {
  /// A part of an image that can be put under a loop device.
  public enum Part: Sendable {
    /// The file from its first byte to its last.
    case whole
    /// The file system.
    case data
    /// Superblock and tree, when they do not follow the data.
    case hashes
  }

  /// Puts a part under a read-only loop device; needs root. The open files are used, no path is opened again.
  ///
  /// - Parameter label: what is written on the device, so that it is known again.
  public borrowing func attach(_ part: Part, label: String) throws(SystemError) -> AttachedLoop {
    guard part == .hashes else { return try data.attach(isWhole: part == .whole || kind != .ddi, label) }
    return switch hashes {
    case .some(let hashes): try hashes.attach(isWhole: kind == .sidecar, label)
    case nil: try data.attach(isWhole: true, label)
    }
  }
}

extension SourceWindow where Base == FileSource {
  /// - Parameter isWhole: whether the window is the file, as far as a device is concerned. A device over a whole file
  ///   has no limit, which is how it is recognised as one.
  fileprivate borrowing func attach(isWhole: Bool, _ label: String) throws(SystemError) -> AttachedLoop {
    if isWhole, start == 0 { return try AttachedLoop.attach(base.descriptor, label: label) }
    return try AttachedLoop.attach(base.descriptor, offset: start, sizeLimit: byteCount, label: label)
  }
}
