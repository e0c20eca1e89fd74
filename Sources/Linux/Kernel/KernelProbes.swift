public import KernelABI
internal import CLinuxShim
internal import Glibc

/// Questions that the kernel answers by what it does, because no file says it or the file cannot be reached.
///
/// Every probe loads a program of a few instructions that does nothing, and closes it at once.
public enum KernelProbes {
  /// What the kernel said: nil when it took the program, else the errno's name (`E2BIG`).
  public typealias Answer = String?

  /// BPF_PROG_LOAD with these bytes as the program's signature (6.18 and later).
  ///
  /// - Parameters:
  ///   - signature: nil for the control: the same program without a signature. An empty one still has an address,
  ///     because the kernel takes a NULL address for no signature at all.
  ///   - keyring: see ``BPF/ProgramSignature/keyring``.
  public static func loadProgram(signature: [UInt8]?, keyring: Int32 = 0) -> Answer {
    guard let signature else { return name(vb_probe_program_signature(nil, 0, 0)) }
    let padded = signature + [0]
    return name(
      unsafe padded.withUnsafeBytes { bytes in
        unsafe vb_probe_program_signature(bytes.baseAddress, UInt32(clamping: signature.count), keyring)
      })
  }

  /// BPF_PROG_LOAD of a raw tracepoint program that calls a helper.
  ///
  /// - Parameter helper: one that takes an address, eight bytes and a buffer; nil
  ///   for the control: the same program without the call.
  public static func loadProgram(callingHelper helper: Helper?) -> Answer {
    name(vb_probe_helper(helper.map { Int32($0.rawValue) } ?? 0))
  }

  /// The ids of the active security modules in their order (lsm_list_modules(2), 6.8 and later;
  /// include/uapi/linux/lsm.h). Nil where the kernel does not have the call.
  public static func securityModuleIDs() -> [UInt64]? {
    var ids = [UInt64](repeating: 0, count: 64)
    let count = unsafe ids.withUnsafeMutableBufferPointer { buffer in
      unsafe vb_lsm_list(buffer.baseAddress, buffer.count)
    }
    return count < 0 ? nil : Array(ids.prefix(Int(count)))
  }

  private static func name(_ error: CInt) -> Answer { error == 0 ? nil : SystemError("bpf", errno: error).errnoName }
}
