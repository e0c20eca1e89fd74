import ArgumentParser

/// `verity-bpf verify`: every block of an image against a root hash.
struct VerifyCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: VerifyRun.name,
    abstract: "Check every block of an image against its root hash, or the signature of an object.",
    discussion: """
      Of a BPF object the explicit signature is checked (verity-bpf sign file): the signer must be one of --certificate or of the \
      trust anchors, the certificate valid today, and everything in the object covered and unchanged. The answer says by whom it is \
      signed, what is covered, and what is not.

      Of an image the signature of its root hash (NAME.roothash.p7s; without it the one in a disk image) is checked too, against \
      --certificate or the trust anchors for images. Where --certificate or --trust-anchors is given, it has to hold, and no \
      root hash has to be named; otherwise it is told. This is not the kernel's check, which asks its own keyrings.

      Needs no privilege and no device-mapper. The root hash comes from --root-hash, --root-hash-file, or the file \
      NAME.roothash beside NAME.raw; only a root hash from a place you trust makes the answer mean something.

      Exit codes: 0 every block is proven, or the signature holds; 4 the image is corrupt or malformed or has another \
      root hash, or it or the object is not signed by somebody trusted, or was revoked; 1 something could not be read, 64 usage.
      """)
  static let schema = VerifyRun.schema
  static var makesThings: Bool { false }

  @Argument(
    help: ArgumentHelp(
      "The image, as `verity-bpf build-image` or `veritysetup format` made it; or a signed BPF object.",
      valueName: "image"))
  var image: String

  @OptionGroup var trust: RootHashOptions

  @Option(
    help: ArgumentHelp("Where the dm-verity superblock is. [default: behind the EROFS file system]", valueName: "bytes")
  )
  var hashOffset: UInt64?

  @Option(help: ArgumentHelp("The file that holds superblock and tree, when the image does not.", valueName: "file"))
  var verityData: String?

  @Option(
    help: ArgumentHelp(
      "A certificate in PEM whose signature of the object or root hash counts. Can be given several times.",
      valueName: "file"))
  var certificate: [String] = []

  @OptionGroup var anchors: TrustOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 { try verifyRun.execute() }

  /// What the arguments say.
  var verifyRun: VerifyRun {
    var run = VerifyRun(image: image, trusted: trust.trusted)
    run.hashOffset = hashOffset
    run.verityData = verityData
    run.certificate = certificate
    run.trustAnchors = anchors.trustAnchors
    run.json = json
    return run
  }
}
