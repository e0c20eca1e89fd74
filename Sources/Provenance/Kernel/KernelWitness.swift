internal import Base
internal import KernelABI
internal import Verity
internal import Linux

/// What the kernel says of a device-mapper device, read from its table.
struct KernelWitness {
  let facts: VolumeFacts
  /// How the tree was made, held against the whitelist.
  let parameters: VerityParameters
  /// Where the tree begins on the hash device, in bytes.
  let treeOffset: UInt64

  /// Whether the tree begins where a superblock right behind the data puts it. Otherwise the superblock is in the block
  /// before the tree, as in a device that holds nothing else.
  var hasTreeBehindData: Bool {
    let blockSize = UInt64(parameters.hashBlockSize)
    let end = parameters.dataByteCount + UInt64(Superblock.byteCount)
    return treeOffset == (end + blockSize - 1) / blockSize * blockSize
  }

  /// Refuses when the caller named another root hash.
  func require(_ expected: Digest?) throws(ProvenanceError) {
    guard let expected, expected != facts.rootHash else { return }
    throw .rootHash(
      image: "device \(facts.device)", expected: expected.description, found: facts.rootHash.description)
  }

  /// Whether a block device is the device-mapper's. Its name may be any bytes, so it is not looked at.
  static func isMapped(_ device: DeviceNumber) throws(ProvenanceError) -> Bool {
    // Only the kernel's own file systems have no device, and sysfs does not list what they are on.
    guard device.major != 0 else { return false }
    do throws(SystemError) {
      let number = device.description
      guard try KernelFile.has(.blockDevice, number) else {
        throw SystemError.unanswered(
          .blockDevice, at: KernelStatement.blockDevice.place(number), found: "no such device")
      }
      return try KernelFile.has(.mappedName, number)
    } catch {
      throw .system(error)
    }
  }

  /// Asks the kernel.
  ///
  /// - Throws: ``ProvenanceError`` when the kernel does not tell, or when the device is anything but one active verity
  ///   target that is made as this project accepts.
  static func ask(about number: DeviceNumber) throws(ProvenanceError) -> KernelWitness {
    let device: DeviceMapper.Device
    let parameters: (device: DeviceMapper.Device, targets: [UInt8])
    let state: (device: DeviceMapper.Device, targets: [UInt8])
    do throws(SystemError) {
      let mapper = try DeviceMapper.open()
      parameters = try mapper.table(of: number, .parameters)
      state = try mapper.table(of: number, .state)
      device = parameters.device
    } catch {
      throw error.unanswered == nil ? .witness(number: number, error) : .system(error)
    }
    guard device.hasActiveTable else {
      throw .device(
        number: number, message: "the device-mapper device `\(device.name)` has no active table",
        next: "activate the image again and open the object anew")
    }
    guard !device.isSuspended else {
      throw .suspended(SuspendedDevice(number: number, name: device.name))
    }
    let target: TableTarget
    let table: VerityTable
    let status: VerityState
    do throws(TableError) {
      target = try sole(parameters.targets, count: parameters.device.targetCount)
      table = try VerityTable(target.text)
      status = try VerityState(sole(state.targets, count: state.device.targetCount).text)
    } catch {
      throw .table(number: number, error)
    }
    return try KernelWitness(device: device, number: number, target: target, table: table, state: status)
  }

  private static func sole(_ targets: [UInt8], count: UInt32) throws(TableError) -> TableTarget {
    try TableTarget.soleVerity(TableTarget.list(targets.rawSpan, count: count))
  }

  private init(
    device: DeviceMapper.Device, number: DeviceNumber, target: TableTarget, table: VerityTable, state: VerityState
  ) throws(ProvenanceError) {
    guard let algorithm = HashAlgorithm(kernelName: table.algorithm),
      let rootHash = Digest(algorithm, bytes: table.rootDigest)
    else {
      throw .volume(
        number: number, message: "is made with a hash that is not accepted here", expected: "sha256 or sha512",
        found: table.algorithm)
    }
    guard table.hashType == 1 else {
      throw .volume(
        number: number, message: "has a tree of a format that is not accepted here", expected: "hash type 1",
        found: "hash type \(table.hashType)")
    }
    guard let dataSize = Int(exactly: table.dataBlockSize), let hashSize = Int(exactly: table.hashBlockSize),
      let dataDevice = DeviceNumber(table.dataDevice), let hashDevice = DeviceNumber(table.hashDevice)
    else { throw .table(number: number, .parameters(text: target.text, reason: "a number is out of range")) }
    do throws(VerityError) {
      parameters = try VerityParameters(
        algorithm: algorithm, dataBlockSize: dataSize, hashBlockSize: hashSize, dataBlockCount: table.dataBlockCount,
        salt: table.salt)
    } catch {
      throw .image(path: "device \(number)", error.diagnostic)
    }
    let tree = table.hashStart.multipliedReportingOverflow(by: UInt64(table.hashBlockSize))
    guard !tree.overflow, tree.partialValue <= VerityParameters.maximumByteCount else {
      throw .table(number: number, .parameters(text: target.text, reason: "the tree begins behind any device's end"))
    }
    treeOffset = tree.partialValue
    guard target.length.multipliedReportingOverflow(by: 512) == (parameters.dataByteCount, false) else {
      throw .volume(
        number: number, message: "is not as large as the data under its root hash",
        expected: "\(parameters.dataByteCount / 512) sectors", found: "\(target.length) sectors")
    }

    var doubts: [VolumeFacts.Doubt] = []
    if table.mode == .logging { doubts.append(.ignoresCorruption) }
    if state.hasSeenCorruption { doubts.append(.corruptionSeen) }
    if table.checksAtMostOnce { doubts.append(.checksAtMostOnce) }
    facts = VolumeFacts(
      device: number, name: device.name, uuid: device.uuid, rootHash: rootHash, salt: table.salt,
      dataDevice: dataDevice, hashDevice: hashDevice, mode: Self.word(table.mode),
      ignoresZeroBlocks: table.ignoresZeroBlocks, correctsErrors: table.correction != nil,
      isSigned: table.signatureKeyDescription != nil, keyring: .ask(about: number), doubts: doubts,
      hasPendingTable: device.hasInactiveTable, eventNumber: device.eventNumber,
      diskSequence: try Self.diskSequence(of: number), table: target.text)
  }

  /// Nil on kernels that count no disks (before 5.15).
  private static func diskSequence(of number: DeviceNumber) throws(ProvenanceError) -> UInt64? {
    do throws(SystemError) {
      return try KernelFile.askNumber(.diskSequence, number.description)
    } catch {
      throw .system(error)
    }
  }

  private static func word(_ mode: VerityTable.Mode) -> String {
    switch mode {
    case .eio: "EIO"
    case .logging: "LOGGING"
    case .restart: "RESTART"
    case .panic: "PANIC"
    }
  }
}

extension HashAlgorithm {
  /// Implementations of the kernel's crypto API, as they are called behind the function's name (arch/*/crypto, crypto/).
  private static let implementations: Set<String> = [
    "lib", "generic", "ssse3", "avx", "avx2", "ni", "ce", "neon", "asm", "arm64", "arm64-neon",
  ]

  /// The function that a table names, be it by one of its implementations: `sha256-lib` is sha256.
  init?(kernelName name: String) {
    let parts = name.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
    guard parts.count == 1 || Self.implementations.contains(parts[1]) else { return nil }
    self.init(rawValue: parts[0])
  }
}
