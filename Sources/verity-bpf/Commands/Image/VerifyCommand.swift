import Base
import Verity
import ImageFormat
import FileSystems
import Image
import Linux
import Trust

/// `verity-bpf verify`: every block of an image against a root hash.
struct VerifyCommand: Command {
  static let image: Key<String> = .required(
    "IMAGE", takes: .image,
    "The image, as `verity-bpf build-image` or `veritysetup format` made it; or a signed BPF object.")
  static let certificate: Key<[String]> = .repeated(
    "--certificate", takes: .file,
    "A certificate in PEM whose signature of the object or root hash counts. Can be given several times.")

  static let declaration = Declaration(
    "Check every block of an image against its root hash, or the signature of an object.",
    discussion: """
      Of a BPF object the explicit signature is checked (verity-bpf sign file): the signer must be one of --certificate or of the \
      trust anchors, the certificate valid today, and everything in the object covered and unchanged. The answer says by whom it is \
      signed, what is covered, and what is not.

      Of an image the signature of its root hash (NAME.roothash.p7s; without it the one in a disk image) is checked too, against \
      --certificate or the trust anchors for images. Where --certificate, --trust-anchors or --root-hash-signature is given, it has to hold, and no \
      root hash has to be named; otherwise it is reported. This is not the kernel's check, which asks its own keyrings.

      Needs no privilege and no device-mapper. The root hash comes from --root-hash, --root-hash-file, the file \
      NAME.roothash or NAME.usrhash beside NAME.raw, or an extended attribute of these names; only a root hash from a place you trust makes the answer mean something.

      A file system, or files of it, that this build does not read are named; the blocks are checked all the same.

      Exit codes: 0 every block is proven, or the signature holds; 4 the image is corrupt, malformed or suspicious, or has \
      another root hash, or it or the object is not signed by a trusted signer, or was revoked; 6 this build does not support the \
      image, or cannot read every file of it on this host, which says nothing against it; 1 something could not be read, 64 usage.
      """,
    examples: [
      "verity-bpf verify progs.raw --root-hash-file progs.roothash",
      "verity-bpf verify signed.bpf.o --certificate cert.pem",
    ],
    arguments: [image],
    options: TrustedRootHash.keys + ImagePlace.keys
      + [certificate, CommonOptions.trustAnchors, CommonOptions.json])
  static let schema = "verity-bpf/verify/1"
  static var makesThings: Bool { false }

