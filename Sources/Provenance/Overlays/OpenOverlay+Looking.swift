internal import Base
internal import FileSystems
internal import Image
internal import KernelABI
internal import Linux
internal import Trust

/// Finding the layer that an overlay has a file from: the first that has something under its path.
extension OpenOverlay {
  /// Where a layer has it.
  enum Place {
    /// A path of this mount namespace.
    case file(String)
    /// In an image, under a device.
    case image(LayerPlace)
  }

  /// - Throws: ``ProvenanceError/fileSystem(fd:name:why:next:)`` where it is not found without doubt.
  func find(_ file: borrowing OpenObject, trust: Trust) throws(ProvenanceError) -> (layer: Layer, place: Place) {
    for layer in layers {
      let found: (components: [LayerWalk.Component], place: Place)
      do throws(ProvenanceError) {
        found = try look(in: layer, file, trust: trust)
      } catch {
        // What is before the file's layer decides too, whatever it is.
        guard !error.isOfFileSystem else { throw error }
        throw file.refusal(.closed(layer: layer.name, error.diagnostic.message))
      }
      let shown = path.separated(by: "/")
      switch LayerWalk.answer(found.components, of: path.count) {
      case .absent: continue
      case .file: return (layer, found.place)
      case .hidden: throw file.refusal(.hidden(path: shown, layer: layer.name))
      case .renamed: throw file.refusal(.renamed(path: shown, layer: layer.name))
      }
    }
    throw file.refusal(.inNone(path: path.separated(by: "/")))
  }

  private func look(
    in layer: Layer, _ file: borrowing OpenObject, trust: Trust
  ) throws(ProvenanceError) -> (components: [LayerWalk.Component], place: Place) {
    switch layer {
    case .closed(let name, let reason): throw file.refusal(.closed(layer: name, reason))
    case .directory(let name, let at): return try look(inDirectory: at, name: name, file)
    case .volume(let name, let device, let directory):
      let place = LayerPlace(name: name, device: device, path: (directory + path).separated(by: "/"))
      return (try look(on: device, below: directory, trust: trust), .image(place))
    case .merged(let name, let merged):
      if let tree = merged.tree { return try look(inDirectory: tree, name: name, file) }
      let device = try merged.device(name: name, under: file)
      let directory = Self.components(merged.directory)
      let place = LayerPlace(name: name, device: device, path: (directory + path).separated(by: "/"))
      return (try look(on: device, below: directory, trust: trust), .image(place))
    }
  }

  // MARK: In a directory

  private func look(
    inDirectory directory: String, name: String, _ file: borrowing OpenObject
  ) throws(ProvenanceError) -> (components: [LayerWalk.Component], place: Place) {
    let place = ([directory] + path).separated(by: "/")
    var found: [LayerWalk.Component] = []
    do throws(SystemError) {
      let root = try OwnedFD.open(directory, [.path, .directory])
      let device = try root.status().device
      if try root.fileSystemType() == FileSystemMagic.overlay.rawValue {
        throw SystemError("look below an overlay", path: directory, .eopnotsupp)
      }
      var at = directory
      for component in path {
        at += "/\(component)"
        guard let status = try status(of: at) else { break }
        // An overlay sees what is below such a mount.
        guard status.device == device else { throw SystemError("look below a mount", path: at, .exdev) }
        found.append(self.component(status, at: at))
        guard status.kind == .directory else { break }
      }
    } catch {
      throw file.refusal(.closed(layer: name, "\(error)"))
    }
    return (found, .file(place))
  }

  /// What there is; nil for nothing.
  private func status(of path: String) throws(SystemError) -> FileStatus? {
    do throws(SystemError) {
      return try FileStatus.of(path: path, followLinks: false)
    } catch {
      guard error.code == .enoent else { throw error }
      return nil
    }
  }

