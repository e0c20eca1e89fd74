import BPFObject
import Base
import Image
import Linux

/// `verity-bpf inspect`: what is in a file, said without loading or trusting it.
struct InspectCommand: Command {
  static let file: Key<String> = .required("FILE", takes: .file, "A BPF object or an image.")
  static let newer: Key<String?> = .optional(
    "NEW", takes: .file, "A newer release of it, to say what changed: another object, or another image.")
  static let exitCode = Key.flag("--exit-code", "With NEW, exit 1 when the two are not the same.")
  static let kernelBTF: Key<String?> = .optional(
    "--kernel-btf", takes: .file, "Say of each CO-RE relocation whether this kernel's BTF has what it needs.")

  static let sectionType: Key<[SectionType]> = .repeated(
    "--section-type",
    "What the programs of a section are whose name does not say it, as `load` and `build-image` take it: `filter=socket`. Can be "
      + "given several times.")

  static let declaration = Declaration(
    "Describe a BPF object or an image, say what changed since another, and which kernels will refuse it.",
    discussion: """
      Nothing is loaded, nothing is trusted, and no privilege is needed. A file that begins as ELF files do is \
      taken for an object, any other for an image. Of a disk with several slots the root hash says which one is meant.

      With NEW it says what changed from FILE to it: programs, helpers, reads, capabilities, maps. The objects of two images \
      are compared by their paths.

      --for-kernel says per program and kernel what will refuse it: missing types, fields, functions, helpers, map and \
      attach types by its BTF; options and forced lockdown by its configuration; what came later by its version. What the \
      verifier itself will say is not predicted.

      Exit codes: 0 done, 1 with --exit-code when the two are not the same, 6 with --for-kernel when a kernel refuses a \
      program that is not optional, or attaches it to nothing.
      """,
    examples: [
      "verity-bpf inspect xdp_counter.bpf.o",
      "verity-bpf inspect --kernel-btf /sys/kernel/btf/vmlinux task_list.bpf.o",
      "verity-bpf inspect progs.raw",
      "verity-bpf inspect --exit-code progs-1.raw progs-2.raw",
      "verity-bpf inspect --for-kernel 6.1 --for-kernel /boot/config-6.12 progs.raw",
    ],
    arguments: [file, newer],
    options: [kernelBTF, DescribedKernel.option, sectionType, exitCode] + TrustedRootHash.keys + ImagePlace.keys + [
      CommonOptions.trustAnchors, CommonOptions.json,
    ])
  static let schema = "verity-bpf/inspect/1"

  let file: String
  let newer: String?
  let kernelBtf: String?
  let forKernel: [String]
  let sectionTypes: [SectionType]
  let exitCode: Bool
  let trusted: TrustedRootHash
  let location: ImageLocation
  let trustAnchors: String?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    file = try words[Self.file]
    newer = try words[Self.newer]
    kernelBtf = try words[Self.kernelBTF]
    forKernel = try words[DescribedKernel.option]
    sectionTypes = try words[Self.sectionType]
    exitCode = try words[Self.exitCode]
    trusted = try TrustedRootHash(words)
    location = try ImagePlace(words).location
    trustAnchors = try words[CommonOptions.trustAnchors]
    json = try words[CommonOptions.json]
    if let section = SectionType.givenTwice(sectionTypes) {
      throw UsageError("--section-type is given twice for section `\(section)`.")
    }
    guard newer == nil else {
      guard kernelBtf == nil, forKernel.isEmpty, !trusted.isNamed, location == ImageLocation() else {
        throw UsageError("Two releases are compared by what is in them alone: leave out options about one of them.")
      }
      return
    }
    if exitCode { throw UsageError("--exit-code is about what changed: name a NEW file too.") }
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    if let newer { return try compare(with: newer) }
    if try Self.isELF(file) {
      guard !trusted.isNamed, location == ImageLocation() else {
        throw UsageError("A root hash, and where the parts of an image are, is about an image, not about an object.")
      }
      let kernels = try kernelReport { try InspectedRelease(object: file, types: sectionTypes) }
      try inspectObject(kernels)
      return Self.status(kernels)
    }
    guard kernelBtf == nil else { throw UsageError("--kernel-btf is about an object, not about an image.") }
    try requireNoSectionTypes()
    let kernels = try kernelReport {
      try InspectedRelease(image: file, at: location, rootHash: try trusted.expected())
    }
    try inspectImage(kernels)
    return Self.status(kernels)
  }

  /// What kernels have against the objects; nil when none was named.
  private func kernelReport(_ release: () throws -> InspectedRelease) throws -> KernelReport? {
    guard !forKernel.isEmpty else { return nil }
    var report = KernelReport(try forKernel.map { try DescribedKernel($0) })
    report.add(try release())
    return report
  }

  private static func status(_ kernels: KernelReport?) -> Int32 {
    kernels?.findsRefusals == true ? Diagnostic.Category.unsupported.rawValue : 0
  }

  private func compare(with newer: String) throws -> Int32 {
    let isObject = try Self.isELF(file)
    guard try Self.isELF(newer) == isObject else {
      throw UsageError("`\(file)` and `\(newer)` are not both objects, or both images.")
    }
    if !isObject { try requireNoSectionTypes() }
    let releases = try [file, newer].map {
      isObject
        ? try InspectedRelease(object: $0, types: sectionTypes) : try InspectedRelease(image: $0, at: ImageLocation())
    }
    let comparison = ReleaseComparison(releases[0], releases[1])
    if json {
      try Output.json(comparison.json(schema: Self.schema))
    } else {
      try Printout.print(comparison.lines)
    }
    return exitCode && !comparison.isSame ? Diagnostic.Category.incomplete.rawValue : 0
  }

  /// Of an image's objects its manifest says it.
  private func requireNoSectionTypes() throws {
    guard sectionTypes.isEmpty else {
      throw UsageError("--section-type is about an object, not about an image, whose manifest says it.")
    }
  }

  /// Whether the file begins with the magic of ELF (elf.h, ELFMAG).
  private static func isELF(_ file: String) throws -> Bool {
    // Images can be block devices, and the opener of images refuses what is neither; a FIFO would wait for its writer.
    guard try FileStatus.of(path: file).kind == .regular else { return false }
    let descriptor = try OwnedFD.open(file, .readOnly)
    var head = [UInt8](repeating: 0, count: 4)
    guard try descriptor.readFully(at: 0, into: &head) else { return false }
    return head == [0x7f, 0x45, 0x4c, 0x46]
  }
}
