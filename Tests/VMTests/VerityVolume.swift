import Base
import Verity
import ImageFormat
import Linux

/// An image behind a loop device and a dm-verity device, until ``close()`` or the end of this value.
final class VerityVolume {
  let name: String
  let loop: String
  let rootHash: String
  /// Where the superblock of the tree is, for file systems that do not say how large they are.
  private let hashOffset: UInt64?
  private(set) var mountPoint: String?
  private let dm: DeviceMapper

  /// Activates an image of `/images`.
  ///
  /// - Parameters:
  ///   - signature: a file of `/images` that holds a signature of the root hash.
  ///   - replacesTable: whether there is a device of that name already, which gets another table.
  init(
    _ image: String, name: String, signature: String? = nil, options: [String] = [], replacesTable: Bool = false
  ) throws {
    self.name = name
    let path = "/images/\(image).raw"
    rootHash = try Machine.text("/images/\(image).roothash").trimmed
    hashOffset = (try? Machine.text("/images/\(image).offset").trimmed).flatMap { UInt64($0) }
    dm = try DeviceMapper.open()
    loop = try LoopDevices.attachReadOnly(try OwnedFD.open(path, .readOnly))
    do {
      if !replacesTable {
        _ = try dm.create(name: name, uuid: "CRYPT-VERITY-11111111222233334444555555555555-\(name)")
      }
    } catch {
      try? LoopDevices.detach(loop)
      throw error
    }
    do {
      try load(loop: loop, signature: signature, options: options)
      try dm.resume(name: name)
    } catch {
      close()
      throw error
    }
  }

  deinit { close() }

  /// Loads a table for the image on a loop device; it takes over at the next resume.
  func load(loop: String, rootHash: String? = nil, signature: String? = nil, options: [String] = []) throws {
    let root = rootHash ?? self.rootHash
    let source = try FileSource.open(loop)
    let layout = try DiskLayout.appended(in: source, hashOffset: hashOffset)
    let parameters = layout.parameters
    let description = "verity-bpf-test:\(name)"
    var words = options
    if signature != nil { words += ["root_hash_sig_key_desc", description] }
    let salt = parameters.salt.isEmpty ? "-" : parameters.salt.map { hex($0) }.joined()
    var text = "1 \(loop) \(loop) \(parameters.dataBlockSize) \(parameters.hashBlockSize) \(parameters.dataBlockCount)"
    text += " \(layout.treeOffset / UInt64(parameters.hashBlockSize)) \(parameters.algorithm.rawValue) \(root) \(salt)"
    if !words.isEmpty { text += " \(words.count) \(words.joined(separator: " "))" }
    let sectors = parameters.dataByteCount / 512
    let dmName = name
    guard let signature else {
      try dm.loadTable(name: dmName, type: "verity", sectors: sectors, parameters: text)
      return
    }
    try ThreadKey.with(description, Machine.read("/images/\(signature)")) { () throws(SystemError) in
      try dm.loadTable(name: dmName, type: "verity", sectors: sectors, parameters: text)
    }
  }

  /// The device's size in sectors of 512 bytes.
  func sectors() throws -> UInt64 {
    try DiskLayout.appended(in: FileSource.open(loop), hashOffset: hashOffset).parameters.dataByteCount / 512
  }

  func suspend() throws { try dm.suspend(name: name) }
  func resume() throws { try dm.resume(name: name) }

  /// The device's path, by its number.
  var device: String {
    get throws { "/dev/dm-\(try number.minor)" }
  }

  var number: DeviceNumber {
    get throws {
      for name in try Directory.names("/sys/block") where name.hasPrefix("dm-") {
        guard try Machine.text("/sys/block/\(name)/dm/name").trimmed == self.name else { continue }
        let parts = try Machine.text("/sys/block/\(name)/dev").trimmed.split(separator: ":").compactMap { UInt64($0) }
        if parts.count == 2 { return DeviceNumber(major: parts[0], minor: parts[1]) }
      }
      throw Failure(description: "no device-mapper device \(name)")
    }
  }

  /// Mounts the volume and returns the mount point.
  @discardableResult
  func mount(type: String = "erofs") throws -> String {
    let place = try Machine.temporaryDirectory()
    try Mount.mount(try device, on: place, type: type, .readOnly)
    mountPoint = place
    return place
  }

  func close() {
    if let mountPoint {
      try? Mount.unmount(mountPoint)
      self.mountPoint = nil
    }
    try? dm.remove(name: name)
    try? LoopDevices.detach(loop)
  }
}

/// Two lower-case digits.
func hex(_ byte: UInt8) -> String {
  let text = String(byte, radix: 16)
  return text.utf8.count == 1 ? "0\(text)" : text
}

extension String {
  /// Without blanks and line feeds at either end.
  var trimmed: String { String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
}
