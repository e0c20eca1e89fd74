internal import CLinuxShim
internal import Glibc
internal import KernelABI

/// bpf(2), command by command. Nothing here decides anything: what the kernel says is returned or thrown.
///
/// Numbers and layouts: include/uapi/linux/bpf.h. Every descriptor is close-on-exec and has one owner.
public enum BPF {
  /// One call of bpf(2) with the attributes of its command; returns the command's result.
  ///
  /// EAGAIN is answered by trying again: BPF_PROG_LOAD gives up with it when a signal is pending.
  static func call<Attributes>(
    _ command: BPFCommand, _ attributes: inout Attributes, path: String? = nil
  ) throws(SystemError) -> CInt {
    var attempts = 0
    while true {
      let answer = call(command.rawValue, &attributes)
      guard answer.error != 0 else { return answer.result }
      attempts += 1
      guard answer.error == EAGAIN, attempts < 5 else {
        throw SystemError("bpf \(command.headerName)", path: path, errno: answer.error)
      }
    }
  }

  /// bpf(2) itself; `error` is 0 when it worked.
  private static func call<Attributes>(
    _ command: UInt32, _ attributes: inout Attributes
  ) -> (result: CInt, error: CInt) {
    let size = UInt32(MemoryLayout<Attributes>.size)
    let result = unsafe withUnsafeMutablePointer(to: &attributes) { unsafe vb_bpf(command, $0, size) }
    return (result, result >= 0 ? 0 : Glibc.errno)
  }

  /// A call whose result is the descriptor of a new object.
  ///
  /// The descriptor is never 0 to 2, even when a caller started us with those closed: in some attributes 0 means
  /// "none", and the others are written to.
  static func open<Attributes>(
    _ command: BPFCommand, _ attributes: inout Attributes, path: String? = nil
  ) throws(SystemError) -> KernelObject {
    let made = OwnedFD(adopting: try call(command, &attributes, path: path))
    return KernelObject(made.withRaw { $0 } > 2 ? made : try made.duplicate())
  }

  /// The errno that bpf(2) gives for a command that no kernel has: EINVAL from the kernel itself, another one from
  /// whoever stands before it.
  public static func answerToUnknownCommand() -> CInt {
    var nothing = vb_bpf_id()
    return call(0x7fff_0000, &nothing).error
  }

  /// A pointer as the attributes hold it; 0 for an empty buffer.
  static func address(_ buffer: UnsafeRawBufferPointer) -> UInt64 {
    guard unsafe !buffer.isEmpty else { return 0 }
    return UInt64(UInt(bitPattern: buffer.baseAddress))
  }

  /// Writes at most 15 bytes of a name and leaves the rest zero (BPF_OBJ_NAME_LEN is 16).
  static func store(_ name: String, in field: UnsafeMutableRawBufferPointer) {
    unsafe field.copyBytes(from: name.utf8.prefix(15))
  }

  /// The text before the first NUL of a fixed-size name field.
  static func text(in field: UnsafeRawBufferPointer) -> String {
    unsafe String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// A BPF map, program, link or BTF, which lives while a descriptor of it is open (or while it is pinned or attached).
///
/// Shared by reference because programs, maps and pins refer to each other; the descriptor has one owner, this.
public final class KernelObject: Sendable {
  /// The descriptor that keeps the object alive.
  public let descriptor: OwnedFD

  /// Takes the descriptor over.
  public init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
}
