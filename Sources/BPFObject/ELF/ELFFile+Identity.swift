internal import Base

/// The ELF header: whether this is an object of the kind that is understood.
extension ELFFile {
  static func checkIdentity(_ file: ObjectPart) throws(BPFObjectError) {
    guard file.count >= 4, file.bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
      throw BPFObjectError(
        .notELF, "the object is not an ELF file", expected: "the bytes 7f 45 4c 46 at its start",
        found: file.count == 0 ? "an empty file" : Hex.encode(Array(file.bytes.prefix(4))),
        next: "compile one: clang -target bpf -O2 -g -c program.bpf.c -o program.o")
    }
    guard try file.u8(at: 4) == 2 else {
      throw BPFObjectError(
        .not64Bit, "the object is not a 64-bit ELF file", expected: "ELFCLASS64",
        found: try file.u8(at: 4) == 1 ? "ELFCLASS32" : "class \(try file.u8(at: 4))",
        next: "compile it with clang -target bpf")
    }
    switch try file.u8(at: 5) {
    case 1: break
    case 2:
      throw BPFObjectError(
        .bigEndian, "the object is big-endian", expected: "ELFDATA2LSB", found: "ELFDATA2MSB",
        next: "compile it with clang -target bpfel")
    case let other:
      throw BPFObjectError(.malformedELF, "the object's byte order is unknown", expected: "1", found: "\(other)")
    }
    guard try file.u8(at: 6) == 1, try file.u32(at: 20) == 1 else {
      throw BPFObjectError(
        .malformedELF, "the object's ELF version is unknown", expected: "1", found: "\(try file.u32(at: 20))")
    }
    let machine = try file.u16(at: 18)
    guard machine == 247 else {
      throw BPFObjectError(
        .otherMachine, "the object is not for the BPF machine", expected: "e_machine 247 (EM_BPF)",
        found: "e_machine \(machine)\(machineName(machine))", next: "compile it with clang -target bpf")
    }
    let type = try file.u16(at: 16)
    guard type == 1 else {
      throw BPFObjectError(
        .notRelocatable, "the object is not relocatable", expected: "e_type 1 (ET_REL)", found: "e_type \(type)",
        next: "pass the output of clang -c or of `bpftool gen object`, not that of a linker")
    }
  }

  static func machineName(_ machine: UInt16) -> String {
    switch machine {
    case 3: " (i386)"
    case 62: " (x86-64)"
    case 183: " (AArch64)"
    case 243: " (RISC-V)"
    default: ""
    }
  }
}
