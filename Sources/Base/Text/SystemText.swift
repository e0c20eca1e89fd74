/// Words of the system as text: arguments, file names and paths are bytes, which most often are UTF-8 and need not be.
///
/// A byte that is no part of well-formed UTF-8 stands in a `String` as the scalar U+10FF00 plus the byte, of a plane that
/// Unicode leaves to private use; a text that holds such a scalar itself is taken apart into bytes in the same way. So a
/// path has exactly one text and a text one path, and what is appended to a path (`.verity`, `/map/x`) stays text. It is the
/// idea of Python's PEP 383, whose scalars a Swift `String` cannot hold.
extension String {
  /// Takes the system's bytes.
  ///
  /// - Parameter bytes: without the NUL at their end.
  public init(systemBytes bytes: [UInt8]) {
    if let text = String(validating: bytes, as: UTF8.self), !text.hasUndecodedBytes {
      self = text
      return
    }
    var text = ""
    var index = 0
    while index < bytes.count {
      let end = Swift.min(index + String.sequenceLength(bytes[index]), bytes.count)
      if let whole = String(validating: bytes[index..<end], as: UTF8.self), !whole.hasUndecodedBytes {
        text += whole
        index = end
      } else {
        if let scalar = Unicode.Scalar(Unicode.Scalar.firstOfBytes + UInt32(bytes[index])) {
          text.unicodeScalars.append(scalar)
        }
        index += 1
      }
    }
    self = text
  }

  /// The same of bytes that a NUL ends.
  @unsafe public init(systemCString text: UnsafePointer<CChar>) {
    var bytes: [UInt8] = []
    while unsafe text[bytes.count] != 0 { bytes.append(UInt8(bitPattern: unsafe text[bytes.count])) }
    self.init(systemBytes: bytes)
  }

  /// The bytes that the system knows it by.
  public var systemBytes: [UInt8] {
    guard hasUndecodedBytes else { return Array(utf8) }
    var bytes: [UInt8] = []
    for scalar in unicodeScalars {
      if let byte = scalar.undecodedByte { bytes.append(byte) } else { bytes += Array(String(scalar).utf8) }
    }
    return bytes
  }

  /// Whether the system's bytes are no UTF-8, so that they cannot be a name in a text format.
  public var hasUndecodedBytes: Bool {
    // The first byte of every scalar that stands for one.
    utf8.contains(0xf4) && unicodeScalars.contains { $0.undecodedByte != nil }
  }

  /// Lends the bytes with a NUL behind them, for a call that takes a path, and for no longer than it takes.
  @safe public func withSystemPath<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    guard hasUndecodedBytes else { return unsafe withCString(body) }
    return unsafe body(systemBytes.map { CChar(bitPattern: $0) } + [0])
  }

  /// How many bytes a scalar has whose first byte this is; 1 for what begins none.
  private static func sequenceLength(_ first: UInt8) -> Int {
    switch first {
    case 0xc2...0xdf: 2
    case 0xe0...0xef: 3
    case 0xf0...0xf4: 4
    default: 1
    }
  }
}

extension Unicode.Scalar {
  /// What a byte is added to.
  fileprivate static let firstOfBytes: UInt32 = 0x10_ff00

  /// The byte that the scalar stands for; nil for a character.
  public var undecodedByte: UInt8? {
    value >= Self.firstOfBytes + 0x80 && value <= Self.firstOfBytes + 0xff
      ? UInt8(truncatingIfNeeded: value) : nil
  }
}
