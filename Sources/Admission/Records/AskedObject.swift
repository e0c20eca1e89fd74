internal import Base
internal import Image
internal import KernelABI
internal import Linux
internal import Workbench

/// An object as it was asked for: what can be said of it before anything is read.
struct AskedObject: Sendable {
  let object: AdmissionRequest.Object
  /// `path=`: the object as its file system names it.
  let path: String?
  /// `dev=`: the device that the file system is on, in the kernel's short form, or the image that holds it.
  let device: String?
  /// `ino=`
  let inode: UInt64?

  /// What several objects are, of which paths may be relative to one directory.
  static func all(_ objects: [AdmissionRequest.Object]) -> [AskedObject] {
    let base = (try? Directory.absolute("")) ?? ""
    return objects.map { AskedObject($0, base: base) }
  }

  private init(_ object: AdmissionRequest.Object, base: String) {
    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : base + path }
    self.object = object
    switch object {
    case .descriptor(let number): (path, device, inode) = Self.place(of: number)
    case .executed(let file): (path, device, inode) = Self.place(of: file.number)
    case .image(let image, let name, _):
      path = name.hasPrefix("/") ? name : "/\(name)"
      device = absolute(image)
      inode = nil
    case .file(let file):
      let status = try? FileStatus.of(path: file)
      path = absolute(file)
      device = status.map { Self.name(of: $0.device) }
      inode = status?.inode
    }
  }

  /// Where an open file is. A number that was not handed over has no status; that is found out, and recorded, soon.
  private static func place(of number: Int32) -> (path: String?, device: String?, inode: UInt64?) {
    let status = try? OwnedFD.duplicating(number).status()
    return (
      status == nil ? nil : KernelFile.link(.openFileName, "\(number)"), status.map { name(of: $0.device) },
      status?.inode
    )
  }

  /// `vda1`, `dm-0`; the number for a file system that is on no block device.
  private static func name(of device: DeviceNumber) -> String {
    (try? KernelDevice.nodePath(of: device))?.split(separator: "/").last.map { String($0) } ?? "\(device)"
  }

  /// As members of a record, by the names that a decision's have too.
  var members: [JSONValue.Member] {
    let asked: [JSONValue.Member] =
      switch object {
      case .descriptor(let number): [.init("fd", .integer(Int64(number)))]
      case .executed(let file): [.init("executed", true), .init("fd", .integer(Int64(file.number)))]
      case .image(let image, _, let location):
        [.init("image", .string(image)), .init("path_in_image", .string(pathInImage ?? ""))] + location.members
      case .file(let file): [.init("file", .string(file))]
      }
    return asked + place
  }

  /// `path`, `dev` and `ino`, as far as they are known.
  var place: [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if let path { members.append(.init("path", .string(path))) }
    if let device { members.append(.init("dev", .string(device))) }
    if let inode { members.append(.init("ino", .unsigned(inode))) }
    return members
  }

  private var pathInImage: String? { path.map { String($0.drop { $0 == "/" }) } }

  /// The same in the text form.
  var file: AccessRecord.File? { Self.file(path, device, inode) }

  /// What a record of an attempt says of it.
  static func file(_ record: JSONValue) -> AccessRecord.File? {
    file(record["path"]?.text, record["dev"]?.text, record["ino"]?.number)
  }

  static func file(_ path: String?, _ device: String?, _ inode: UInt64?) -> AccessRecord.File? {
    device.map { AccessRecord.File(path: path.map(\.systemBytes), device: $0.systemBytes, inode: inode) }
  }
}

extension ImageLocation {
  /// What was said of where the image's parts are.
  fileprivate var members: [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if let verityData { members.append(.init("verity_data", .string(verityData))) }
    if let hashOffset { members.append(.init("hash_offset", .unsigned(hashOffset))) }
    if let rootHashSignature { members.append(.init("root_hash_signature_file", .string(rootHashSignature))) }
    return members
  }
}
