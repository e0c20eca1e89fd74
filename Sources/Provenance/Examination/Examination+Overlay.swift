internal import Base
internal import Linux

/// Objects that an overlay without a writable layer shows. The layer that has the file is found as the overlay finds it, and
/// the file is verified there.
extension Examination {
  mutating func examine(onOverlay file: borrowing OpenObject) throws(OriginRefusal) -> ExaminedObject {
    let facts = file.facts
    reached.descriptor = facts
    defer { reached.descriptor = facts }
    let found: (layer: OpenOverlay.Layer, place: OpenOverlay.Place)
    do throws(ProvenanceError) {
      found = try OpenOverlay.open(file).find(file, trust: trust)
    } catch {
      throw OriginRefusal(error, leavesOthers: error.isOfFileSystem)
    }
    switch found.place {
    case .file(let path): return try examine(file, inFile: path, of: found.layer.name)
    case .image(let place):
      do throws(ProvenanceError) { return try examine(onImage: file.placed(at: place)) } catch {
        let named = error.of(layer: found.layer.name, fd: file.number)
        throw OriginRefusal(named, leavesOthers: named.isOfFileSystem)
      }
    }
  }

  /// Examines the file of a layer that is a directory of this mount namespace.
  private mutating func examine(
    _ file: borrowing OpenObject, inFile path: String, of layer: String
  ) throws(OriginRefusal) -> ExaminedObject {
    let own: OpenObject
    do throws(ProvenanceError) { own = try open(path, of: layer, shownAs: file) } catch {
      throw OriginRefusal(error, leavesOthers: error.isOfFileSystem)
    }
    let examined: ExaminedObject
    do throws(OriginRefusal) { examined = try examineVolume(under: own) } catch {
      let named = error.error.of(layer: layer, fd: file.number)
      throw OriginRefusal(named, leavesOthers: error.leavesOthers || named.isOfFileSystem)
    }
    do throws(ProvenanceError) {
      let shown = try file.contents(from: own.device)
      guard examined.bytes.hasSameBytes(as: shown.rawSpan) else {
        throw .mountDiffers(
          message: "the overlay shows other bytes through fd \(file.number) than its layer `\(layer)` has",
          expected: "the bytes of `\(path)`", found: "other bytes")
      }
    } catch {
      throw OriginRefusal(error)
    }
    return examined.with(file.facts, LayerFacts(name: layer, device: own.device))
  }

  private func open(
    _ path: String, of layer: String, shownAs file: borrowing OpenObject
  ) throws(ProvenanceError) -> OpenObject {
    let descriptor: OwnedFD
    do throws(SystemError) {
      descriptor = try OwnedFD.open(path, [.readOnly, .noFollow, .nonBlocking])
    } catch {
      throw file.refusal(.closed(layer: layer, "\(error)"))
    }
    let own = try OpenObject.check(descriptor, number: file.number)
    guard file.isShown(as: own.status.inode, size: own.status.size) else {
      throw file.refusal(.other(path: path, "\(own.status.size) bytes, inode \(own.status.inode)"))
    }
    return own
  }
}

extension ProvenanceError {
  /// Whether it is about what kind of file system the file is on, which vouches for nothing.
  var isOfFileSystem: Bool {
    if case .fileSystem = self { true } else { false }
  }

  /// The same of a file that an overlay has from a layer: its descriptor is on an overlay.
  func of(layer: String, fd number: Int32) -> ProvenanceError {
    let reason: String
    let next: String
    switch self {
    case .fileSystem(_, let name, let why, let step): (reason, next) = ("is on \(name): \(why)", step)
    case .device(let device, let message, let step): (reason, next) = ("is on device \(device), which \(message)", step)
    case .system, .notAFile, .suspended, .witness, .table, .volume, .kernelAlone, .tableChanged, .poisoned,
      .mountDiffers, .imageFile, .fileVerity, .image, .object, .rootHash, .tooLarge, .hashing, .revoked:
      return self
    }
    return .fileSystem(fd: number, name: "overlayfs", why: "its layer `\(layer)` \(reason)", next: next)
  }
}
