internal import CLinuxShim
internal import Linux

/// What only an attacker with root does to a loop device.
public enum LoopControl {
  /// LOOP_CHANGE_FD: puts another backing file of the same size under a read-only loop device, mounted or not.
  public static func change(_ device: String, to path: String) throws {
    let loop = try OwnedFD.open(device, .readOnly)
    let file = try OwnedFD.open(path, .readOnly)
    let status = loop.withRaw { loop in file.withRaw { file in vb_loop_change_fd(loop, file) } }
    guard status == 0 else { throw Tools.Failure(description: "LOOP_CHANGE_FD \(device) failed") }
  }
}
