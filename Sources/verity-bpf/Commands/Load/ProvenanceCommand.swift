import Admission
import Base
import ImageFormat
import Linux
import Provenance
import Trust

/// `verity-bpf provenance`: where the object behind a descriptor comes from, and what was checked.
struct ProvenanceCommand: Command {
  static let declaration = Declaration(
    "Say where an object's bytes come from, and prove it.",
    discussion: """
      The object is read from the image under the mount, block by block, each checked up to the root hash. \
      Nothing is loaded, and no privilege is needed where the image file can be read.
      """,
    examples: ["verity-bpf provenance --fd 3 3< /mnt/progs/xdp_counter.bpf.o"],
    options: ObjectChoice.keys + TrustedRootHash.keys + [CommonOptions.trustAnchors, CommonOptions.json])
  static let schema = "verity-bpf/provenance/1"

  let objects: ObjectChoice
  let trusted: TrustedRootHash
  let trustAnchors: String?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    objects = try ObjectChoice(words)
    trusted = try TrustedRootHash(words)
    trustAnchors = try words[CommonOptions.trustAnchors]
    json = try words[CommonOptions.json]
    guard objects.count == 1 else { throw UsageError("Name one object.") }
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let evidence = try examine()
    if json {
      try Output.json(.object([.init("schema", .string(Self.schema))] + evidence.json))
    } else {
      for line in evidence.lines { try Output.line(line) }
    }
    return 0
  }

  private func examine() throws -> Evidence {
    try objects.requireOpen()
    var examination = Examination(expecting: try trusted.expected(), trust: try Trust.told(in: trustAnchors))
    switch objects.requested.first {
    case .descriptor(let fd): return try examination.examine(fd: fd).evidence
    case .executed(let file): return try examination.examine(executed: file).evidence
    case .image(let path, let name, let location):
      return try examination.examine(image: path, at: location, object: name).evidence
    case .file(let path): return try examination.examine(file: path).evidence
    case nil: return Evidence()  // no object, no evidence; `ObjectChoice` has asked for one
    }
  }
}
