internal import CLinuxShim
internal import KernelABI

/// Type information that is loaded: the kernel's own, that of its modules, and that of BPF objects.
extension BPF {
  /// What the kernel says of loaded type information (struct bpf_btf_info).
  public struct BTFInfo: Equatable, Sendable {
    /// The number the kernel gave it.
    public let id: UInt32
    /// Bytes.
    public let size: UInt32
    /// `vmlinux`, or the module's name; empty for that of BPF objects.
    public let name: String
    /// Whether it describes the kernel or a module of it.
    public let isKernel: Bool
  }

  /// BPF_BTF_GET_NEXT_ID, to the end: the ids of all type information, in ascending order.
  public static func btfIDs() throws(SystemError) -> [UInt32] {
    try identifiers(.btfGetNextId)
  }

  /// BPF_BTF_GET_FD_BY_ID.
  public static func btf(id: UInt32) throws(SystemError) -> KernelObject {
    var attributes = vb_bpf_id()
    attributes.id = id
    return try open(.btfGetFdById, &attributes)
  }

  /// BPF_OBJ_GET_INFO_BY_FD of type information.
  public static func btfInfo(_ btf: KernelObject) throws(SystemError) -> BTFInfo {
    // A module's name has at most 55 bytes (MODULE_NAME_LEN).
    var name = [UInt8](repeating: 0, count: 64)
    var raw = vb_bpf_btf_info()
    let outcome = unsafe name.withUnsafeMutableBytes { bytes in
      raw.name = unsafe address(UnsafeRawBufferPointer(bytes))
      raw.name_len = UInt32(clamping: bytes.count)
      return Result { () throws(SystemError) in try info(of: btf, into: &raw) }
    }
    try outcome.get()
    return BTFInfo(
      id: raw.id, size: raw.btf_size, name: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self),
      isKernel: raw.kernel_btf != 0)
  }

  /// The bytes of loaded type information. A module's are split: they continue the kernel's own.
  public static func btfBytes(_ btf: KernelObject) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(try btfInfo(btf).size))
    var raw = vb_bpf_btf_info()
    let outcome = unsafe bytes.withUnsafeMutableBytes { room in
      raw.btf = unsafe address(UnsafeRawBufferPointer(room))
      raw.btf_size = UInt32(clamping: room.count)
      return Result { () throws(SystemError) in try info(of: btf, into: &raw) }
    }
    try outcome.get()
    return bytes
  }
}
