import ArgumentParser
import ByteKit
import DMVerity
import Diagnostics
import DiskLayout
import EROFS
import JSONText
import LinuxSys
import Manifest

/// `verity-bpf verify`: every block of an image against a root hash.
struct VerifyCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check every block of an image against its root hash.",
    discussion: """
      Needs no privilege and no device-mapper. The root hash comes from --root-hash, --root-hash-file, or the file \
      NAME.roothash beside NAME.raw; only a root hash from a place you trust makes the answer mean something.

      Exit codes: 0 every block is proven, 4 the image is corrupt or malformed or has another root hash, 1 something \
      could not be read, 64 usage.
      """)
  static let schema = "verity-bpf/verify/1"

  @Argument(
    help: ArgumentHelp("The image, as `verity-bpf build-image` or `veritysetup format` made it.", valueName: "image"))
  var image: String

  @OptionGroup var trust: RootHashOptions

  @Option(
    help: ArgumentHelp("Where the dm-verity superblock is. [default: behind the EROFS file system]", valueName: "bytes")
  )
  var hashOffset: UInt64?

  @Option(help: ArgumentHelp("The file that holds superblock and tree, when the image does not.", valueName: "file"))
  var verityData: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    var answer = VerifyAnswer(image: image)
    do {
      let data = try open(image)
      let trusted = try trustedRootHash()
      answer.rootHash = trusted
      if let verityData {
        let hashes = try open(verityData)
        let layout = try DiskLayout.separate(data: data, hashes: hashes, hashOffset: hashOffset ?? 0)
        try check(layout, rootHash: trusted, data: data, hashes: hashes, answer: &answer)
        if answer.isSound, DiskLayout.holdsFileSystem(data) {
          let device = try VerifiedDevice(data: data, hashes: hashes, layout: layout, rootHash: trusted)
          try checkFileSystem(device, answer: &answer)
        }
      } else {
        let layout = try DiskLayout.appended(in: data, hashOffset: hashOffset)
        try check(layout, rootHash: trusted, data: data, hashes: data, answer: &answer)
        if answer.isSound, DiskLayout.holdsFileSystem(data) {
          try checkFileSystem(try VerifiedDevice(data, layout: layout, rootHash: trusted), answer: &answer)
        }
      }
    } catch let error as any Diagnosable where error.diagnostic.category == .integrity {
      answer.refusal = error.diagnostic
    }
    try answer.print(asJSON: json)
    return answer.isSound ? 0 : Diagnostic.Category.integrity.rawValue
  }

  /// The root hash the user trusts: named, or in the file beside the image.
  private func trustedRootHash() throws -> Digest {
    if let named = try trust.expected() { return named }
    let path = Sidecars(imagePath: image).rootHash
    do {
      return try RootHashOptions.read(file: path)
    } catch let error as SystemError {
      var diagnostic = error.diagnostic
      diagnostic.message = "no root hash to check `\(image)` against: \(diagnostic.message)"
      diagnostic.next = "give the root hash you trust: --root-hash HASH or --root-hash-file FILE"
      throw DiagnosedFailure(diagnostic)
    }
  }

  /// Opens a regular file or a block device; a FIFO would wait for its writer, and a directory has no bytes.
  private func open(_ path: String) throws -> FileSource {
    let kind = try FileStatus.of(path: path).kind
    guard kind == .regular || kind == .blockDevice else {
      throw DiagnosedFailure(
        Diagnostic(
          "verify.not-an-image", .incomplete, "`\(path)` is no image", expected: "a regular file or a block device",
          found: "a \(kind.rawValue)", next: "name the image file that `verity-bpf build-image` wrote"))
    }
    return try FileSource.open(path)
  }

  /// Reads and hashes everything.
  private func check(
    _ layout: VerityLayout, rootHash: Digest, data: borrowing FileSource, hashes: borrowing FileSource,
    answer: inout VerifyAnswer
  ) throws {
    answer.layout = layout
    var progress = Progress("verifying \(image)", quiet: json)
    let start = ContinuousClock.now
    defer { progress.finish() }
    answer.report = try layout.verify(
      data: data, hashes: hashes, rootHash: rootHash, threads: Processors.online
    ) { done, total in
      progress.update(done: done, total: total)
      return true
    }
    answer.seconds = start.duration(to: .now) / .seconds(1)
  }

  /// What the tree cannot say: that the file system is exactly the data under it, with nothing hidden before it, and
  /// that the manifest, when there is one, is this image's.
  private func checkFileSystem(
    _ device: consuming VerifiedDevice<FileSource>, answer: inout VerifyAnswer
  ) throws {
    let image = try ErofsImage(device)
    answer.hasFileSystem = true
    guard let manifest = try Manifest.read(from: image) else { return }
    try manifest.check(superblock: image.blocks.layout.superblock)
    _ = try manifest.locateFiles(in: image)
    answer.manifest = manifest
  }
}