  private func component(_ status: FileStatus, at path: String) -> LayerWalk.Component {
    switch status.kind {
    case .directory:
      LayerWalk.Component(
        kind: .directory, isOpaque: attribute("opaque", of: path) == [UInt8(ascii: "y")],
        isRenamed: attribute("redirect", of: path) != nil)
    case .regular:
      LayerWalk.Component(kind: .regular, isWhiteout: status.size == 0 && attribute("whiteout", of: path) != nil)
    case .characterDevice:
      LayerWalk.Component(kind: .other, isWhiteout: status.specialDevice == DeviceNumber(major: 0, minor: 0))
    case .fifo, .socket, .symbolicLink, .blockDevice, .other: LayerWalk.Component(kind: .other)
    }
  }

  /// What the overlay noted on a file; no bytes where that is too much.
  private func attribute(_ name: String, of path: String) -> [UInt8]? {
    let prefix = usesUserAttributes ? "user.overlay." : "trusted.overlay."
    do throws(SystemError) {
      return try ExtendedAttribute.read(prefix + name, of: path, limit: 256)
    } catch {
      return []
    }
  }

  // MARK: In an image

  /// What an image under a device has. What overlays note on files is not read there: whatever it would be, the file that is
  /// found has to be the one that the descriptor shows.
  private func look(
    on device: DeviceNumber, below directory: [String], trust: Trust
  ) throws(ProvenanceError) -> [LayerWalk.Component] {
    // Of its own, because other layers need not have the root hash that the caller expects.
    var images = OpenImages(trust: trust)
    let open: OpenImage
    if try KernelWitness.isMapped(device) {
      open = try images.open(under: KernelWitness.ask(about: device), expecting: nil)
    } else {
      var rootHash: Digest?
      open = try images.open(under: LoopFacts(of: device), expecting: nil, noting: &rootHash)
    }
    var found: [LayerWalk.Component] = []
    for count in path.indices {
      let prefix = (directory + path[...count]).separated(by: "/")
      let inode: FileSystemInode
      do throws(FileSystemError) {
        inode = try open.image.files.lookup(prefix)
      } catch {
        if error.check == .notFound { break }
        throw open.image.refusal(error, object: prefix)
      }
      let kind: LayerWalk.Kind =
        switch inode.kind {
        case .directory: .directory
        case .regular: .regular
        case .symbolicLink, .characterDevice, .blockDevice, .fifo, .socket: .other
        }
      found.append(LayerWalk.Component(kind: kind))
      guard kind == .directory else { break }
    }
    return found
  }
}

extension ExtensionLayer {
  /// The directory that it is, where it is no image.
  var tree: String? { trees.first { (try? FileStatus.of(path: $0))?.kind == .directory } }

  /// The dm-verity device that its image is active on: the one with the image's root hash.
  func device(name: String, under file: borrowing OpenObject) throws(ProvenanceError) -> DeviceNumber {
    let paths = candidates
    guard !paths.isEmpty else {
      let places = kind.directories.separated(by: ", ")
      throw file.refusal(.closed(layer: name, "there is no `\(self.name).raw` in \(places)"))
    }
    var rootHashes: [Digest] = []
    var reason = ""
    for path in paths {
      do throws(ImageFileError) {
        rootHashes.append(try ImageFile.open(path).ownRootHash)
      } catch {
        if reason.isEmpty { reason = error.diagnostic.message }
      }
    }
    guard !rootHashes.isEmpty else { throw file.refusal(.closed(layer: name, reason)) }
    let numbers: [DeviceNumber]
    do throws(SystemError) { numbers = try DeviceMapper.open().devices() } catch {
      // Without a device-mapper there is no volume.
      guard error.code == .enoent || error.code == .enodev else { throw .system(error) }
      numbers = []
    }
    for number in numbers {
      // What is no verity device is none of an image's.
      guard let witness = try? KernelWitness.ask(about: number) else { continue }
      if rootHashes.contains(witness.facts.rootHash) { return number }
    }
    throw file.refusal(
      .closed(layer: name, "no dm-verity device has the root hash of `\(paths[0])`, \(rootHashes[0])"))
  }

  /// Images of its name that are there.
  private var candidates: [String] {
    let plain = images.filter { (try? FileStatus.of(path: $0))?.kind == .regular }
    return plain
      + versions.flatMap { directory in
        ((try? Directory.names(directory)) ?? []).filter { $0.hasSuffix(".raw") }.map { "\(directory)/\($0)" }
      }
  }
}
