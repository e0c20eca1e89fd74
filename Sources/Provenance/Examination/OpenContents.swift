internal import Linux

/// An open file that any thread may read: once, from its beginning, wherever the descriptor's own position is.
final class OpenContents: Sendable {
  private let descriptor: OwnedFD
  private let byteCount: Int

  private init(of descriptor: consuming OwnedFD, byteCount: Int) {
    self.descriptor = descriptor
    self.byteCount = byteCount
  }

  /// Reads a file's first bytes, unless the device that it is on is suspended, be it meanwhile.
  ///
  /// - Parameter device: the device of its file system.
  /// - Returns: the bytes, nil when the file ends before; or why they cannot be read.
  /// - Throws: ``ProvenanceError/suspended(_:)``, and what failed before anything was read.
  static func read(
    _ descriptor: borrowing OwnedFD, on device: DeviceNumber, byteCount: Int
  ) throws(ProvenanceError) -> Result<[UInt8]?, SystemError> {
    let contents: OpenContents
    do throws(SystemError) {
      contents = OpenContents(of: try descriptor.duplicate(), byteCount: byteCount)
    } catch {
      throw .system(error)
    }
    do throws(SuspendedDevice) {
      return try SuspendedDevice.bounding(device) { contents.read() }
    } catch {
      throw .suspended(error)
    }
  }

  private func read() -> Result<[UInt8]?, SystemError> {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    do throws(SystemError) {
      return .success(try descriptor.readFully(at: 0, into: &bytes) ? bytes : nil)
    } catch {
      return .failure(error)
    }
  }
}
