internal import CLinuxShim
internal import KernelABI
internal import Glibc

extension BPF {
  /// What the kernel says of a loaded program (struct bpf_prog_info).
  public struct ProgramInfo: Equatable, Sendable {
    /// The number the kernel gave the program; unique until the program is gone.
    public let id: UInt32
    /// At most 15 bytes.
    public let name: String
    /// `enum bpf_prog_type`.
    public let type: UInt32
    /// Eight bytes of a hash over the instructions after CO-RE relocation (SHA-1 before 6.18, SHA-256 since).
    public let tag: [UInt8]
    /// When it was loaded, nanoseconds since boot.
    public let loadTime: UInt64
    /// The user who loaded it.
    public let owner: UInt32
    /// The ids of the maps it uses.
    public let mapIDs: [UInt32]
    /// The id of the type information it was loaded with; 0 for none.
    public let btfID: UInt32
    /// The type that the program was loaded for, in the kernel's or a module's types; 0 for none, and from a kernel before 6.0.
    public let attachTypeID: UInt32
  }

  /// What the kernel says of a map (struct bpf_map_info).
  public struct MapInfo: Equatable, Sendable {
    public let id: UInt32
    /// At most 15 bytes.
    public let name: String
    /// `enum bpf_map_type`.
    public let type: UInt32
    /// Bytes.
    public let keySize: UInt32
    /// Bytes.
    public let valueSize: UInt32
    public let maxEntries: UInt32
    public let flags: UInt32
    /// `map_extra`, whose meaning is the type's own; 0 from a kernel before 5.16.
    public let extra: UInt64
    /// The id of the type information it was made with; 0 for none.
    public let btfID: UInt32
    /// The types of key and value in that; 0 for none.
    public let keyTypeID: UInt32
    public let valueTypeID: UInt32
  }

  /// BPF_OBJ_GET_INFO_BY_FD of a program.
  public static func programInfo(_ program: KernelObject) throws(SystemError) -> ProgramInfo {
    // A program uses at most 64 maps (MAX_USED_MAPS).
    var maps = [UInt32](repeating: 0, count: 64)
    var raw = vb_bpf_prog_info()
    raw.nr_map_ids = UInt32(maps.count)
    let outcome = unsafe maps.withUnsafeMutableBytes { bytes in
      raw.map_ids = unsafe address(UnsafeRawBufferPointer(bytes))
      return Result { () throws(SystemError) in try info(of: program, into: &raw) }
    }
    try outcome.get()
    return unsafe ProgramInfo(
      id: raw.id, name: withUnsafeBytes(of: raw.name) { unsafe text(in: $0) }, type: raw.type,
      tag: withUnsafeBytes(of: raw.tag) { unsafe Array($0) }, loadTime: raw.load_time, owner: raw.created_by_uid,
      mapIDs: Array(maps.prefix(Int(raw.nr_map_ids))), btfID: raw.btf_id, attachTypeID: raw.attach_btf_id)
  }

  /// BPF_OBJ_GET_INFO_BY_FD of a map.
  public static func mapInfo(_ map: KernelObject) throws(SystemError) -> MapInfo {
    var raw = vb_bpf_map_info()
    try info(of: map, into: &raw)
    return unsafe MapInfo(
      id: raw.id, name: withUnsafeBytes(of: raw.name) { unsafe text(in: $0) }, type: raw.type,
      keySize: raw.key_size, valueSize: raw.value_size, maxEntries: raw.max_entries, flags: raw.map_flags,
      extra: raw.map_extra, btfID: raw.btf_id, keyTypeID: raw.btf_key_type_id, valueTypeID: raw.btf_value_type_id)
  }

  /// Whether the object is a map, and no program or link: bpf(2) gives all three for a pin, and each command takes
  /// the numbers of another kind for its own.
  public static func isMap(_ object: KernelObject) throws(SystemError) -> Bool { try kind(of: object) == "bpf-map" }

  /// Whether the object is a program; see ``isMap(_:)``.
  public static func isProgram(_ object: KernelObject) throws(SystemError) -> Bool {
    try kind(of: object) == "bpf-prog"
  }

  /// Whether the object is a link; see ``isMap(_:)``. The kernel has one name for a link that it has just made and another for
  /// one that it opens again (bpf_link_prime and bpf_link_new_fd in kernel/bpf/syscall.c).
  public static func isLink(_ object: KernelObject) throws(SystemError) -> Bool {
    ["bpf_link", "bpf-link"].contains(try kind(of: object))
  }

  private static func kind(of object: KernelObject) throws(SystemError) -> Substring {
    try object.descriptor.withRaw { (raw) throws(SystemError) in
      guard let name = KernelFile.link(.openFileName, "\(raw)") else {
        throw .unanswered(.openFileName, at: KernelStatement.openFileName.place("\(raw)"))
      }
      return name.dropFirst("anon_inode:".count)
    }
  }

  static func info<Raw>(of object: KernelObject, into raw: inout Raw) throws(SystemError) {
    let outcome: Result<CInt, SystemError> = unsafe withUnsafeMutableBytes(of: &raw) { bytes in
      var attributes = vb_bpf_obj_info()
      attributes.bpf_fd = UInt32(bitPattern: object.descriptor.withRaw { $0 })
      attributes.info_len = UInt32(bytes.count)
      attributes.info = unsafe address(UnsafeRawBufferPointer(bytes))
      return Result { () throws(SystemError) in
        try call(.objGetInfoByFd, &attributes)
      }
    }
    withExtendedLifetime(object) {}
    _ = try outcome.get()
  }

  /// BPF_PROG_GET_NEXT_ID, to the end: the ids of every loaded program, in ascending order.
  public static func programIDs() throws(SystemError) -> [UInt32] {
    try identifiers(.progGetNextId)
  }

  /// BPF_MAP_GET_NEXT_ID, to the end: the ids of every map, in ascending order.
  public static func mapIDs() throws(SystemError) -> [UInt32] {
    try identifiers(.mapGetNextId)
  }

  /// BPF_PROG_GET_FD_BY_ID.
  public static func program(id: UInt32) throws(SystemError) -> KernelObject {
    var attributes = vb_bpf_id()
    attributes.id = id
    return try open(.progGetFdById, &attributes)
  }

  static func identifiers(_ command: BPFCommand) throws(SystemError) -> [UInt32] {
    var found: [UInt32] = []
    var attributes = vb_bpf_id()
    while true {
      do throws(SystemError) {
        _ = try call(command, &attributes)
      } catch  where error.errno == ENOENT {
        return found
      }
      found.append(attributes.next_id)
      attributes.id = attributes.next_id
    }
  }
}
