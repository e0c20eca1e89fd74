import Base
import Linux
import Policy
import Trust

/// `verity-bpf revoked make`: a list of what was revoked, to be signed.
struct RevokedMakeCommand: Command {
  static let name: Key<ListName> = .required("--name", "The list's name.")
  static let version: Key<PolicyVersion> = .required(
    "--list-version", "Its version, as MAJOR.MINOR.REVISION: above that of every one before.")
  static let validUntil: Key<Day?> = .optional(
    "--valid-until",
    "The last day (UTC) on which machines may rely on it; after that they refuse until they have a newer one.")
  static let from: Key<String?> = .optional(
    "--from", takes: .file, "An earlier list, whose lines are kept.")
  static let object: Key<[Digest]> = .repeated("--object", "SHA-256 of an object's file or of what is signed of it.")
  static let rootHash: Key<[Digest]> = .repeated("--root-hash", "The root hash of an image.")
  static let signer: Key<[Digest]> = .repeated("--signer", "SHA-256 of a certificate in DER.")
  static let output: Key<String> = .required("--output", short: "-o", takes: .file, "The file to write.")

  static let declaration = Declaration(
    "Write a list of what counts no more: objects, root hashes, signers.",
    discussion: """
      The list is a text: a head with name and version, and a line for each digest, as in the file `revoked` among the trust \
      anchors. It may be written and changed by hand. `verity-bpf revoked sign` signs it.
      """,
    examples: [
      "verity-bpf revoked make --name fleet --list-version 1.1.0 --from fleet.list --valid-until 2027-03-31 -o fleet-1.1.list"
    ],
    options: [name, version, validUntil, from, object, rootHash, signer, output])
  static let schema = "verity-bpf/revoked-make/1"

  let name: ListName
  let version: PolicyVersion
  let validUntil: Day?
  let from: String?
  let object: [Digest]
  let rootHash: [Digest]
  let signer: [Digest]
  let output: String

  init(_ words: Words) throws(UsageError) {
    name = try words[Self.name]
    version = try words[Self.version]
    validUntil = try words[Self.validUntil]
    from = try words[Self.from]
    object = try words[Self.object]
    rootHash = try words[Self.rootHash]
    signer = try words[Self.signer]
    output = try words[Self.output]
  }

  var done: String? { "`\(output)` is written" }

  func execute() throws -> Int32 {
    var (lines, inputs) = ([UInt8](), RunInputs())
    if let from {
      let text = try PolicyFile.read(from)
      _ = try RevocationList(text, path: from)
      lines = RevocationList.lines(of: text)
      inputs.add(from, as: "the earlier list")
    }
    let added =
      object.map { (kind: Revocation.Kind.object, digest: $0) } + rootHash.map { (.rootHash, $0) }
      + signer.map { (.signer, $0) }
    let text = RevocationList.text(
      RevocationList.Identity(name: name.text, version: version), lastDay: validUntil?.text, lines: lines, added: added)
    let list = try RevocationList(text, path: output)
    try PolicyFile.save(text, to: output, keeping: inputs)
    try Output.line("written  \(list.line)")
    return 0
  }
}
