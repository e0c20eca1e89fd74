internal import BPFObject
internal import Base
internal import Verity
internal import ImageFormat
internal import Linux

/// Makes a reproducible dm-verity image of a directory of BPF objects.
///
/// Equal input gives equal bytes on every machine, for every user and in every directory: what goes into the image is read once,
/// sorted, and given fixed modes, owners and times, and every number that could be random is derived. Nothing here needs
/// privilege.
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
    let scan = try SourceScan(request.directory, includes: request.includes, threads: threads)
    guard !scan.files.isEmpty else {
      throw .nothingToPack(path: request.directory, skipped: scan.skipped.count)
    }
    try checkOutputs(besides: scan)
    try checkLimits(of: scan)
    try checkConfigurable(scan)
    let workshop = try Workshop(besides: request.output)
    let image = try workshop.pendingImage(request.output, as: "image")
    let (contents, unusable, fileSystem) = try makeFileSystem(image.descriptor, scan)
    let writeback = image.descriptor.beginSync()
    let sealed = try ImageSealer(
      seed: request.derivationSeed, salt: request.salt, threads: threads, output: request.output, progress: progress
    ).seal(image.descriptor, fileSystem)
    progress(.proving)
    let signature = try request.signing?.sign(sealed.rootHash)
    let finished = try assemble(image, sealed, signature, in: workshop)
    try SelfCheck(
      path: finished.image.temporaryPath, verityData: finished.treePath, rootHash: sealed.rootHash,
      threads: threads
    ).check(contents, in: fileSystem)
    writeback?.wait()
    let stale = try commit(finished, sealed, signature, manifest: fileSystem.manifest, in: workshop)
    let dataBytes = sealed.layout.parameters.dataByteCount
    return BuildResult(
      objects: contents.objects, files: contents.files, programCount: contents.programCount,
      mapCount: contents.mapCount, rootHash: sealed.rootHash, salt: sealed.salt, dataBlocks: fileSystem.dataBlocks,
      dataBytes: dataBytes, treeBytes: sealed.layout.treeEnd - dataBytes, signature: signature, removed: stale.paths,
      keptSignature: stale.keptSignature, skipped: scan.skipped,
      unreadable: scan.unreadable, unusable: unusable, unknown: contents.unknown, notes: contents.notes)
  }

  /// Files that are packed before progress is reported, and the bytes of them that may be in memory at a time.
  private static let round = (fileCount: 1024, byteCount: 16 << 20 as UInt64)

  /// Packs the files and the manifest.
  private func makeFileSystem(
    _ image: borrowing OwnedFD, _ scan: SourceScan
  ) throws(BuildError) -> (contents: FileSystem.Contents, unusable: [UnusableObject], FileSystem.Finished) {
    let packer = Packer(
      directory: request.directory, strips: request.strips, prefix: prefix, sectionTypes: request.sectionTypes,
      configurable: request.configurable)
    let descriptor: OwnedFD
    do throws(SystemError) {
      descriptor = try image.duplicate()
    } catch {
      throw .output(path: request.output, error)
    }
    let packing = Packing(FileSystem(descriptor, request, expecting: scan.files.count))
    // Files are added in the order of their paths, and this one lies before all others or behind them.
    let release = try releaseFile()
    if let release, release.path.precedesBytewise(prefix) { try add(release, to: packing) }
    for round in scan.rounds(fileCount: Self.round.fileCount, byteCount: Self.round.byteCount) {
      progress(.packing(done: round.startIndex, total: scan.files.count))
      try packing.pack(round, by: packer, threads: threads)
    }
    if let release, !release.path.precedesBytewise(prefix) { try add(release, to: packing) }
    return try packing.withFileSystem { fileSystem throws(BuildError) in
      let contents = fileSystem.contents
      // An image of nothing but what was not meant to be alone is none.
      let isUsable = request.skipsUnusable && !(contents.objects.isEmpty && contents.files.isEmpty)
      if let first = fileSystem.refused.first, !isUsable {
        let others = fileSystem.refused.dropFirst().map { "\($0.path): \($0.error.message)" }
        throw .object(path: "\(request.directory)/\(first.path)", first.error, others: others)
      }
      try checkSectionTypes(contents.statedSections)
      let unusable = fileSystem.refused.map { UnusableObject(path: $0.path, reason: $0.error.diagnostic) }
      if let list = request.loadList {
        try fileSystem.add(loadList: list, below: prefix, file: request.loadListFile ?? "")
      }
      return (contents, unusable, try fileSystem.finish(seed: request.derivationSeed))
    }
  }

  private func add(_ file: Packer.Packed, to packing: borrowing Packing) throws(BuildError) {
    try packing.withFileSystem { fileSystem throws(BuildError) in try fileSystem.add(file) }
  }

  /// The file that says which systems a system extension is for.
  private func releaseFile() throws(BuildError) -> Packer.Packed? {
    guard let systemExtension = request.systemExtension else { return nil }
    let bytes = Array(SystemExtension.release.utf8)
    let path = systemExtension.releasePath(request.partition)
    do throws(HashingError) {
      let file = Manifest.File(path: path, digest: try Digest.of(bytes.rawSpan), size: UInt64(bytes.count))
      return Packer.Packed(path: path, bytes: bytes, entry: .file(file))
    } catch {
      throw .verity(.hashing(error))
    }
  }
}
