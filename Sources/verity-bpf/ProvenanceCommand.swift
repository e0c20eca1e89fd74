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

  @Flag(name: .long, help: "Print one JSON object.")
  var json = false

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
    let expected = try trust.expected()
    switch try object.requested() {
    case .descriptor(let fd): return try Examination.examine(fd: fd, expecting: expected).evidence
    case .image(let path, let name):
      return try Examination.examine(image: path, object: name, expecting: expected).evidence
    }
  }
}
