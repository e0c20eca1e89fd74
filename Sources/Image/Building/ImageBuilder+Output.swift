internal import BPFObject
internal import Base
internal import FileSystems
internal import Verity
internal import ImageFormat
internal import Linux

extension ImageBuilder {
  func checkLabels() throws(BuildError) {
    for (option, text) in [("--name", request.name), ("--version", request.version)] {
      guard let text, !Manifest.isAcceptableName(text) else { continue }
      throw .badLabel(option: option, text: text)
    }
  }

  /// What is too much by its paths alone is refused before anything is written. The writer counts exactly.
  func checkLimits(of scan: SourceScan) throws(BuildError) {
    let objects = scan.files.count { $0.isObject }
    let pathBytes = scan.files.reduce(scan.files.count * prefix.utf8.count) { $0 + $1.path.utf8.count }
    let limits = FileSystemLimits()
    do throws(ErofsWriterError) {
      guard pathBytes <= limits.listingBytes else {
        throw .limit(path: request.directory, allowed: limits.allowed(.listing), found: "\(pathBytes) bytes")
      }
      try ManifestText.requireSize(objects: objects, files: scan.files.count - objects, pathBytes: pathBytes)
    } catch {
      throw .fileSystem(error)
    }
  }

  /// What goes before each path in the image.
  var prefix: String { request.systemExtension?.directory(request.partition) ?? "" }

  /// What the manifest is to say of objects is said of some.
  func checkConfigurable(_ scan: SourceScan) throws(BuildError) {
    for pattern in request.configurable ?? [] {
      guard scan.files.contains(where: { $0.isObject && pattern.matches($0.path) }) else {
        throw .noSuchObject(option: "--configurable \(pattern.text)", expected: "an object of that name or path")
      }
    }
  }

  /// As ``checkConfigurable(_:)``, for ``BuildRequest/sectionTypes``.
  func checkSectionTypes(_ stated: Set<String>) throws(BuildError) {
    for type in request.sectionTypes where !stated.contains(type.section) {
      throw .noSuchObject(
        option: "--section-type \(type.section)=\(type.type)",
        expected: "an object with a section `\(type.section)` whose name says no type")
    }
  }

  /// Every path that a result will have.
  var outputs: [String] {
    var paths = [request.output, request.rootHashFile]
    if request.layout == .sidecar { paths.append(request.sidecars.hashTree) }
    if let signing = request.signing { paths.append(signing.file) }
    if let manifest = request.manifestFile { paths.append(manifest) }
    return paths
  }

  /// The results have different names, and replace regular files that nobody reads.
  func checkOutputs() throws(BuildError) {
    let paths = outputs
    let stale = try StaleSidecars(beside: request, outputs: paths, rootHash: nil).paths
    for (index, path) in paths.enumerated() {
      guard !path.isEmpty, !paths[..<index].contains(path) else {
        throw .badOutput(path: path, found: path.isEmpty ? "an empty name" : "the name of another result")
      }
    }
    try requireReplaceable(paths + stale, request.inputs)
  }

  /// The results replace nothing that is packed.
  func checkOutputs(besides scan: SourceScan) throws(BuildError) {
    // Where there is nothing yet, nothing can be replaced, and the files need not be looked at.
    let stale = try StaleSidecars(beside: request, outputs: outputs, rootHash: nil).paths
    let present = (outputs + stale).filter { (try? FileStatus.of(path: $0)) != nil }
    guard !present.isEmpty else { return }
    var sources = RunInputs()
    for file in scan.files {
      sources.add("\(request.directory)/\(file.path)", file.status, as: "a file that is packed")
    }
    try requireReplaceable(present, sources)
  }

  private func requireReplaceable(_ paths: [String], _ inputs: RunInputs) throws(BuildError) {
    for path in paths {
      do throws(SafeOutputError) {
        try inputs.requireReplaceable(path)
      } catch {
        if case .notAFile(_, let kind) = error { throw .badOutput(path: path, found: "a \(kind)") }
        throw .replacesInput(error)
      }
    }
  }

  /// Spreads the sealed image over files and partitions, as was asked for.
  func assemble(
    _ image: consuming PendingFile, _ sealed: ImageSealer.Sealed, _ signature: RootHashSignature?,
    in workshop: borrowing Workshop
  ) throws(BuildError) -> FinishedImage {
    switch request.layout {
    case .appended: return FinishedImage(image: image, tree: nil)
    case .sidecar:
      let dataBytes = sealed.layout.parameters.dataByteCount
      let path = request.sidecars.hashTree
      do throws(SystemError) {
        let tree = try PendingFile(replacing: path)
        try image.descriptor.copy(
          from: dataBytes, count: sealed.layout.treeEnd - dataBytes, to: tree.descriptor, at: 0)
        try image.descriptor.truncate(to: dataBytes)
        return FinishedImage(image: image, tree: tree)
      } catch {
        throw .output(path: path, error)
      }
    case .ddi:
      let disk = try workshop.pendingImage(request.output, as: "disk")
      let record = signature.map {
        SignatureRecord(rootHash: sealed.rootHash, signature: $0.message, certificateFingerprint: $0.signer).partition
      }
      try DiskImage(sealed: sealed, use: request.partition, signature: record, output: request.output).write(
        image.descriptor, to: disk.descriptor)
      return FinishedImage(image: disk, tree: nil)
    }
  }

