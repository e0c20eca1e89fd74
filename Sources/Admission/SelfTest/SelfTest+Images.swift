internal import Base
internal import Verity
internal import Linux

extension SelfTest {
  /// The image itself: whole, broken in its data, broken in its tree, cut, sealed with another root hash.
  static func imageControls(_ specimen: borrowing Specimen) -> [Control] {
    let trusting = Question.trusting(specimen.rootHash)
    let pinned = Question.trusting(specimen.rootHash, pinned: true)
    let object = specimen.object
    let (offset, end) = (specimen.objectOffset, specimen.layout.treeEnd)
    var controls = [
      Control(
        "good", "an object of the image, by a rule that names its root hash", .allowed,
        answer: pinned.ask(.image(path: specimen.path, object: object, at: specimen.place)))
    ]
    controls.append(
      onVariant(
        specimen, "flipped-data", "one bit of the object's block is flipped", specimen.dataFaultCodes, pinned
      ) { file throws(SystemError) in try Specimen.flip(file, at: offset) })
    if let leaf = specimen.leafOffset {
      // A tree of one block is its own top, and then the image has another root hash.
      controls.append(
        onVariant(
          specimen, "flipped-tree", "one bit of the tree above it is flipped",
          ["verity.tree-mismatch", "provenance.root-hash"], pinned
        ) { file throws(SystemError) in try Specimen.flip(file, at: leaf) })
    } else {
      controls.append(
        Control(
          "flipped-tree", "one bit of the tree above it is flipped", .refused([]),
          .skipped(reason: "the image has one block, and so no tree")))
    }
    controls.append(
      onVariant(specimen, "cut", "the image lacks its last byte", ["verity.truncated"], pinned) {
        file throws(SystemError) in try file.truncate(to: end - 1)
      })
    return controls + strangerControls(specimen, trusting, pinned)
  }

  /// A sound image of the same objects whose root hash nobody trusts.
  private static func strangerControls(
    _ specimen: borrowing Specimen, _ trusting: Question, _ pinned: Question
  ) -> [Control] {
    let title = "the same objects in a sound image with another root hash"
    let object = specimen.object
    do {
      let own = try sealAnew(specimen)
      let image = AdmissionRequest.Object.image(path: own.path, object: object, at: specimen.place)
      return [
        Control(
          "stranger", "\(title), whose maker is trusted", .allowed, answer: Question.trusting(own.rootHash).ask(image)),
        Control("other-root-hash", title, .refused(["policy.denied"]), answer: trusting.ask(image)),
        Control(
          "other-root-hash-pinned", "\(title), when one is named", .refused(["provenance.root-hash"]),
          answer: pinned.ask(image)),
      ]
    } catch {
      return [Control("other-root-hash", title, .refused(["policy.denied"]), .failed(reason: Self.reason(error)))]
    }
  }

  /// Makes a tree with another salt over the same data.
  private static func sealAnew(_ specimen: borrowing Specimen) throws -> (path: String, rootHash: Digest) {
    let old = specimen.layout.parameters
    let salt = old.salt.map { ~$0 } + (old.salt.isEmpty ? [1] : [])
    let parameters = try VerityParameters(
      algorithm: old.algorithm, dataBlockSize: old.dataBlockSize, hashBlockSize: old.hashBlockSize,
      dataBlockCount: old.dataBlockCount, salt: salt)
    let layout = try VerityLayout(
      superblock: Superblock(parameters: parameters, uuid: try Superblock.derivedUUID(salt: salt)),
      placement: .appended,
      superblockOffset: parameters.dataByteCount)
    let path = try specimen.variant("stranger") { file throws(SystemError) in
      try file.truncate(to: parameters.dataByteCount)
    }
    let file = try OwnedFD.open(path, .readWrite)
    var sink = FileSink(try file.duplicate())
    let data = FileSource(try file.duplicate(), byteCount: parameters.dataByteCount)
    return (path, try layout.writeTree(of: data, to: &sink, threads: .one))
  }

  private static func onVariant(
    _ specimen: borrowing Specimen, _ id: String, _ title: String, _ codes: Set<String>, _ question: Question,
    _ change: (borrowing OwnedFD) throws(SystemError) -> Void
  ) -> Control {
    do throws(SystemError) {
      let path = try specimen.variant(id, change)
      let image = AdmissionRequest.Object.image(path: path, object: specimen.object, at: specimen.place)
      return Control(id, title, .refused(codes), answer: question.ask(image))
    } catch {
      return Control(id, title, .refused(codes), .failed(reason: error.description))
    }
  }

  /// Why something could not be made.
  static func reason(_ error: any Error) -> String {
    (error as? any Diagnosable)?.diagnostic.message ?? "\(error)"
  }
}
