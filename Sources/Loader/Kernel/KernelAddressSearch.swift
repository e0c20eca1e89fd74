internal import Base

/// Finds the addresses of a few symbols in the text of /proc/kallsyms, in one pass over it.
///
/// A line is `ffffffff81000000 T name`, with a tab and `[module]` behind the symbols of modules.
struct KernelAddressSearch: Equatable {
  /// What the kernel says of a symbol.
  enum Answer: Equatable {
    case address(UInt64)
    /// Two symbols of this name have different addresses.
    case ambiguous
  }

  /// The answers by name; a symbol that the kernel does not have is missing.
  private(set) var found: [String: Answer] = [:]
  /// Whether every address is zero: the kernel does not tell addresses to this process.
  private(set) var isHidden = true

  init(for names: Set<String>, in text: borrowing RawSpan) {
    var wanted: [UInt8: [(bytes: [UInt8], name: String)]] = [:]
    for name in names {
      let bytes = Array(name.utf8)
      if let first = bytes.first { wanted[first, default: []].append((bytes, name)) }
    }
    var position = 0
    while position < text.byteCount {
      var address: UInt64 = 0
      var digits = 0
      while let digit = Self.hexadecimal(text, position) {
        address = address << 4 | digit
        digits += 1
        position += 1
      }
      if address != 0 { isHidden = false }
      // A blank, the type, a blank.
      let start = position + 3
      if digits > 0, start < text.byteCount, let first = try? text.u8(at: start), let candidates = wanted[first] {
        for candidate in candidates where Self.name(candidate.bytes, isAt: start, text) {
          note(address, candidate.name)
        }
      }
      while position < text.byteCount, (try? text.u8(at: position)) != UInt8(ascii: "\n") { position += 1 }
      position += 1
    }
  }

  private mutating func note(_ address: UInt64, _ name: String) {
    if let known = found[name], known != .address(address) {
      found[name] = .ambiguous
    } else {
      found[name] = .address(address)
    }
  }

  private static func hexadecimal(_ text: borrowing RawSpan, _ offset: Int) -> UInt64? {
    guard offset < text.byteCount, let byte = try? text.u8(at: offset) else { return nil }
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return UInt64(byte - UInt8(ascii: "a") + 10)
    default: return nil
    }
  }

  private static func name(_ name: [UInt8], isAt offset: Int, _ text: borrowing RawSpan) -> Bool {
    for index in name.indices where (try? text.u8(at: offset + index)) != name[index] { return false }
    guard let end = try? text.u8(at: offset + name.count) else { return true }
    return end == UInt8(ascii: "\n") || end == UInt8(ascii: "\t") || end == UInt8(ascii: " ")
  }
}
