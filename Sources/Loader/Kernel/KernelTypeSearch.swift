internal import KernelABI
internal import BPFObject
internal import Base

/// Finds the BTF ids of a few names in the kernel's own BTF.
///
/// The kernel wants ids and programs have names. A full parse of some five megabytes takes a loader longer than
/// everything else it does, so this walks the type section once, looks at the names of the wanted kinds only, and
/// stops when it has all. Layout: include/uapi/linux/btf.h.
enum KernelTypeSearch {
  /// Why the kernel's BTF could not be read.
  struct Malformed: Error, Equatable {
    let reason: String
  }

  /// The ids of the targets, each nil when the kernel has no such type.
  static func ids(of targets: [ProgramKind.AttachTarget], in btf: RawSpan) throws(Malformed) -> [UInt32?] {
    try ids(of: targets, in: btf, base: nil, baseBytes: btf)
  }

  /// The ids of the targets in a module's BTF.
  ///
  /// It continues the kernel's own: its types are numbered on from the kernel's, and its names may be the kernel's
  /// (Documentation/bpf/btf.rst, split BTF).
  static func ids(
    of targets: [ProgramKind.AttachTarget], in btf: RawSpan, continuing baseBytes: RawSpan, _ base: Base
  ) throws(Malformed) -> [UInt32?] {
    try ids(of: targets, in: btf, base: base, baseBytes: baseBytes)
  }

  private static func ids(
    of targets: [ProgramKind.AttachTarget], in btf: RawSpan, base: Base?, baseBytes: RawSpan
  ) throws(Malformed) -> [UInt32?] {
    var search = State(targets)
    do throws(ByteError) {
      try search.walk(btf, base: base, baseBytes: baseBytes)
    } catch {
      throw Malformed(reason: error.description)
    }
    if let kind = search.unknownKind { throw Malformed(reason: "type of unknown kind \(kind)") }
    return search.found
  }

  /// What a module's BTF continues.
  struct Base: Equatable {
    /// The first id that is not the kernel's own.
    let nextID: UInt32
    /// Where its strings begin in its bytes, and how many bytes they have.
    let strings: Range<Int>
  }

  /// Counts the kernel's types.
  static func base(of btf: RawSpan) throws(Malformed) -> Base {
    do throws(ByteError) {
      let header = Int(try btf.u32(at: 4))
      let types = try btf.slice(at: header + Int(try btf.u32(at: 8)), count: Int(try btf.u32(at: 12)))
      let strings = header + Int(try btf.u32(at: 16))
      let length = try btf.slice(at: strings, count: Int(try btf.u32(at: 20))).byteCount
      var (offset, id) = (0, UInt32(1))
      while offset < types.byteCount {
        let info = try types.u32(at: offset + 4)
        guard let tail = tailSize(info) else {
          throw ByteError(offset: offset, needed: 12, available: types.byteCount)
        }
        offset += 12 + tail
        id &+= 1
      }
      return Base(nextID: id, strings: strings..<(strings + length))
    } catch {
      throw Malformed(reason: error.description)
    }
  }

  private struct State {
    private let targets: [(name: [UInt8], kind: UInt8)]
    private(set) var found: [UInt32?]
    private(set) var unknownKind: UInt8?

    init(_ targets: [ProgramKind.AttachTarget]) {
      self.targets = targets.map { (Array($0.name.utf8), $0.kind.rawValue) }
      found = Array(repeating: nil, count: targets.count)
    }

    mutating func walk(_ btf: RawSpan, base: Base?, baseBytes: RawSpan) throws(ByteError) {
      // struct btf_header: magic, version, flags, hdr_len, type_off, type_len, str_off, str_len.
      let header = Int(try btf.u32(at: 4))
      let types = try btf.slice(at: header + Int(try btf.u32(at: 8)), count: Int(try btf.u32(at: 12)))
      let strings = try btf.slice(at: header + Int(try btf.u32(at: 16)), count: Int(try btf.u32(at: 20)))

      var missing = targets.count
      var offset = 0
      var id = base?.nextID ?? 1
      while offset < types.byteCount, missing > 0 {
        let info = try types.u32(at: offset + 4)
        let kind = BTFFormat.kind(ofInfo: info)
        guard let tail = KernelTypeSearch.tailSize(info) else {
          unknownKind = kind
          return
        }
        for index in targets.indices where targets[index].kind == kind && found[index] == nil {
          let name = Int(try types.u32(at: offset))
          let isWanted =
            if let base, name < base.strings.count {
              try Self.string(at: base.strings.lowerBound + name, in: baseBytes, is: targets[index].name)
            } else {
              try Self.string(at: name - (base?.strings.count ?? 0), in: strings, is: targets[index].name)
            }
          guard isWanted else { continue }
          found[index] = id
          missing -= 1
        }
        offset += 12 + tail
        id &+= 1
      }
    }

    /// Whether the NUL-terminated string at `offset` is `name`.
    private static func string(at offset: Int, in strings: RawSpan, is name: [UInt8]) throws(ByteError) -> Bool {
      for index in name.indices {
        guard try strings.u8(at: offset + index) == name[index] else { return false }
      }
      return try strings.u8(at: offset + name.count) == 0
    }
  }

  /// Bytes that follow the 12 bytes of `struct btf_type`, by its second word; nil for a kind that is not known.
  fileprivate static func tailSize(_ info: UInt32) -> Int? {
    guard let kind = BTFKind(rawValue: BTFFormat.kind(ofInfo: info)), kind != .void else { return nil }
    let (fixed, each) = kind.trailer
    return fixed + each * BTFFormat.count(ofInfo: info)
  }
}
