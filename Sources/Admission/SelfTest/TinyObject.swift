internal import Base

/// The smallest BPF object there is: a socket filter that lets nothing pass, with a licence and its types.
///
/// Made here byte by byte, so that the self-test needs no compiler and no file (ELF-64, little endian, EM_BPF; gABI
/// chapters "ELF Header", "Sections", "Symbol Table"; Documentation/bpf/btf.rst).
enum TinyObject {
  /// r0 = 0; exit
  private static let program: [UInt8] = [0xb7] + zeros(7) + [0x95] + zeros(7)
  private static let license: [UInt8] = Array("GPL".utf8) + [0]
  private static let names = ["", "socket", "license", ".symtab", ".strtab", ".BTF", ".BTF.ext", "drop", "_license"]

  static let bytes: [UInt8] = {
    var strings: [UInt8] = []
    var offsets: [UInt32] = []
    for name in names {
      offsets.append(UInt32(strings.count))
      strings += Array(name.utf8) + [0]
    }
    // STB_GLOBAL with STT_FUNC or STT_OBJECT.
    let symbols =
      zeros(24) + symbol(name: offsets[7], info: 0x12, section: 1, size: program.count)
      + symbol(name: offsets[8], info: 0x11, section: 2, size: license.count)
    // The order of `names`. SHT_PROGBITS 1, SHT_SYMTAB 2, SHT_STRTAB 3; SHF_WRITE 1, SHF_ALLOC 2, SHF_EXECINSTR 4.
    let parts: [Part] = [
      Part(bytes: program, type: 1, flags: 6), Part(bytes: license, type: 1, flags: 3),
      Part(bytes: symbols, type: 2, link: 4, info: 1, entry: 24), Part(bytes: strings, type: 3),
      Part(bytes: types, type: 1), Part(bytes: typeExtension, type: 1),
    ]
    var body: [UInt8] = []
    var headers = zeros(64)
    for (index, part) in parts.enumerated() {
      headers += header(offsets[index + 1], part, at: 64 + body.count)
      body += part.bytes + zeros((8 - part.bytes.count % 8) % 8)
    }
    // More than one block of an image, so that there is a tree above it. No section is there, so nothing reads it.
    body += (0..<16384).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 >> 8) }
    return fileHeader(sections: 64 + body.count, count: UInt16(parts.count + 1)) + body + headers
  }()

  private struct Part {
    let bytes: [UInt8]
    let type: UInt32
    var flags: UInt64 = 0
    var link: UInt32 = 0
    var info: UInt32 = 0
    var entry: UInt64 = 0
  }

  /// `int drop(void)`: an integer, a prototype, a function.
  private static let types: [UInt8] = {
    let names = [0] + Array("int".utf8) + [0] + Array("drop".utf8) + [0] + Array("socket".utf8) + [0]
    let records =
      words(1, 1 << 24, 4, 1 << 24 | 32)  // BTF_KIND_INT: four bytes, signed
      + words(0, 13 << 24, 1)  // BTF_KIND_FUNC_PROTO
      + words(5, 12 << 24 | 1, 2)  // BTF_KIND_FUNC, global
    return [0x9f, 0xeb, 1, 0] + words(24, 0, UInt32(records.count), UInt32(records.count), UInt32(names.count))
      + records + names
  }()

  /// Where the function begins: at byte 0 of its section.
  private static let typeExtension: [UInt8] = {
    let functions = words(8, 10, 1, 0, 3)
    return [0x9f, 0xeb, 1, 0] + words(24, 0, UInt32(functions.count), UInt32(functions.count), 0) + functions
  }()

  private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
  }

  private static func words(_ values: UInt32...) -> [UInt8] { values.flatMap { little($0) } }

  private static func fileHeader(sections: Int, count: UInt16) -> [UInt8] {
    var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + zeros(9)
    header += little(UInt16(1)) + little(UInt16(247)) + little(UInt32(1))  // ET_REL, EM_BPF, EV_CURRENT
    header += little(UInt64(0)) + little(UInt64(0)) + little(UInt64(sections)) + little(UInt32(0))
    header += [UInt16(64), 0, 0, 64, count, 4].flatMap { little($0) }
    return header
  }

  private static func symbol(name: UInt32, info: UInt8, section: UInt16, size: Int) -> [UInt8] {
    little(name) + [info, 0] + little(section) + little(UInt64(0)) + little(UInt64(size))
  }

  private static func header(_ name: UInt32, _ part: Part, at offset: Int) -> [UInt8] {
    little(name) + little(part.type) + little(part.flags) + little(UInt64(0)) + little(UInt64(offset))
      + little(UInt64(part.bytes.count)) + little(part.link) + little(part.info) + little(UInt64(8))
      + little(part.entry)
  }
}
