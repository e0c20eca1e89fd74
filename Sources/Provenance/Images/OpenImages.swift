internal import Base
internal import Image
internal import Trust

/// The images that are open during an examination, each proven once.
///
/// An image stays what it was when it was opened: the descriptor is held, and what is proven lies in private memory. A
/// file that is put in its place meanwhile is not looked at; a loop device that gets another backing file is another
/// image, because its disk sequence differs.
struct OpenImages: ~Copyable {
  /// Proven bytes that an image may hold on to from one object to the next. Beyond that it is opened anew, so that a
  /// run over a large image does not end at the limit of one device's memory.
  private static let keptByteCount = 64 << 20

  /// Whose signatures of root hashes count.
  private let trust: Trust

  private var byPath: [PlacedImage: OpenImage] = [:]
  private var byLoop: [(loop: LoopFacts, image: OpenImage)] = []
  private var byVolume: [(volume: VolumeFacts, image: OpenImage)] = []

  init(trust: Trust) { self.trust = trust }

  /// The image file of that path.
  ///
  /// - Parameters:
  ///   - location: where its parts are, as far as the caller says so.
  ///   - rootHash: set to its root hash as soon as that is known, also when the image is refused then.
  mutating func open(
    _ path: String, at location: ImageLocation, expecting expected: Digest?, noting rootHash: inout Digest?
  ) throws(ProvenanceError) -> OpenImage {
    let place = PlacedImage(path: path, location: location)
    if let open = byPath[place] {
      rootHash = open.image.rootHash
      return open
    }
    let open = OpenImage(
      try ProvenImage.open(path, at: location, expected: expected, trust: trust, noting: &rootHash))
    byPath[place] = open
    return open
  }

  /// The image in the backing file of a loop device.
  mutating func open(
    under loop: LoopFacts, expecting expected: Digest?, noting rootHash: inout Digest?
  ) throws(ProvenanceError) -> OpenImage {
    if let known = byLoop.first(where: { $0.loop == loop }) {
      rootHash = known.image.image.rootHash
      return known.image
    }
    let image = try ProvenImage.open(
      loop.backingFile, offset: loop.offset, sizeLimit: loop.sizeLimit, expected: expected, trust: trust,
      noting: &rootHash)
    let open = OpenImage(image)
    byLoop.append((loop, open))
    return open
  }

  /// The image under a dm-verity device.
  mutating func open(under witness: KernelWitness, expecting expected: Digest?) throws(ProvenanceError) -> OpenImage {
    if let known = byVolume.first(where: { $0.volume == witness.facts }) { return known.image }
    let open = OpenImage(try ProvenImage.open(under: witness, expected: expected, trust: trust))
    byVolume.append((witness.facts, open))
    return open
  }

  /// Closes the images that hold too much.
  mutating func trim() {
    byPath = byPath.filter { $0.value.image.provenByteCount <= Self.keptByteCount }
    byVolume.removeAll { $0.image.image.provenByteCount > Self.keptByteCount }
    byLoop.removeAll { $0.image.image.provenByteCount > Self.keptByteCount }
  }
}

/// An image file as it was named, with its parts.
private struct PlacedImage: Hashable {
  let path: String
  let location: ImageLocation
}

/// A proven image that several owners refer to.
final class OpenImage {
  let image: ProvenImage
  init(_ image: consuming ProvenImage) { self.image = image }
}
