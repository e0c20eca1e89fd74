internal import Base
internal import KernelABI
internal import Linux

/// Where the file of an overlay lies in one of its layers.
struct LayerPlace {
  /// The layer's directory as the mount's options name it.
  let name: String
  /// The device of the layer's file system.
  let device: DeviceNumber
  /// From the root of that file system, without a slash in front.
  let path: String
}

/// The overlay that an open file is on, as far as the kernel says how it was mounted.
struct OpenOverlay {
  /// A layer that can be looked at.
  enum Layer {
    /// A directory of this mount namespace.
    case directory(name: String, path: String)
    /// A directory of the file system on a device, where no path leads to it.
    case volume(name: String, DeviceNumber, directory: [String])
    /// One that an image holds which systemd has merged.
    case merged(name: String, ExtensionLayer)
    /// One that cannot be looked at, and why; it has to be only where no layer above it has the file.
    case closed(name: String, String)

    /// As the mount's options name it.
    var name: String {
      switch self {
      case .directory(let name, _), .volume(let name, _, _), .merged(let name, _), .closed(let name, _): name
      }
    }
  }

  let mount: Mount.Entry
  /// The uppermost first.
  let layers: [Layer]
  let usesUserAttributes: Bool
  /// The file's path from the overlay's root.
  let path: [String]

  /// - Throws: ``OverlayRefusal``, or what the kernel answers instead.
  static func open(_ file: borrowing OpenObject) throws(ProvenanceError) -> OpenOverlay {
    let mounts: [Mount.Entry]
    let identifier: UInt64
    let isApartByDefault: Bool
    do throws(SystemError) {
      isApartByDefault = try KernelFile.ask(.overlayMetacopy) ?? "N" != "N"
      identifier = try Mount.identifier(ofOpenFile: file.number)
      mounts = try Mount.entries()
    } catch {
      throw .system(error)
    }
    do throws(OverlayRefusal) {
      guard let mount = mounts.first(where: { $0.identifier == identifier }), mount.type == "overlay",
        let below = components(file.pathHint).below(components(mount.place.path)), !below.isEmpty
      else { throw .elsewhere }
      let options = try OverlayOptions(mount.options)
      let layers = try layers(options, of: mount, among: mounts)
      guard !(options.takesMetadataApart ?? isApartByDefault) else { throw .metadataApart }
      return OpenOverlay(
        mount: mount, layers: layers, usesUserAttributes: options.usesUserAttributes,
        path: components(mount.place.root) + below)
    } catch {
      throw file.refusal(error)
    }
  }

  private static func layers(
    _ options: OverlayOptions, of mount: Mount.Entry, among mounts: [Mount.Entry]
  ) throws(OverlayRefusal) -> [Layer] {
    let base = try base(of: options.layers.filter { !$0.utf8.starts(with: "/".utf8) }, mount)
    var layers: [Layer] = []
    // What systemd notes about itself is in none of its images, and hides nothing of them.
    for name in options.layers where !ExtensionLayer.isMeta(name) {
      let path = name.utf8.starts(with: "/".utf8) ? name : "\(base)/\(name)"
      if let merged = ExtensionLayer(name) {
        layers.append(.merged(name: name, merged))
      } else if let (place, parent) = covered(path, by: mount, among: mounts) {
        if parent.type == mount.type {
          layers.append(.closed(name: name, "it is an overlay itself"))
        } else if parent.device.major == 0 {
          layers.append(.closed(name: name, "it is on \(parent.type), which is on no device"))
        } else {
          layers.append(.volume(name: name, parent.device, directory: place))
        }
      } else {
        layers.append(.directory(name: name, path: path))
      }
    }
    return layers
  }

  /// The directory that relative names begin at: one below which all of them are directories.
  private static func base(of names: [String], _ mount: Mount.Entry) throws(OverlayRefusal) -> String {
    guard let first = names.first else { return "" }
    let beside = "/" + components(mount.place.path).dropLast().map { $0 }.separated(by: "/")
    for base in [try? Directory.absolute("."), beside] {
      guard let base else { continue }
      let isMeant = names.allSatisfy { (try? FileStatus.of(path: "\(base)/\($0)"))?.kind == .directory }
      if isMeant { return base }
    }
    throw .relative(first)
  }

  /// Where a layer lies below the overlay's own mount point: in the file system that it is mounted on.
  private static func covered(
    _ path: String, by mount: Mount.Entry, among mounts: [Mount.Entry]
  ) -> (directory: [String], parent: Mount.Entry)? {
    let wanted = components(path)
    for place in mounts where place.device == mount.device && place.type == mount.type && place.place.root == "/" {
      guard wanted.below(components(place.place.path)) != nil,
        let parent = mounts.first(where: { $0.identifier == place.parent && $0.identifier != place.identifier }),
        let below = wanted.below(components(parent.place.path))
      else { continue }
      return (components(parent.place.root) + below, parent)
    }
    return nil
  }

  /// The names in a path.
  static func components(_ path: String) -> [String] {
    let names = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    return names.filter { !$0.utf8.elementsEqual(".".utf8) }
  }
}

extension [String] {
  /// What follows behind another path, compared bytewise; nil where this one is not below it.
  func below(_ directory: [String]) -> [String]? {
    guard count >= directory.count, zip(self, directory).allSatisfy({ $0.hasSameBytes(as: $1) }) else { return nil }
    return Array(dropFirst(directory.count))
  }
}

extension OpenObject {
  /// Whether it is on an overlay, which has its files from layers.
  var isOnOverlay: Bool { layer == nil && fileSystem == FileSystemMagic.overlay.rawValue }

  /// Whether an overlay shows a layer's file of that inode number and size so.
  ///
  /// It keeps the number, but for the layer's own in the upper bits (`xino`, fs/overlayfs/inode.c), of which it has no more
  /// than it takes to count 500 layers.
  func isShown(as number: UInt64, size: UInt64) -> Bool {
    status.size == size && (status.inode == number || status.inode & (1 << 48 - 1) == number)
  }

  /// Refuses to say what vouches for the overlay's file.
  func refusal(_ refusal: OverlayRefusal) -> ProvenanceError {
    .fileSystem(fd: number, name: FileSystemNames.describe(fileSystem).name, why: refusal.why, next: refusal.next)
  }
}
