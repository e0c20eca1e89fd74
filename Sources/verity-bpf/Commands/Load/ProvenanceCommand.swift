import Admission
import ArgumentParser
import ByteKit
import Diagnostics
import DiskLayout
import JSONText
import LinuxSys
import Provenance

/// `verity-bpf provenance`: where the object behind a descriptor comes from, and what was checked.
struct ProvenanceCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "provenance",
    abstract: "Say where an object's bytes come from, and prove it.",
    discussion: """
      The object is read from the image under the mount, block by block, each checked up to the root hash. \
      Nothing is loaded, and no privilege is needed where the image file can be read.

      Example: verity-bpf provenance --fd 3 3< /mnt/progs/xdp_counter.bpf.o
      """)
  static let schema = "verity-bpf/provenance/1"

  @OptionGroup var object: ObjectOptions
  @OptionGroup var trust: RootHashOptions
  @OptionGroup var anchors: TrustOptions

  @Flag(name: .long, help: "Print one JSON object.")
  var json = false

  var wantsJSON: Bool { json }

  func validate() throws {
    guard object.choice.count == 1 else { throw ValidationError("Name one object.") }
  }

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
    let requested = try object.choice.requested()
    var examination = Examination(expecting: try trust.trusted.expected(), trust: try anchors.anchors())
    switch requested.first {
    case .descriptor(let fd): return try examination.examine(fd: fd).evidence
    case .image(let path, let name): return try examination.examine(image: path, object: name).evidence
    case .file(let path): return try examination.examine(file: path).evidence
    case nil: return Evidence()  // no object, no evidence; `validate` has asked for one
    }
  }
}
