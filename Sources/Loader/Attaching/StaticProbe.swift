internal import Base

/// A place that a program's author marked for tracing (USDT), as the notes of an executable or library describe it.
///
/// Format: the wiki page "UserSpaceProbeImplementation" of SystemTap, whose <sys/sdt.h> writes the notes.
struct StaticProbe: Equatable {
  /// Bytes from the file's start.
  let offset: UInt64
  /// Where the file counts who is watching, bytes from its start; 0 when it does not.
  let counter: UInt64
  /// Where the arguments are, in the assembler's words: `-4@%esi 8@-24(%rbp)`.
  let arguments: String

  /// The places in a file that have this provider and name.
  static func all(in file: RawSpan, provider: String, name: String) throws(ByteError) -> [StaticProbe] {
    // \x7fELF, 64 bits, little-endian.
    guard try file.u32(at: 0) == 0x464c_457f, try file.u16(at: 4) == 0x0102 else {
      throw ByteError(offset: 0, needed: 6, available: 0)
    }
    let count = Int(try file.u16(at: 60))
    let sections = try file.slice(at: try position(file.u64(at: 40), in: file), count: count * 64)
    let nameTable = Int(try file.u16(at: 62))
    guard nameTable < count else { return [] }
    let names = try contents(file, sections, nameTable)
    var notes: RawSpan?
    var base: UInt64?
    for index in 0..<count {
      switch try names.cString(at: Int(try sections.u32(at: index * 64)), limit: 64) {
      case ".note.stapsdt": notes = try contents(file, sections, index)
      case ".stapsdt.base": base = try sections.u64(at: index * 64 + 16)
      default: break
      }
    }
    guard let notes else { return [] }
    let segments = try Segments(file)
    var found: [StaticProbe] = []
    var at = 0
    while at + 12 <= notes.byteCount {
      let nameSize = Int(try notes.u32(at: at))
      let size = Int(try notes.u32(at: at + 4))
      let type = try notes.u32(at: at + 8)
      let start = at + 12 + (nameSize + 3) & ~3
      let note = try notes.slice(at: start, count: size)
      at = start + (size + 3) & ~3
      guard type == 3, size > 24, try note.cString(at: 24) == provider else { continue }
      let second = 24 + provider.utf8.count + 1
      guard try note.cString(at: second) == name else { continue }
      let third = second + name.utf8.count + 1
      // Addresses as the linker saw them; a later change of the file shows in where the base went.
      let moved = base.map { ($0, try? note.u64(at: 8)) }.map { $0.0 &- ($0.1 ?? $0.0) } ?? 0
      let counter = try note.u64(at: 16)
      guard let offset = segments.offset(of: try note.u64(at: 0) &+ moved) else { continue }
      found.append(
        StaticProbe(
          offset: offset, counter: counter == 0 ? 0 : segments.offset(of: counter &+ moved) ?? 0,
          arguments: third < size ? try note.cString(at: third) ?? "" : ""))
    }
    return found
  }

  /// What the file maps where (PT_LOAD).
  private struct Segments {
    private var loads: [(address: UInt64, size: UInt64, offset: UInt64)] = []

    init(_ file: RawSpan) throws(ByteError) {
      let count = Int(try file.u16(at: 56))
      let headers = try file.slice(at: try StaticProbe.position(file.u64(at: 32), in: file), count: count * 56)
      for index in 0..<count where try headers.u32(at: index * 56) == 1 {
        loads.append(
          (
            try headers.u64(at: index * 56 + 16), try headers.u64(at: index * 56 + 40),
            try headers.u64(at: index * 56 + 8)
          ))
      }
    }

    func offset(of address: UInt64) -> UInt64? {
      loads.first { address >= $0.address && address - $0.address < $0.size }.map { address - $0.address &+ $0.offset }
    }
  }

  private static func position(_ value: UInt64, in file: RawSpan) throws(ByteError) -> Int {
    guard let position = Int(exactly: value) else {
      throw ByteError(offset: 0, needed: Int.max, available: file.byteCount)
    }
    return position
  }

