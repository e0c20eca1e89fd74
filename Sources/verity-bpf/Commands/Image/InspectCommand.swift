import ArgumentParser
import ByteKit
import Diagnostics
import JSONText
import LinuxSys

/// `verity-bpf inspect`: what is in a file, said without loading or trusting it.
struct InspectCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Describe a BPF object or an image: programs, maps, helpers, and what lockdown forbids of them.",
    discussion: """
      Nothing is loaded, nothing is trusted, and no privilege is needed. A file that begins as ELF files do is \
      taken for an object, any other for an image.

      Examples: verity-bpf inspect xdp_counter.bpf.o
                verity-bpf inspect --kernel-btf /sys/kernel/btf/vmlinux task_list.bpf.o
                verity-bpf inspect progs.raw
      """)
  static let schema = "verity-bpf/inspect/1"

  @Argument(help: ArgumentHelp("A BPF object or an image.", valueName: "file"))
  var file: String

  @Option(
    name: .long,
    help: ArgumentHelp("Say of each CO-RE relocation whether this kernel's BTF has what it needs.", valueName: "file"))
  var kernelBtf: String?

  @OptionGroup var anchors: TrustOptions

  @Flag(name: .long, help: "Print one JSON object.")
  var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    if try isELF() {
      try inspectObject()
    } else {
      guard kernelBtf == nil else { throw ValidationError("--kernel-btf is about an object, not about an image.") }
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
