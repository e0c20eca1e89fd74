public import KernelABI
internal import CLinuxShim

// Loading is hidden behind an SPI name on purpose: only a module that writes it in its import can load a program, and
// `make lint` allows that to Loader alone. Every other module has to go through Loader, which asks for a permit.
extension BPF {
  /// What BPF_PROG_LOAD takes, without descriptors.
  public struct ProgramAttributes: Sendable {
    public var type: ProgramType
    /// The number of an ``AttachType``; of a member of a structure of functions, its index.
    public var expectedAttachType: UInt32 = 0
    /// `BPF_F_SLEEPABLE` and the like.
    public var flags: UInt32 = 0
    /// At most 15 bytes of `[A-Za-z0-9_.]`.
    public var name = ""
    /// At most 127 bytes.
    public var license = ""
    /// 8 bytes each.
    public var instructions: [UInt8] = []
    /// `struct bpf_func_info` records and the bytes each has.
    public var funcInfo: [UInt8] = []
    public var funcInfoRecordSize: UInt32 = 8
    /// `struct bpf_line_info` records and the bytes each has.
    public var lineInfo: [UInt8] = []
    public var lineInfoRecordSize: UInt32 = 16
    /// `struct bpf_core_relo` records and the bytes each has.
    public var coreRelocations: [UInt8] = []
    public var coreRelocationRecordSize: UInt32 = 16
    /// The type in the kernel's BTF that the program attaches to; 0 for none.
    public var attachBTFID: UInt32 = 0
    /// The module whose BTF that type is in, or the program whose function it is; nil for the kernel's own.
    public var attachOwner: KernelObject?
    /// A signature for the kernel to check; nil for none.
    public var signature: ProgramSignature?
    /// How many descriptors `fd_array` holds, when the program is to be bound to all of them (`fd_array_cnt`, 6.14); 0
    /// leaves it to the instructions.
    public var boundCount: UInt32 = 0

    public init(type: ProgramType) { self.type = type }
  }

  /// A signature over a program's instructions, and the keys that it is to be checked with (6.18 and later).
  ///
  /// There is none without a message: a kernel that is given no message loads the program unsigned, without a word.
  public struct ProgramSignature: Equatable, Sendable {
    /// A detached PKCS#7 message in DER.
    public let message: [UInt8]
    /// 0 builtin, 1 secondary, 2 platform; otherwise the serial of a keyring, or one of keyctl(2)'s special ids.
    public let keyring: Int32

    /// Nil for an empty message.
    public init?(message: [UInt8], keyring: Int32) {
      guard !message.isEmpty else { return nil }
      self.message = message
      self.keyring = keyring
    }
  }

  /// The kernel's answer in words: the verifier's log, or that of the BTF check.
  public struct Log: Sendable {
    /// 1 explains a refusal, 2 every step; 4 adds statistics.
    public var level: UInt32
    /// Bytes the kernel may write.
    public var capacity: Int
    /// What it wrote.
    public fileprivate(set) var text = ""
    /// The capacity that would have held everything, where the kernel says so (6.4 and later); otherwise 0.
    public fileprivate(set) var neededCapacity = 0

    public init(level: UInt32, capacity: Int) {
      self.level = level
      self.capacity = capacity
    }
  }

  /// BPF_PROG_LOAD without a log, which is the fast way.
  ///
  /// - Parameters:
  ///   - btf: the BTF that the func_info, line_info and CO-RE records refer to.
  ///   - maps: `fd_array`, which BPF_PSEUDO_MAP_IDX instructions index, and calls of modules' functions: after the
  ///     maps, there may be the BTF of modules.
  @_spi(ProgramLoading)
  public static func loadProgram(
    _ program: ProgramAttributes, btf: KernelObject?, maps: [KernelObject]
  ) throws(SystemError) -> KernelObject {
    var attributes = vb_bpf_prog_load()
    return try submit(program, &attributes, btf: btf, maps: maps)
  }

  /// BPF_PROG_LOAD with a log. What the kernel wrote is in `log` also when the load fails.
  @_spi(ProgramLoading)
  public static func loadProgram(
    _ program: ProgramAttributes, btf: KernelObject?, maps: [KernelObject], log: inout Log
  ) throws(SystemError) -> KernelObject {
    var attributes = vb_bpf_prog_load()
    var buffer = [UInt8](repeating: 0, count: max(log.capacity, 128))
    let outcome = unsafe buffer.withUnsafeMutableBytes { bytes in
      attributes.log_level = log.level
      attributes.log_size = UInt32(clamping: bytes.count)
      attributes.log_buf = unsafe address(UnsafeRawBufferPointer(bytes))
      return Result { () throws(SystemError) in try submit(program, &attributes, btf: btf, maps: maps) }
    }
    log.text = String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    log.neededCapacity = Int(attributes.log_true_size)
    return try outcome.get()
  }