  /// Gives the results their names, and takes away what an earlier build left beside the image.
  ///
  /// A run may be killed between any two steps, so a root hash or a signature is under its name only while the image that
  /// it is of is: the old ones go first, then the tree and the image come, and the root hash, which makes the image
  /// usable, comes last. In between the image has none, and is refused.
  func commit(
    _ finished: consuming FinishedImage, _ sealed: ImageSealer.Sealed, _ signature: RootHashSignature?,
    manifest: [UInt8], in workshop: borrowing Workshop
  ) throws(BuildError) -> StaleSidecars {
    // Before the root hash is replaced, which says whether a signature is still one of this image.
    let stale = try StaleSidecars(beside: request, outputs: outputs, rootHash: sealed.rootHash)
    let rootHash = try pending(request.rootHashFile, Array(RootHashFile.text(sealed.rootHash).utf8))
    let copy: PendingFile?
    if let path = request.manifestFile { copy = try pending(path, manifest) } else { copy = nil }
    let message: PendingFile?
    if let signature, let path = request.signing?.file {
      message = try pending(path, signature.message)
    } else {
      message = nil
    }
    let aside = try SetAside(stale.paths + replaced(by: sealed.rootHash), in: workshop)
    do throws(BuildError) {
      if let tree = finished.tree.take() { try commit(tree, as: request.sidecars.hashTree) }
      try commit(finished.image, as: request.output)
    } catch {
      aside.restore()
      throw error
    }
    if let message = message, let path = request.signing?.file { try commit(message, as: path) }
    if let copy = copy, let path = request.manifestFile { try commit(copy, as: path) }
    try commit(rootHash, as: request.rootHashFile)
    return stale
  }

  /// The files that are written anew and belong to the image that was there: none when it is the same one.
  private func replaced(by rootHash: Digest) -> [String] {
    guard StaleSidecars.rootHash(in: request.rootHashFile) != rootHash else { return [] }
    let paths = [request.rootHashFile, request.signing?.file]
    return paths.compactMap { $0 }.filter { (try? FileStatus.of(path: $0, followLinks: false)) != nil }
  }

  func pending(_ path: String, _ contents: [UInt8]) throws(BuildError) -> PendingFile {
    do throws(SystemError) {
      let file = try PendingFile(replacing: path)
      try file.descriptor.writeAll(contents.rawSpan)
      return file
    } catch {
      throw .output(path: path, error)
    }
  }

  func commit(_ file: consuming PendingFile, as path: String) throws(BuildError) {
    do throws(SystemError) {
      try file.commit()
    } catch {
      throw .output(path: path, error)
    }
  }
}

/// The files of an image that have no names yet.
struct FinishedImage: ~Copyable {
  let image: PendingFile
  /// Superblock and tree, when they have a file of their own.
  var tree: PendingFile?

  /// Where the tree's own file is until it gets its name.
  var treePath: String? {
    switch tree {
    case .some(let tree): tree.temporaryPath
    case nil: nil
    }
  }
}

/// A private directory beside the image, on the same file system: what is opened there by name, by the
/// self-check, is what was written there, as nobody else can put another file under that name. The finished image leaves
/// it by a rename.
struct Workshop: ~Copyable {
  private let directory: PrivateDirectory

  init(besides output: String) throws(BuildError) {
    var components = output.split(separator: "/", omittingEmptySubsequences: false)
    let name = components.popLast() ?? ""
    let parent = components.isEmpty ? "." : components.joined(separator: "/")
    do throws(SystemError) {
      directory = try PrivateDirectory(prefix: ".\(name).verity-bpf", in: parent.isEmpty ? "/" : parent)
    } catch {
      throw .output(path: output, error)
    }
  }

  /// The path of a file in it.
  func name(_ name: String) -> String { "\(directory.path)/\(name)" }

  func pendingImage(_ output: String, as name: String) throws(BuildError) -> PendingFile {
    do throws(SystemError) {
      return try PendingFile(replacing: output, in: directory.path, as: name)
    } catch {
      throw .output(path: output, error)
    }
  }
}
