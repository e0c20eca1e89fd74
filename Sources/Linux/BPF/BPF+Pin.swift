internal import Base
internal import CLinuxShim
internal import KernelABI

extension BPF {
  /// BPF_OBJ_PIN: gives the object a name in a BPF file system, which keeps it alive. The name must be new.
  public static func pin(_ object: KernelObject, at path: String) throws(SystemError) {
    let outcome: Result<CInt, SystemError> = path.withSystemPath { text in
      var attributes = vb_bpf_obj()
      attributes.pathname = UInt64(UInt(bitPattern: text))
      attributes.bpf_fd = UInt32(bitPattern: object.descriptor.withRaw { $0 })
      return Result { () throws(SystemError) in
        try call(.objPin, &attributes, path: path)
      }
    }
    withExtendedLifetime(object) {}
    _ = try outcome.get()
  }

  /// BPF_OBJ_GET: the object that is pinned under `path`.
  ///
  /// - Parameter readOnly: only to look at it, for which read permission is enough. Links cannot be had so (EINVAL).
  public static func pinned(at path: String, readOnly: Bool = false) throws(SystemError) -> KernelObject {
    let outcome: Result<KernelObject, SystemError> = path.withSystemPath { text in
      var attributes = vb_bpf_obj()
      attributes.pathname = UInt64(UInt(bitPattern: text))
      if readOnly { attributes.file_flags = MapFlag.readOnly.rawValue }
      return Result { () throws(SystemError) in
        try open(.objGet, &attributes, path: path)
      }
    }
    return try outcome.get()
  }
}