  let image: String
  let trusted: TrustedRootHash
  let location: ImageLocation
  /// Files of certificates whose signatures count.
  let certificate: [String]
  /// The directory of trust anchors; this machine's by default.
  let trustAnchors: String?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    image = try words[Self.image]
    trusted = try TrustedRootHash(words)
    location = try ImagePlace(words).location
    certificate = try words[Self.certificate]
    trustAnchors = try words[CommonOptions.trustAnchors]
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    if try SignedObjectAnswer.isObject(image) {
      return try SignedObjectAnswer.verify(image, trust: try trust(), asJSON: json)
    }
    var answer = VerifyAnswer(image: image)
    do {
      // What is no image at all is said before a root hash is asked for.
      let named = Result { try trusted.required(of: image) }
      answer.rootHash = try? named.get()
      let file = try ImageFile.open(image, at: location, rootHash: answer.rootHash)
      if let note = file.note { Output.warning(note.code, note.message) }
      let rootHash = try checkSignature(file, named: named, answer: &answer)
      try check(file, rootHash: rootHash, answer: &answer)
      if answer.isSound, file.holdsFileSystem {
        answer.padding = file.firstByteBehindFileSystem()
        let device = try file.device(rootHash: rootHash)
        do {
          try checkFileSystem(device, answer: &answer)
        } catch let error as any Diagnosable where error.diagnostic.category == .unsupported {
          answer.unread = error.diagnostic
        }
      }
    } catch let error as any Diagnosable where [.integrity, .unsupported].contains(error.diagnostic.category) {
      answer.refusal = error.diagnostic
      answer.isRevoked = error is Revocation
    }
    try answer.print(asJSON: json)
    return answer.exitCode
  }

  /// Whose signatures count: those of the certificates that were named, else of the trust anchors. What was revoked is
  /// revoked for both.
  private func trust() throws -> Trust {
    let trust = try Trust.told(in: trustAnchors)
    if certificate.isEmpty { return trust }
    return trust.trusting(
      only: try certificate.flatMap { try CertificateOption.read($0) + [0x0a] }, set: "--certificate")
  }

  /// Checks the signature of the root hash, and says against which root hash the image is to be checked: one that
  /// somebody trusted signed is as good as one that was named.
  private func checkSignature(
    _ file: borrowing ImageFile, named: Result<Digest, any Error>, answer: inout VerifyAnswer
  ) throws -> Digest {
    let trust = try trust()
    let isDemanded = !certificate.isEmpty || trustAnchors != nil || location.rootHashSignature != nil
    let isNamed = try trusted.isNamed || StoredRootHash.of(image: image) != nil
    if !isNamed, !isDemanded { _ = try named.get() }
    let rootHash = isNamed ? try named.get() : file.ownRootHash
    answer.rootHash = rootHash
    file.warnOfReplacedSignature()
    answer.signature = try RootHashVerdict.judge(rootHash, file.signature, trust: trust)
    if isDemanded {
      guard let signature = answer.signature else {
        throw DiagnosedFailure(
          Diagnostic(
            "verify.no-signature", .integrity, "the root hash is not signed",
            expected: "`\(file.sidecars.signature)`, or a signature in the disk image",
            next: "verity-bpf sign root-hash \(image) --certificate FILE --private-key FILE"))
      }
      if let refusal = signature.refusal { throw DiagnosedFailure(refusal) }
    }
    return rootHash
  }

  /// Reads and hashes everything.
  private func check(_ file: borrowing ImageFile, rootHash: Digest, answer: inout VerifyAnswer) throws {
    answer.layout = file.layout
    answer.kind = file.kind
    var progress = Progress("verifying \(image)", quiet: json)
    let stopwatch = Stopwatch()
    defer { progress.finish() }
    answer.report = try file.verify(rootHash: rootHash, threads: Processors.online) { done, total in
      progress.update(done: done, total: total)
      return true
    }
    answer.seconds = stopwatch.seconds
  }

  /// A manifest in another layout than ours, or with other names than the image has: its files are gathered, to say which.
  private func readManifest(
    _ inode: FileSystemInode, in image: inout AnyFileSystem<VerifiedDevice<ImageFile.Source>>
  ) throws -> Manifest.Summary {
    var reader = try ManifestReader(inode, in: &image)
    var files: [Manifest.File] = []
    while let more = try reader.next(in: &image) { files += more.map(\.file) }
    _ = try Manifest.locate(files, in: image)
    return Manifest.Summary(head: reader.head, fileCount: reader.fileCount)
  }

  /// What the tree cannot say: that the file system lies in the data under it, with nothing hidden before it, and
  /// that the manifest, when there is one, is this image's.
  private func checkFileSystem(
    _ device: consuming VerifiedDevice<ImageFile.Source>, answer: inout VerifyAnswer
  ) throws {
    var image = try AnyFileSystem(device)
    answer.format = image.format
    answer.fileSystemBytes = image.byteCount
    if let padding = answer.padding {
      Output.warning(
        "verify.padding",
        "byte \(padding) of the data, behind the file system of \(image.byteCount) bytes, is not zero: it is under the root "
          + "hash and in no file")
    }
    if let inode = try Manifest.inode(in: image) {
      try ManifestHead.read(inode, in: image).check(superblock: image.withBlocks { $0.layout.superblock })
      answer.manifest = try Manifest.checkNames(inode, in: &image)
      if answer.manifest == nil { answer.manifest = try readManifest(inode, in: &image) }
    }
    // An image of ours has no file that could not be read, and was walked for its manifest.
    guard answer.manifest == nil || image.mayBeCompressed else { return }
    try noteUnreadable(rootHash: image.withBlocks { $0.rootHash }, answer: &answer)
  }

  /// Goes through all files, to say which of them this build cannot read. Each thread opens the image once more: what it
  /// reads is verified up to the same root hash.
  private func noteUnreadable(rootHash: Digest, answer: inout VerifyAnswer) throws {
    let (path, location) = (image, location)
    do {
      answer.unreadable = try AnyFileSystem<VerifiedDevice<ImageFile.Source>>.shareEntries(
        among: Processors.threads(),
        open: {
          try AnyFileSystem(try ImageFile.open(path, at: location, rootHash: rootHash).device(rootHash: rootHash))
        }, from: UnreadableFiles(),
        visit: { image, entry, files throws(FileSystemError) in
          guard entry.inode.kind == .regular, let obstacle = try image.obstacle(to: entry.inode) else { return }
          files.add(entry.path, obstacle.diagnostic)
        }, merge: { $0.add($1) })
    } catch .opening(let error) {
      throw error
    } catch .fileSystem(let error) {
      throw error
    }
  }
}
