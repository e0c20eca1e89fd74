internal import BPFObject
internal import Base
internal import Verity
internal import FileSystems
internal import Linux
internal import ImageFormat

/// The file system of an image while files are packed into it.
struct FileSystem: ~Copyable, Sendable {
  private var writer = ErofsWriter()
  private var sink: ImageSink
  private var manifest: ManifestText
  private(set) var contents = Contents()
  /// What is no object that could be loaded, in the order of the paths.
  private(set) var refused: [(path: String, error: BPFObjectError)] = []
  /// The image's name, for messages.
  private let output: String
  /// Whether what is refused is left out, and the rest packed.
  private let skipsUnusable: Bool
  /// Whether objects may be executed.
  private let makesExecutable: Bool

  /// What has been packed.
  struct Contents: Sendable {
    /// By path in bytewise order.
    var objects: [Manifest.File] = []
    /// By path in bytewise order.
    var files: [Manifest.File] = []
    var programCount = 0
    var mapCount = 0
    /// The sections whose types are stated for an object.
    var statedSections: Set<String> = []
    var unknown: [UnknownPart] = []
    /// In the order of the objects.
    var notes: [PackedNote] = []
  }

  /// - Parameters:
  ///   - image: an empty file.
  ///   - request: says what the manifest says of the image as a whole, and how the image is called.
  ///   - fileCount: how many files are expected.
  init(_ image: consuming OwnedFD, _ request: BuildRequest, expecting fileCount: Int) {
    sink = ImageSink(image)
    manifest = ManifestText(name: request.name, version: request.version, expecting: fileCount)
    output = request.output
    skipsUnusable = request.skipsUnusable
    makesExecutable = request.makesExecutable
  }

  /// Adds the next file in the order of the paths.
  mutating func add(_ file: Packer.Packed) throws(BuildError) {
    var isExecutable = false
    switch file.entry {
    case .refused(let error):
      refused.append((file.path, error))
      return
    case .file(let entry):
      contents.files.append(entry)
      manifest.add(entry)
    case .object(let entry, let described):
      isExecutable = makesExecutable
      contents.objects.append(entry)
      contents.programCount += described.programCount
      contents.mapCount += described.mapCount
      contents.statedSections.formUnion(described.statedSections)
      contents.unknown += described.unknown.map { UnknownPart(path: entry.path, part: $0) }
      contents.notes += described.notes.map { PackedNote(path: entry.path, note: $0) }
      manifest.add(objectEntry: described.text)
    }
    do throws(ErofsWriterError) { try manifest.requireSize() } catch { throw failed(error) }
    // There will be no image; the rest is read to say what else is refused.
    guard refused.isEmpty || skipsUnusable else { return }
    do throws(ErofsWriterError) {
      try writer.add(file.path, file.bytes.rawSpan, isExecutable: isExecutable, to: &sink)
    } catch {
      throw failed(error)
    }
  }

  /// Adds what is loaded of the image as a whole, when all its objects are in it.
  ///
  /// - Parameter prefix: what goes before each path in the image.
  mutating func add(
    loadList entries: [Manifest.LoadEntry], below prefix: String, file: String
  ) throws(BuildError) {
    let objects = Set(contents.objects.map { Array($0.path.utf8) })
    var packed = entries
    for index in packed.indices {
      packed[index].object = prefix + packed[index].object
      guard objects.contains(Array(packed[index].object.utf8)) else {
        throw .badLoadList(
          path: file, place: "load[\(index)].object", expected: "an object that is packed", found: entries[index].object
        )
      }
    }
    manifest.add(loadList: packed)
  }

  /// What the finished file system is.
  struct Finished: Sendable {
    let dataBlocks: UInt64
    /// The manifest in it.
    let manifest: [UInt8]
    /// Its SHA-256. The manifest names every file by path and SHA-256, and the rest of the file system follows from
    /// these, so this stands for all of it.
    let manifestDigest: Digest
  }

  /// Adds the manifest and ends the file system.
  mutating func finish(seed: [UInt8]) throws(BuildError) -> Finished {
    let ending: ErofsEnding
    do throws(ErofsWriterError) {
      ending = try writer.end(with: Manifest.path, byteCount: UInt64(manifest.byteCount), to: &sink)
    } catch {
      throw failed(error)
    }
    let text = manifest.finish(dataBlocks: ending.blockCount)
    let digest: Digest
    let uuid: VolumeUUID
    do throws(HashingError) {
      digest = try Digest.of(text.rawSpan)
      uuid = try DerivedValues.fileSystemUUID(seed: seed, manifest: digest)
    } catch {
      throw .verity(.hashing(error))
    }
    do throws(ErofsWriterError) {
      try ending.write(text.rawSpan, uuid: uuid.bytes, to: &sink)
    } catch {
      throw failed(error)
    }
    return Finished(dataBlocks: ending.blockCount, manifest: text, manifestDigest: digest)
  }

  private func failed(_ error: ErofsWriterError) -> BuildError {
    if case .sink = error, let failure = sink.failure { return .output(path: output, failure) }
    return .fileSystem(error)
  }
}
