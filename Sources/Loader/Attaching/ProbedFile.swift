internal import Base
internal import Linux

/// An executable or library in which probes are set.
enum ProbedFile {
  /// The file that a name without a slash means: a library in the places of libraries, anything else on the usual
  /// paths of programs. libbpf looks in the same places (resolve_full_path).
  static func path(of name: String) throws(AttachFailure) -> String {
    if name.contains("/") { return name }
    let libraries = [
      "/usr/lib64", "/usr/lib", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu",
      "/usr/lib/aarch64-linux-gnu",
    ]
    let places = name.mentions(".so") ? libraries : ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
    for place in places {
      let path = "\(place)/\(name)"
      if let status = try? FileStatus.of(path: path), status.kind == .regular { return path }
    }
    throw .missing("there is no `\(name)` in \(places.joined(separator: ", "))")
  }

  /// The offsets in the file of its functions of this name, or of all that a pattern with `*` or `?` matches, in
  /// ascending order, each once.
  static func functions(of path: String, matching pattern: String) throws(AttachFailure) -> [UInt64] {
    let bytes = try contents(of: path)
    do throws(ByteError) {
      return try functions(in: bytes.rawSpan, matching: Pattern(pattern))
    } catch {
      throw .missing("`\(path)` is no 64-bit executable or library with symbol tables")
    }
  }

  /// The whole file.
  static func contents(of path: String) throws(AttachFailure) -> [UInt8] {
    try AttachFailure.calling { () throws(SystemError) in
      try OwnedFD.open(path, .readOnly).readToEnd(of: path, limit: 1 << 30)
    }
  }

  /// The same, in the bytes of an ELF file (elf(5)).
  static func functions(in file: RawSpan, matching pattern: Pattern) throws(ByteError) -> [UInt64] {
    // \x7fELF, 64 bits, little-endian.
    guard try file.u32(at: 0) == 0x464c_457f, try file.u16(at: 4) == 0x0102 else {
      throw ByteError(offset: 0, needed: 6, available: 0)
    }
    let table = Int(truncatingIfNeeded: try file.u64(at: 40) & UInt64(Int.max))
    let count = Int(try file.u16(at: 60))
    let sections = try file.slice(at: table, count: count * 64)
    var offsets: Set<UInt64> = []
    for index in 0..<count {
      let type = try sections.u32(at: index * 64 + 4)
      guard type == 2 || type == 11 else { continue }  // SHT_SYMTAB, SHT_DYNSYM
      let symbols = try contents(file, sections, index)
      let names = try contents(file, sections, Int(try sections.u32(at: index * 64 + 40)))
      for symbol in stride(from: 0, to: symbols.byteCount - 23, by: 24) {
        let home = Int(try symbols.u16(at: symbol + 6))
        // STT_FUNC with a place in a section.
        guard try symbols.u8(at: symbol + 4) & 15 == 2, home > 0, home < count else { continue }
        guard let name = try names.cString(at: Int(try symbols.u32(at: symbol)), limit: 4096),
          pattern.matches(name)
        else { continue }
        let address = try sections.u64(at: home * 64 + 16)
        let start = try sections.u64(at: home * 64 + 24)
        offsets.insert(try symbols.u64(at: symbol + 8) &- address &+ start)
      }
    }
    return offsets.sorted()
  }

  @_lifetime(copy file)
  private static func contents(
    _ file: RawSpan, _ sections: RawSpan, _ index: Int
  ) throws(ByteError) -> RawSpan {
    let header = try sections.slice(at: index.multipliedReportingOverflow(by: 64).partialValue, count: 64)
    let (offset, size) = (try header.u64(at: 24), try header.u64(at: 32))
    guard let start = Int(exactly: offset), let count = Int(exactly: size) else {
      throw ByteError(offset: 0, needed: Int.max, available: file.byteCount)
    }
    return try file.slice(at: start, count: count)
  }
}