  @_lifetime(copy file)
  private static func contents(_ file: RawSpan, _ sections: RawSpan, _ index: Int) throws(ByteError) -> RawSpan {
    let start = try position(try sections.u64(at: index * 64 + 24), in: file)
    return try file.slice(at: start, count: try position(try sections.u64(at: index * 64 + 32), in: file))
  }
}

/// The arguments of a marked place as programs read them: `struct __bpf_usdt_spec` of libbpf's usdt.bpf.h, whose layout
/// has been the same since libbpf 0.8.
enum StaticProbeArguments {
  /// Bytes of the structure: twelve arguments of 16 bytes, a cookie, a count.
  static let size = 208

  /// The structure's bytes; nil when an argument is written in a way that is not understood.
  static func encode(_ text: String) -> [UInt8]? {
    let arguments = text.split(separator: " ")
    guard arguments.count <= 12 else { return nil }
    var bytes: [UInt8] = []
    for argument in arguments {
      guard let one = encode(argument: argument) else { return nil }
      bytes += one
    }
    bytes += [UInt8](repeating: 0, count: 12 * 16 + 8 - bytes.count)
    bytes.appendLittleEndian(UInt16(arguments.count))
    return bytes + [UInt8](repeating: 0, count: size - bytes.count)
  }

  /// `SIZE@$NUMBER`, `SIZE@%REGISTER`, `SIZE@OFFSET(%REGISTER)`; a negative size is that of a signed number.
  private static func encode(argument: Substring) -> [UInt8]? {
    let parts = argument.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let signedSize = Int(parts[0]), [1, 2, 4, 8].contains(abs(signedSize)) else { return nil }
    let place = parts[1]
    var (value, type, register): (Int64, UInt32, UInt16) = (0, 0, 0)
    if place.hasPrefix("$") {
      guard let number = Int64(place.dropFirst()) else { return nil }
      value = number
    } else if place.hasPrefix("%") {
      guard let offset = registerOffset(place.dropFirst()) else { return nil }
      (type, register) = (1, offset)
    } else {
      guard let open = place.firstIndex(of: "("), place.hasSuffix(")") else { return nil }
      let inner = place[place.index(after: open)...].dropLast()
      let distance = place[..<open]
      guard inner.hasPrefix("%"), let offset = registerOffset(inner.dropFirst()),
        let number = distance.isEmpty ? 0 : Int64(distance)
      else { return nil }
      (value, type, register) = (number, 2, offset)
    }
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(UInt64(bitPattern: value))
    bytes.appendLittleEndian(type)
    bytes.appendLittleEndian(register)
    return bytes + [signedSize < 0 ? 1 : 0, UInt8(64 - abs(signedSize) * 8)]
  }

  /// Where a register of x86-64 is in `struct pt_regs` (arch/x86/include/asm/ptrace.h).
  private static func registerOffset(_ name: Substring) -> UInt16? {
    registers.first { $0.names.contains(String(name)) }?.offset
  }

  private static let registers: [(offset: UInt16, names: [String])] = {
    let old: [(UInt16, [String])] = [
      (32, ["rbp", "ebp", "bp", "bpl"]), (40, ["rbx", "ebx", "bx", "bl"]), (80, ["rax", "eax", "ax", "al"]),
      (88, ["rcx", "ecx", "cx", "cl"]), (96, ["rdx", "edx", "dx", "dl"]), (104, ["rsi", "esi", "si", "sil"]),
      (112, ["rdi", "edi", "di", "dil"]), (128, ["rip", "eip"]), (152, ["rsp", "esp", "sp", "spl"]),
    ]
    // r15 stands first, then down to r12; r11 to r8 follow rbx.
    let new = (8...15).map { number -> (UInt16, [String]) in
      let offset = number >= 12 ? (15 - number) * 8 : 48 + (11 - number) * 8
      return (UInt16(offset), ["r\(number)", "r\(number)d", "r\(number)w", "r\(number)b"])
    }
    return old + new
  }()
}
