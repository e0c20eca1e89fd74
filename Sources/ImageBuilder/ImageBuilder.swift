internal import BPFObject
internal import ByteKit
internal import DMVerity
internal import DiskLayout
internal import Hashing
internal import LinuxSys
internal import Manifest

/// Makes a reproducible dm-verity image of a directory of BPF objects.
///
/// Equal input gives equal bytes on every machine with the same mkfs.erofs, whoever builds and wherever: what goes
/// into the image is read once, sorted, and given fixed modes, owners and times, and every number that could be random
/// is derived. Nothing here needs privilege.
public struct ImageBuilder {
  let request: BuildRequest
  private let threads: Int
  private let progress: (BuildStep) -> Void

  /// - Parameters:
  ///   - threads: how many threads read, check and hash.
  ///   - progress: told how far the work has come, on the calling thread.
  public init(_ request: BuildRequest, threads: Int = 2, progress: @escaping (BuildStep) -> Void = { _ in }) {
    self.request = request
    self.threads = threads
    self.progress = progress
  }

  /// Builds the image, proves it, and gives the results their names; on failure nothing is left behind.
  public func build() throws(BuildError) -> BuildResult {
    try checkLabels()
    try checkOutputs()
    let maker = try FileSystemMaker()
    let scan = try SourceScan(request.directory, includes: request.includes)
    guard !scan.files.isEmpty else {
      throw .nothingToPack(path: request.directory, skipped: scan.skipped.count)
    }
    var manifest = Manifest(name: request.name, version: request.version, dataBlocks: 0, objects: [], files: [])
    try checkOutputs(besides: scan)
    let workshop = try Workshop(besides: request.output)
    let image = try workshop.pendingImage(request.output, as: "image")
    var text = try makeFileSystem(image.temporaryPath, maker, scan, &manifest)
    let sealer = ImageSealer(seed: request.seed, salt: request.salt, threads: threads, progress: progress)
    let sealed = try sealer.seal(image.descriptor, manifest: &text)
    manifest.dataBlocks = sealed.layout.parameters.dataBlockCount
    progress(.proving)
    let signature = try request.signing?.sign(sealed.rootHash)
    let finished = try assemble(image, sealed, signature, in: workshop)
    try SelfCheck(
      path: finished.image.temporaryPath, verityData: finished.treePath, rootHash: sealed.rootHash,
      threads: threads
    ).check(manifest, text: text)
    let stale = try commit(finished, sealed, signature, manifest: text, in: workshop)
    let dataBytes = sealed.layout.parameters.dataByteCount
    return BuildResult(
      manifest: manifest, rootHash: sealed.rootHash, salt: sealed.salt, dataBytes: dataBytes,
      treeBytes: sealed.layout.treeEnd - dataBytes, signature: signature, removed: stale.paths,
      keptSignature: stale.keptSignature, skipped: scan.skipped, mkfsVersion: maker.version)
  }

  /// Packs the files and the manifest, whose number of data blocks is still to be filled in.
  ///
  /// - Returns: the manifest's text.
  private func makeFileSystem(
    _ image: String, _ maker: FileSystemMaker, _ scan: SourceScan, _ manifest: inout Manifest
  ) throws(BuildError) -> [UInt8] {
    var stage = try Stage.make(byteCount: scan.byteCount)
    try pack(scan, into: &stage, &manifest)
    let text = manifest.text
    try stage.writer.add(Manifest.path, text)
    try stage.seal()
    progress(.makingFileSystem)
    let uuid: VolumeUUID
    do throws(HashingError) {
      uuid = try DerivedValues.fileSystemUUID(seed: request.seed, manifest: text)
    } catch {
      throw .verity(.hashing(error))
    }
    try maker.make(image, from: stage.root, uuid: uuid.description)
    return text
  }

  /// Reads, describes and copies the files, a round of them at a time on all threads.
  private func pack(
    _ scan: SourceScan, into stage: inout Stage, _ manifest: inout Manifest
  ) throws(BuildError) {
    let files = scan.files
    try stage.createDirectories(for: files.map(\.path) + [Manifest.path])
    let packer = Packer(directory: request.directory, strips: request.strips, writer: stage.writer)
    var refused: [(path: String, error: BPFObjectError)] = []
    for start in stride(from: 0, to: files.count, by: 256) {
      progress(.packing(done: start, total: files.count))
      let round = files[start..<min(start + 256, files.count)]
      let packed = try packer.pack(Array(round), threads: threads)
      for (file, entry) in zip(round, packed) {
        switch entry {
        case .file(let file): manifest.files.append(file)
        case .object(let object): manifest.objects.append(object)
        case .refused(let error): refused.append((file.path, error))
        }
      }
    }
    if let first = refused.first {
      let others = refused.dropFirst().map { "\($0.path): \($0.error.message)" }
      throw .object(path: "\(request.directory)/\(first.path)", first.error, others: others)
    }
  }
}
