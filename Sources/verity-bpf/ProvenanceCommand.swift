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

  @Flag(name: .long, help: "Print one JSON object.")
  var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let examined =
      switch try object.requested() {
      case .descriptor(let fd): try Examination.examine(fd: fd, expecting: try trust.rootHash())
      case .image(let path, let name): try Examination.examine(image: path, object: name, expecting: try trust.rootHash())
      }
    let evidence = examined.evidence
    if json {
      try Output.json(.object([.init("schema", .string(Self.schema))] + evidence.json))
    } else {
      for line in evidence.lines { try Output.line(line) }
    }
    return 0
  }
}
