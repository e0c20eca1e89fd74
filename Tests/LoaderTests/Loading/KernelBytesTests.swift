import BPFObject
import Base
import Linux
import TestSupport
import Testing

@testable import Loader

/// What the kernel gets are the object's own instructions, and what it makes of them is what it makes of libbpf's.
@Suite struct KernelBytesTests {
  private static let demo = [
    "egress_filter", "exec_logger", "runq_latency", "socket_filter", "task_list", "tcx_classifier", "xdp_counter",
  ]

  /// Everything that linking changed is in `edits`, and no edit is about CO-RE: the values of those instructions
  /// reach the kernel as the compiler wrote them.
  @Test(arguments: demo)
  func onlyListedInstructionsDifferFromTheObject(name: String) throws {
    let path = try Objects.demo(name)
    let linked = try Objects.linked(path)
    let directory = try TemporaryDirectory()
    // Subprograms stand in .text and are appended to each program in the order they are first called.
    let text = try section(".text", of: path, in: directory)
    for program in linked.programs {
      let own = try section(program.section, of: path, in: directory)
      var edited: Set<Int> = []
      for edit in program.edits {
        edited.insert(edit.index)
        // A map reference is a wide instruction; its second half holds the offset.
        if edit.reason.isWide { edited.insert(edit.index + 1) }
      }
      let submitted = program.instructions
      #expect(submitted.count >= own.count)
      #expect(differences(submitted, at: 0, own, 0..<own.count).subtracting(edited) == [], "in \(program.name)")
      // The rest is functions of .text, whole: each of its instructions is there, at most edited.
      if submitted.count > own.count {
        let rest = Array(submitted[own.count...])
        #expect(rest.count <= text.count)
        #expect(
          differences(submitted, at: own.count, text, 0..<rest.count).subtracting(edited) == [], "in \(program.name)")
      }

      // The instructions that a CO-RE record is about are not among the edits.
      let size = max(16, Int(program.coreRelocationRecordSize))
      for record in stride(from: 0, to: program.coreRelocations.count, by: size) {
        let offset = Int(try program.coreRelocations.rawSpan.u32(at: record))
        #expect(!edited.contains(offset / 8), "instruction \(offset / 8) of \(program.name)")
      }
    }
  }

  /// The indexes, counted in the submitted program, of the instructions that differ.
  private func differences(_ submitted: [UInt8], at start: Int, _ own: [UInt8], _ range: Range<Int>) -> Set<Int> {
    Set(
      stride(from: range.lowerBound, to: range.upperBound, by: 8).compactMap { offset in
        let here = start + offset - range.lowerBound
        return submitted[here..<here + 8].elementsEqual(own[offset..<offset + 8]) ? nil : here / 8
      })
  }

  private func section(_ name: String, of path: String, in directory: TemporaryDirectory) throws -> [UInt8] {
    let file = "\(directory.path)/section"
    try run(toolchain("llvm-objcopy"), "--dump-section=\(name)=\(file)", path, "/dev/null")
    return try Objects.bytes(file)
  }

  /// The kernel's final code, as bpftool prints it, is the same whether we load an object or bpftool (libbpf) does.
  @Test(.enabled(if: Machine.loads), arguments: demo)
  func theKernelMakesTheSameOfItAsOfLibbpfs(name: String) throws {
    let files = try MountedFileSystem("bpf")
    let path = try Objects.demo(name)
    var options = LoadOptions()
    options.pinPath = "\(files.path)/ours"
    var object = try ObjectLoader.load(Objects.linked(path), options: options)
    object.commit()

    // bpftool 7.1 does not know `tcx/ingress`, whose type is `classifier`.
    let type = name == "tcx_classifier" ? ["type", "classifier"] : []
    let theirs = try Subprocess.run(["bpftool", "prog", "loadall", path, "\(files.path)/theirs"] + type)
    try #require(theirs.status == 0, "\(theirs.text)")
    let names = Dictionary(uniqueKeysWithValues: object.programs.map { ($0.name, $0.pin ?? "") })
    for (program, pin) in names {
      let ours = try code(pin)
      #expect(ours.lines.count > 2)
      let libbpfs = try code("\(files.path)/theirs/\(program)")
      #expect(ours.lines == libbpfs.lines, "\(program)")
      #expect(ours.maps == libbpfs.maps, "\(program)")
    }
  }

  private struct Code: Equatable {
    let lines: [String]
    /// The names of the maps in the order they first occur.
    let maps: [String]
  }

  /// The translated program, with each map's id, which is another for every load, replaced by the map's name.
  ///
  /// The tags of subprograms are left out too: the kernel hashes our map indexes, but not libbpf's map descriptors.
  private func code(_ pin: String) throws -> Code {
    let text = try run("bpftool", "prog", "dump", "xlated", "pinned", pin)
    let ids = try BPF.programInfo(BPF.pinned(at: pin)).mapIDs
    var names: [String: String] = [:]
    for id in ids {
      let shown = try run("bpftool", "map", "show", "id", "\(id)")
      // `12: array  name xdp_coun.bss  flags 0x400`
      let words = shown.split(whereSeparator: { $0 == " " || $0 == "\n" })
      if let index = words.firstIndex(of: "name"), index + 1 < words.count { names["\(id)"] = String(words[index + 1]) }
    }
    var maps: [String] = []
    let lines = text.split(separator: "\n").map { printed -> Substring in
      let line = withoutTag(printed)
      guard let start = line.firstRange(of: "map[id:"),
        let end = line[start.upperBound...].firstIndex(of: "]"),
        let name = names[String(line[start.upperBound..<end])]
      else { return line }
      if !maps.contains(name) { maps.append(name) }
      return Substring("\(line[..<start.upperBound])\(name)\(line[end...])")
    }
    return Code(lines: lines.map { String($0) }, maps: maps)
  }

  /// `call pc+2#bpf_prog_831a3787d30875b0_name` without the sixteen digits.
  private func withoutTag(_ line: Substring) -> Substring {
    guard let start = line.firstRange(of: "#bpf_prog_"),
      let end = line.index(start.upperBound, offsetBy: 16, limitedBy: line.endIndex)
    else { return line }
    return Substring("\(line[..<start.upperBound])\(line[end...])")
  }
}

extension InstructionEdit.Reason {
  fileprivate var isWide: Bool {
    switch self {
    case .mapIndex, .mapValue, .functionAddress, .kernelSymbol: true
    case .call, .coreAnswer: false
    }
  }
}
