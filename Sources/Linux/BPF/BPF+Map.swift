public import KernelABI
internal import CLinuxShim
internal import Glibc

extension BPF {
  /// What BPF_MAP_CREATE takes.
  public struct MapAttributes: Sendable {
    public var type: MapType
    /// The number of a type that has no name here; nil for ``type``.
    public var unknownType: UInt32?
    /// Bytes.
    public var keySize: UInt32
    /// Bytes.
    public var valueSize: UInt32
    public var maxEntries: UInt32
    /// `BPF_F_*` of BPF_MAP_CREATE.
    public var flags: UInt32 = 0
    /// The NUMA node the memory comes from; it counts only with BPF_F_NUMA_NODE in ``flags``.
    public var numaNode: UInt32 = 0
    /// At most 15 bytes of `[A-Za-z0-9_.]`.
    public var name = ""
    /// Type ids in the BTF that is given with these attributes; 0 for none.
    public var keyTypeID: UInt32 = 0
    public var valueTypeID: UInt32 = 0
    /// The value's type in the kernel's own BTF, for a struct_ops map; 0 for every other.
    public var kernelValueTypeID: UInt32 = 0
    public var extra: UInt64 = 0
    /// SHA-256 of the instructions of the one program that may use the map (6.18 and later); empty for any program.
    public var exclusiveProgram: [UInt8] = []

    public init(type: MapType, keySize: UInt32, valueSize: UInt32, maxEntries: UInt32) {
      self.type = type
      self.keySize = keySize
      self.valueSize = valueSize
      self.maxEntries = maxEntries
    }

    /// The number that the kernel is given.
    public var typeNumber: UInt32 { unknownType ?? type.rawValue }
  }

  /// BPF_MAP_CREATE.
  ///
  /// - Parameters:
  ///   - btf: the BTF that the type ids refer to.
  ///   - inner: the template of the inner maps, for a map of maps.
  public static func createMap(
    _ map: MapAttributes, btf: KernelObject? = nil, inner: KernelObject? = nil
  ) throws(SystemError) -> KernelObject {
    var attributes = vb_bpf_map_create()
    attributes.map_type = map.typeNumber
    attributes.key_size = map.keySize
    attributes.value_size = map.valueSize
    attributes.max_entries = map.maxEntries
    attributes.map_flags = map.flags
    attributes.numa_node = map.numaNode
    attributes.map_extra = map.extra
    unsafe withUnsafeMutableBytes(of: &attributes.map_name) { unsafe store(map.name, in: $0) }
    attributes.btf_key_type_id = map.keyTypeID
    attributes.btf_value_type_id = map.valueTypeID
    attributes.btf_vmlinux_value_type_id = map.kernelValueTypeID
    attributes.btf_fd = UInt32(bitPattern: btf?.descriptor.withRaw { $0 } ?? 0)
    attributes.inner_map_fd = UInt32(bitPattern: inner?.descriptor.withRaw { $0 } ?? 0)
    attributes.excl_prog_hash_size = UInt32(clamping: map.exclusiveProgram.count)
    defer { withExtendedLifetime((btf, inner)) {} }
    let outcome: Result<KernelObject, SystemError> = unsafe map.exclusiveProgram.withUnsafeBytes { hash in
      attributes.excl_prog_hash = unsafe address(hash)
      return Result { () throws(SystemError) in try open(.mapCreate, &attributes) }
    }
    return try outcome.get()
  }

  /// BPF_MAP_UPDATE_ELEM: puts `value` under `key`. Both have the sizes the map was made with.
  public static func update(
    _ map: KernelObject, key: [UInt8], value: [UInt8], _ flag: MapUpdateFlag = .any
  ) throws(SystemError) {
    _ = try element(.mapUpdateElem, of: map, key: key) { attributes, call in
      attributes.flags = flag.rawValue
      return unsafe value.withUnsafeBytes { bytes in
        attributes.value_or_next_key = unsafe address(bytes)
        return call(&attributes)
      }
    }
  }

  /// BPF_MAP_UPDATE_ELEM of a map that holds programs or maps: puts `object` under the 32-bit `index`.
  public static func update(_ map: KernelObject, index: UInt32, object: KernelObject) throws(SystemError) {
    try object.descriptor.withRaw { (raw) throws(SystemError) in
      try update(map, key: littleEndian(index), value: littleEndian(UInt32(bitPattern: raw)))
    }
  }

  /// BPF_MAP_DELETE_ELEM: drops the entry under `key`; in a struct_ops map, unregisters the structure.
  ///
  /// - Returns: whether there was such an entry.
  @discardableResult
  public static func delete(_ map: KernelObject, key: [UInt8]) throws(SystemError) -> Bool {
    try element(.mapDeleteElem, of: map, key: key) { attributes, call in
      call(&attributes)
    }
  }

  /// BPF_MAP_LOOKUP_ELEM: the value under `key`, or nil when there is none.
  ///
  /// - Parameter valueSize: bytes of the value; for per-CPU maps the value size rounded up to 8, times the number
  ///   of possible CPUs.
  public static func lookup(_ map: KernelObject, key: [UInt8], valueSize: Int) throws(SystemError) -> [UInt8]? {
    var value = [UInt8](repeating: 0, count: valueSize)
    let found = try element(.mapLookupElem, of: map, key: key) { attributes, call in
      unsafe value.withUnsafeMutableBytes { bytes in
        attributes.value_or_next_key = unsafe address(UnsafeRawBufferPointer(bytes))
        return call(&attributes)
      }
    }
    return found ? value : nil
  }

  /// BPF_MAP_GET_NEXT_KEY: the key after `key`, the first one for nil; nil at the end.
  public static func nextKey(_ map: KernelObject, after key: [UInt8]?, keySize: Int) throws(SystemError) -> [UInt8]? {
    var next = [UInt8](repeating: 0, count: keySize)
    let found = try element(.mapGetNextKey, of: map, key: key ?? []) {
      attributes, call in
      unsafe next.withUnsafeMutableBytes { bytes in
        attributes.value_or_next_key = unsafe address(UnsafeRawBufferPointer(bytes))
        return call(&attributes)
      }
    }
    return found ? next : nil
  }

  /// BPF_MAP_FREEZE: from now on user space cannot write the map.
  public static func freeze(_ map: KernelObject) throws(SystemError) {
    var attributes = vb_bpf_map_element()
    attributes.map_fd = UInt32(bitPattern: map.descriptor.withRaw { $0 })
    defer { withExtendedLifetime(map) {} }
    _ = try call(.mapFreeze, &attributes)
  }

  /// The four bytes of a number in the machine's order, which is little-endian on every machine we support.
  static func littleEndian(_ value: UInt32) -> [UInt8] {
    [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  /// One element command; false when the kernel says that there is no such element (ENOENT).
  private static func element(
    _ command: BPFCommand, of map: KernelObject, key: [UInt8],
    _ body: (inout vb_bpf_map_element, (inout vb_bpf_map_element) -> Result<CInt, SystemError>) -> Result<
      CInt, SystemError
    >
  ) throws(SystemError) -> Bool {
    let outcome = unsafe key.withUnsafeBytes { keyBytes in
      map.descriptor.withRaw { raw in
        var attributes = vb_bpf_map_element()
        attributes.map_fd = UInt32(bitPattern: raw)
        attributes.key = unsafe address(keyBytes)
        return body(&attributes) { prepared in
          Result { () throws(SystemError) in try call(command, &prepared) }
        }
      }
    }
    do {
      _ = try outcome.get()
      return true
    } catch  where error.errno == ENOENT {
      return false
    }
  }
}
