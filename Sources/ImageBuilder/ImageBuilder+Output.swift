internal import ByteKit
internal import DMVerity
internal import DiskLayout
internal import LinuxSys
internal import Manifest

extension ImageBuilder {
  func checkLabels() throws(BuildError) {
    for (option, text) in [("--name", request.name), ("--version", request.version)] {
      guard let text, !Manifest.isAcceptableName(text) else { continue }
      throw .badLabel(option: option, text: text)
    }
  }

  /// The results replace regular files only: a rename as root would replace a device node just as well.
  func checkOutputs() throws(BuildError) {
    var paths = [request.output, request.rootHashFile]
    if request.layout == .sidecar { paths.append(Sidecars(imagePath: request.output).hashTree) }
    if let signing = request.signing { paths.append(signing.file) }
    if let manifest = request.manifestFile { paths.append(manifest) }
    for (index, path) in paths.enumerated() {
      guard !path.isEmpty, !paths[..<index].contains(path) else {
        throw .badOutput(path: path, found: path.isEmpty ? "an empty name" : "the name of another result")
      }
      guard let kind = try? FileStatus.of(path: path, followLinks: false).kind else { continue }
      guard kind == .regular || kind == .symbolicLink else { throw .badOutput(path: path, found: "a \(kind.rawValue)") }
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
      let path = Sidecars(imagePath: request.output).hashTree
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
      try DiskImage(sealed: sealed, signature: record, output: request.output).write(
        image.descriptor, to: disk.descriptor, path: disk.temporaryPath, script: workshop.name("partitions"))
      return FinishedImage(image: disk, tree: nil)
    }
  }

  /// Gives the results their names.
  func commit(
    _ finished: consuming FinishedImage, _ sealed: ImageSealer.Sealed, _ signature: RootHashSignature?,
    manifest: [UInt8]
  ) throws(BuildError) {
    let rootHash = try pending(request.rootHashFile, Array(RootHashFile.text(sealed.rootHash).utf8))
    if let path = request.manifestFile { try commit(try pending(path, manifest), as: path) }
    if let signature, let path = request.signing?.file { try commit(try pending(path, signature.message), as: path) }
    try commit(rootHash, as: request.rootHashFile)
    if let tree = finished.tree.take() { try commit(tree, as: Sidecars(imagePath: request.output).hashTree) }
    // The image last: whoever sees it finds the others beside it.
    try commit(finished.image, as: request.output)
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

/// A private directory beside the image, on the same file system: what is opened there by name, by sfdisk and by the
/// self-check, is what was written there, as nobody else can put another file under that name. The finished image leaves
/// it by a rename.
struct Workshop: ~Copyable {
  private let directory: PrivateDirectory

  init(besides output: String) throws(BuildError) {
    var components = output.split(separator: "/", omittingEmptySubsequences: false)
    let name = components.popLast() ?? ""
    let parent = components.isEmpty ? "." : components.joined(separator: "/")
    do throws(SystemError) {
      directory = try PrivateDirectory(prefix: ".\(name)", in: parent.isEmpty ? "/" : parent)
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