  private static func submit(
    _ program: ProgramAttributes, _ attributes: inout vb_bpf_prog_load, btf: KernelObject?, maps: [KernelObject]
  ) throws(SystemError) -> KernelObject {
    attributes.prog_type = program.type.rawValue
    attributes.expected_attach_type = program.expectedAttachType
    attributes.prog_flags = program.flags
    attributes.attach_btf_id = program.attachBTFID
    attributes.attach_btf_obj_fd = UInt32(bitPattern: program.attachOwner?.descriptor.withRaw { $0 } ?? 0)
    unsafe withUnsafeMutableBytes(of: &attributes.prog_name) { unsafe store(program.name, in: $0) }
    attributes.prog_btf_fd = UInt32(bitPattern: btf?.descriptor.withRaw { $0 } ?? 0)
    attributes.insn_cnt = UInt32(clamping: program.instructions.count / 8)
    (attributes.func_info_rec_size, attributes.func_info_cnt) = shape(
      program.funcInfo, program.funcInfoRecordSize)
    (attributes.line_info_rec_size, attributes.line_info_cnt) = shape(
      program.lineInfo, program.lineInfoRecordSize)
    (attributes.core_relo_rec_size, attributes.core_relo_cnt) = shape(
      program.coreRelocations, program.coreRelocationRecordSize)

    let fdArray = maps.map { map in map.descriptor.withRaw { $0 } }
    let license = Array(program.license.utf8) + [0]
    let signature = program.signature?.message ?? []
    attributes.signature_size = UInt32(clamping: signature.count)
    attributes.keyring_id = program.signature?.keyring ?? 0
    attributes.fd_array_cnt = program.boundCount
    defer { withExtendedLifetime((btf, maps, program.attachOwner)) {} }
    let outcome: Result<KernelObject, SystemError> = unsafe program.instructions.withUnsafeBytes { instructions in
      unsafe program.funcInfo.withUnsafeBytes { funcInfo in
        unsafe program.lineInfo.withUnsafeBytes { lineInfo in
          unsafe program.coreRelocations.withUnsafeBytes { relocations in
            unsafe fdArray.withUnsafeBytes { descriptors in
              unsafe license.withUnsafeBytes { license in
                attributes.insns = unsafe address(instructions)
                attributes.func_info = unsafe address(funcInfo)
                attributes.line_info = unsafe address(lineInfo)
                attributes.core_relos = unsafe address(relocations)
                attributes.fd_array = unsafe address(descriptors)
                attributes.license = unsafe address(license)
                return unsafe signature.withUnsafeBytes { signature in
                  attributes.signature = unsafe address(signature)
                  return Result { () throws(SystemError) in
                    try open(.progLoad, &attributes)
                  }
                }
              }
            }
          }
        }
      }
    }
    return try outcome.get()
  }

  /// Record size and number of records; both 0 when there are none, as the kernel wants it.
  private static func shape(_ records: [UInt8], _ size: UInt32) -> (UInt32, UInt32) {
    guard !records.isEmpty, size > 0 else { return (0, 0) }
    return (size, UInt32(clamping: records.count / Int(size)))
  }

  /// BPF_BTF_LOAD without a log.
  public static func loadBTF(_ bytes: [UInt8]) throws(SystemError) -> KernelObject {
    var attributes = vb_bpf_btf_load()
    return try submit(bytes, &attributes)
  }

  /// BPF_BTF_LOAD with a log. What the kernel wrote is in `log` also when the load fails.
  public static func loadBTF(_ bytes: [UInt8], log: inout Log) throws(SystemError) -> KernelObject {
    var attributes = vb_bpf_btf_load()
    var buffer = [UInt8](repeating: 0, count: max(log.capacity, 128))
    let outcome = unsafe buffer.withUnsafeMutableBytes { logBytes in
      attributes.btf_log_level = log.level
      attributes.btf_log_size = UInt32(clamping: logBytes.count)
      attributes.btf_log_buf = unsafe address(UnsafeRawBufferPointer(logBytes))
      return Result { () throws(SystemError) in try submit(bytes, &attributes) }
    }
    log.text = String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    return try outcome.get()
  }

  private static func submit(_ bytes: [UInt8], _ attributes: inout vb_bpf_btf_load) throws(SystemError) -> KernelObject
  {
    let outcome: Result<KernelObject, SystemError> = unsafe bytes.withUnsafeBytes { btf in
      attributes.btf = unsafe address(btf)
      attributes.btf_size = UInt32(clamping: btf.count)
      return Result { () throws(SystemError) in try open(.btfLoad, &attributes) }
    }
    return try outcome.get()
  }
}
