import Base

/// A change of a BPF object within one of its sections, or of one field of its tables.
enum ObjectChange {
  private struct Section {
    let header: Int
    let type: UInt32
    let flags: UInt64
    let range: Range<Int>
  }

  private enum Kind: CaseIterable {
    case shortField
    case longField
    case header
    case size
    case contents
  }

  /// Contents change more often than what says where they are.
  private static let kinds = Kind.allCases + [.contents, .contents, .contents]

  /// Nil for bytes that have no section table.
  static func make(_ bytes: [UInt8], _ capacity: Int, _ mutator: inout Mutator) -> [UInt8]? {
    guard let section = mutator.pick(sections(of: bytes)) else { return nil }
    return mutator.changed(bytes, most: 3, by: kinds) { kind, bytes, mutator in
      switch kind {
      case .shortField:
        mutator.setNumber(&bytes, at: section.header + [0, 4, 40, 44][mutator.number(below: 4)], size: 4)
      case .longField:
        mutator.setNumber(&bytes, at: section.header + [8, 16, 24, 32, 48, 56][mutator.number(below: 6)], size: 8)
      case .header: mutator.change(&bytes, in: 0..<64)
      case .size: if let resized = resized(bytes, section, capacity, &mutator) { bytes = resized }
      case .contents: changeContents(&bytes, section, &mutator)
      }
    }
  }

  private static func sections(of bytes: [UInt8]) -> [Section] {
    let span = bytes.rawSpan
    guard let table = (try? span.u64(at: 40)).flatMap({ Int(exactly: $0) }), let count = try? span.u16(at: 60) else {
      return []
    }
    var found: [Section] = []
    for index in 0..<min(Int(count), 128) where table <= bytes.count - (index + 1) * 64 {
      let header = table + index * 64
      guard let type = try? span.u32(at: header + 4), let flags = try? span.u64(at: header + 8),
        let offset = (try? span.u64(at: header + 24)).flatMap({ Int(exactly: $0) }),
        let size = (try? span.u64(at: header + 32)).flatMap({ Int(exactly: $0) }),
        offset <= bytes.count, size <= bytes.count - offset, size > 0, type != 8
      else { continue }
      found.append(Section(header: header, type: type, flags: flags, range: offset..<offset + size))
    }
    return found
  }

  private static func changeContents(_ bytes: inout [UInt8], _ section: Section, _ mutator: inout Mutator) {
    let range = section.range
    // SHF_EXECINSTR.
    if section.flags & 4 != 0, !mutator.happens(once: 4) {
      return InstructionChange.make(&bytes, in: range, &mutator)
    }
    if let (size, fields) = tables[section.type] {
      let entry = range.lowerBound + mutator.number(below: range.count / size) * size
      let field = fields[mutator.number(below: fields.count)]
      mutator.setNumber(&bytes, at: entry + field.0, size: field.1)
    } else if mutator.happens(once: 2) {
      // Type information is of 32-bit numbers.
      mutator.setNumber(&bytes, at: range.lowerBound + mutator.number(below: range.count / 4) * 4, size: 4)
    } else {
      mutator.change(&bytes, in: range)
    }
  }

  /// By section type (SHT_SYMTAB, SHT_REL): the size of an entry, and place and size of its fields.
  private static let tables: [UInt32: (size: Int, fields: [(Int, Int)])] = [
    2: (24, [(0, 4), (4, 1), (5, 1), (6, 2), (8, 8), (16, 8)]),
    9: (16, [(0, 8), (8, 4), (12, 4)]),
  ]

  /// The section with more or fewer bytes, at the end of the file.
  private static func resized(
    _ bytes: [UInt8], _ section: Section, _ capacity: Int, _ mutator: inout Mutator
  ) -> [UInt8]? {
    let start = (bytes.count + 7) / 8 * 8
    guard start + 8 < capacity else { return nil }
    let contents = mutator.changed(
      Array(bytes[section.range]), capacity: min(capacity - start, section.range.count * 2))
    var changed = bytes + [UInt8](repeating: 0, count: start - bytes.count) + contents
    guard section.header + 40 <= bytes.count else { return nil }
    changed.storeLittleEndian(UInt64(start), at: section.header + 24)
    changed.storeLittleEndian(UInt64(contents.count), at: section.header + 32)
    return changed
  }
}

