import Base
import Image
import Linux

/// `verity-bpf inspect`: what is in a file, said without loading or trusting it.
struct InspectCommand: Command {
  static let file: Key<String> = .required("FILE", takes: .file, "A BPF object or an image.")
  static let kernelBTF: Key<String?> = .optional(
    "--kernel-btf", takes: .file, "Say of each CO-RE relocation whether this kernel's BTF has what it needs.")

  static let declaration = Declaration(
    "Describe a BPF object or an image: programs, maps, helpers, and what lockdown forbids of them.",
    discussion: """
      Nothing is loaded, nothing is trusted, and no privilege is needed. A file that begins as ELF files do is \
      taken for an object, any other for an image. Of a disk with several slots the root hash says which one is meant.
      """,
    examples: [
      "verity-bpf inspect xdp_counter.bpf.o",
      "verity-bpf inspect --kernel-btf /sys/kernel/btf/vmlinux task_list.bpf.o",
      "verity-bpf inspect progs.raw",
    ],
    arguments: [file],
    options: [kernelBTF] + TrustedRootHash.keys + ImagePlace.keys + [CommonOptions.trustAnchors, CommonOptions.json])
  static let schema = "verity-bpf/inspect/1"

  let file: String
  let kernelBtf: String?
  let trusted: TrustedRootHash
  let location: ImageLocation
  let trustAnchors: String?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    file = try words[Self.file]
    kernelBtf = try words[Self.kernelBTF]
    trusted = try TrustedRootHash(words)
    location = try ImagePlace(words).location
    trustAnchors = try words[CommonOptions.trustAnchors]
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    if try isELF() {
      guard !trusted.isNamed, location == ImageLocation() else {
        throw UsageError("A root hash, and where the parts of an image are, is about an image, not about an object.")
      }
      try inspectObject()
    } else {
      guard kernelBtf == nil else { throw UsageError("--kernel-btf is about an object, not about an image.") }
      try inspectImage()
    }
    return 0
  }

  /// Whether the file begins with the magic of ELF (elf.h, ELFMAG).
  private func isELF() throws -> Bool {
    // Images can be block devices, and the opener of images refuses what is neither; a FIFO would wait for its writer.
    guard try FileStatus.of(path: file).kind == .regular else { return false }
    let descriptor = try OwnedFD.open(file, .readOnly)
    var head = [UInt8](repeating: 0, count: 4)
    guard try descriptor.readFully(at: 0, into: &head) else { return false }
    return head == [0x7f, 0x45, 0x4c, 0x46]
  }
}
