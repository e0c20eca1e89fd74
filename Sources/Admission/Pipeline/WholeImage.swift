public import Base
public import Image
public import ImageFormat
internal import Linux
public import Loader
internal import Provenance

/// What an image says is to be loaded of it.
public struct WholeImage: Sendable {
  /// In the order of loading, each with a directory of pins of its own.
  public var entries: [Manifest.LoadEntry]
  /// Whether the image's builder gave a list. Without one these are all objects, in the order of their names.
  public let hasList: Bool
  /// The image that the list is of, which the objects have to be of too.
  public let rootHash: Digest
  /// What is pinned where the image's objects are to be and is none of them, where they replace others.
  public internal(set) var ended: EndedObjects?

  /// Opens an image, proves its manifest up to the root hash, and reads the load list in it, or the names of its objects.
  ///
  /// - Parameter request: says which root hash is expected, and whose signatures count.
  /// - Throws: ``AdmissionError/provenance(_:)``, ``AdmissionError/noObjects(image:)``, and ``AdmissionError/load(_:)`` where pins of
  ///   others are in the way.
  public static func list(
    _ image: String, at location: ImageLocation, _ request: AdmissionRequest
  ) throws(AdmissionError) -> WholeImage {
    let trust = if let trust = request.trust { trust } else { try Admission.machinesTrust() }
    var examination = Examination(expecting: request.rootHash, trust: trust)
    let manifest: Manifest?
    do throws(ProvenanceError) {
      manifest = try examination.manifest(of: image, at: location)
    } catch {
      throw .provenance(error)
    }
    guard let manifest, !manifest.objects.isEmpty, let rootHash = examination.reached.rootHash else {
      throw .noObjects(image: image, hasManifest: manifest != nil)
    }
    let entries = manifest.loadList ?? manifest.objects.map { Manifest.LoadEntry(object: $0.file.path) }
    var pins: Set<String> = []
    for entry in entries where !pins.insert(entry.pin).inserted && request.pinPath != nil {
      throw .load(.pinNameTwice(path: entry.pin))
    }
    var whole = WholeImage(entries: entries, hasList: manifest.loadList != nil, rootHash: rootHash)
    if request.replaces, let path = request.pinPath {
      do throws(BPFLoadError) {
        whole.ended = try EndedObjects.find(below: path, without: entries.map(\.pin))
      } catch {
        throw .load(error)
      }
    }
    return whole
  }
}

extension WholeImage {
  /// Refuses an object of another image than the one that the list is of: the file may have been exchanged since.
  func require(_ evidence: Evidence) throws(AdmissionError) {
    guard let verity = evidence.verity, verity.rootHash != rootHash else { return }
    throw .provenance(
      .rootHash(
        image: evidence.image?.path ?? "", expected: rootHash.description, found: verity.rootHash.description))
  }
}

extension AdmissionRequest {
  /// What is asked for one of the objects: what the load list says of it, or the same as for all.
  func specific(to index: Int) -> AdmissionRequest {
    guard let whole else { return self }
    var request = self
    let entry = whole.entries[index]
    request.pinPath = pinPath.map { "\($0)/\(entry.pin)" }
    request.pinsByObject = false
    request.attaches = entry.attach != nil
    request.interface = entry.interface ?? interface
    request.cgroup = entry.cgroup ?? cgroup
    request.attachTarget = entry.target
    request.objectOptions.choice.only = entry.programs.map { FileNamePattern($0) }
    request.objectOptions.choice.without = entry.withoutPrograms.map { FileNamePattern($0) }
    request.objectOptions.choice.attached = (entry.attach ?? []).map { FileNamePattern($0) }
    request.objectOptions.mapEntries = entry.mapEntries.map { MapEntries(map: $0.map, entries: $0.entries) }
    return request
  }
}