/// A change of one instruction.
enum InstructionChange {
  /// Opcodes of every class; those of loads and stores, of arithmetic, of jumps.
  private static let opcodes: [UInt8] = [
    0x18, 0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91, 0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b, 0xc3, 0xdb, 0x07,
    0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x57, 0x5f, 0x67, 0x6f, 0x77, 0x7f, 0x87, 0x97, 0x9f, 0xa7,
    0xaf, 0xb7, 0xbf, 0xc7, 0xcf, 0xd7, 0xdc, 0x04, 0x0c, 0x14, 0x54, 0x5c, 0x64, 0x74, 0xb4, 0xbc, 0x05, 0x06, 0x15,
    0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x55, 0x5d, 0x65, 0x6d, 0xa5, 0xad, 0xb5, 0xbd, 0xc5, 0xcd, 0xd5, 0xdd,
    0x16, 0x1e, 0x26, 0x2e, 0x56, 0x5e, 0x85, 0x95, 0xe5, 0x20, 0x28, 0x30, 0x40,
  ]
  /// Helpers that return pointers, call back, copy the kernel's memory, or look into maps.
  private static let helpers: [UInt32] = [
    1, 4, 5, 7, 8, 12, 14, 35, 45, 112, 113, 114, 115, 153, 158, 164, 181, 187, 209,
  ]

  private enum Kind: CaseIterable {
    case opcode
    case registers
    case offset
    case immediate
    case copy
    case call
    case whole
    case anything
  }

  static func make(_ bytes: inout [UInt8], in range: Range<Int>, _ mutator: inout Mutator) {
    let count = range.count / 8
    guard count > 0 else { return }
    let place = range.lowerBound + mutator.number(below: count) * 8
    switch mutator.pick(Kind.allCases) ?? .anything {
    case .opcode: bytes[place] = mutator.pick(opcodes) ?? 0
    case .registers: bytes[place + 1] = registers(&mutator)
    case .offset: bytes.storeLittleEndian(UInt16(truncatingIfNeeded: mutator.number(below: 64) - 32), at: place + 2)
    case .immediate: mutator.setNumber(&bytes, at: place + 4, size: 4)
    case .copy:
      // An instruction of another place.
      let other = range.lowerBound + mutator.number(below: count) * 8
      bytes.replaceSubrange(place..<place + 8, with: Array(bytes[other..<other + 8]))
    case .call:
      bytes.replaceSubrange(place..<place + 8, with: [0x85, 0, 0, 0, 0, 0, 0, 0])
      bytes.storeLittleEndian(mutator.pick(helpers) ?? 0, at: place + 4)
    case .whole:
      // One that means something: opcode, registers, offset, immediate.
      bytes[place] = mutator.pick(opcodes) ?? 0
      bytes[place + 1] = registers(&mutator)
      let offset = (mutator.number(below: 64) - 32) * (mutator.happens(once: 2) ? 8 : 1)
      bytes.storeLittleEndian(UInt16(truncatingIfNeeded: mutator.happens(once: 2) ? 0 : offset), at: place + 2)
      bytes.storeLittleEndian(UInt32(mutator.happens(once: 2) ? 0 : mutator.number(below: 16)), at: place + 4)
    case .anything: mutator.change(&bytes, in: place..<place + 8)
    }
  }

  private static func registers(_ mutator: inout Mutator) -> UInt8 {
    UInt8(mutator.number(below: 11) | mutator.number(below: 11) << 4)
  }
}

/// A change of a program without an object around it, which begins with two bytes that are no instructions.
enum ProgramChange {
  private enum Kind: CaseIterable {
    case head
    case insertion
    case removal
    case instruction
  }

  /// Instructions change more often than their number.
  private static let kinds = Kind.allCases + Array(repeating: .instruction, count: 6)

  static func make(_ bytes: [UInt8], _ capacity: Int, _ mutator: inout Mutator) -> [UInt8]? {
    guard bytes.count >= 10 else { return nil }
    return mutator.changed(bytes, most: 4, by: kinds) { kind, bytes, mutator in
      switch kind {
      case .head: bytes[mutator.number(below: 2)] = UInt8(mutator.number(below: 256))
      case .insertion:
        guard bytes.count + 8 <= capacity else { return }
        let place = 2 + mutator.number(below: (bytes.count - 2) / 8 + 1) * 8
        bytes.insert(contentsOf: [0xbf, 0, 0, 0, 0, 0, 0, 0], at: place)
        InstructionChange.make(&bytes, in: place..<place + 8, &mutator)
      case .removal:
        guard bytes.count >= 26 else { return }
        let place = 2 + mutator.number(below: (bytes.count - 2) / 8) * 8
        bytes.removeSubrange(place..<place + 8)
      case .instruction: InstructionChange.make(&bytes, in: 2..<bytes.count, &mutator)
      }
    }
  }
}
