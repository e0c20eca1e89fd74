extension Substring {
  /// Where the bytes of `part` first stand; nil when they do not, or when `part` is empty.
  ///
  /// Bytes are compared, so that what only looks alike (Unicode's composed letters) is not the same. The standard library
  /// has this in its module of regular expressions, whose engine every start of a program with it has to pay for.
  public func firstPlace(of part: String) -> Range<String.Index>? {
    let wanted = part.utf8
    guard let first = wanted.first else { return nil }
    var rest = utf8[...]
    while let start = rest.firstIndex(of: first) {
      rest = rest[start...]
      if rest.starts(with: wanted) { return start..<utf8.index(start, offsetBy: wanted.count) }
      rest = rest.dropFirst()
    }
    return nil
  }

  /// Whether the bytes of `part` stand somewhere in it.
  public func mentions(_ part: String) -> Bool { firstPlace(of: part) != nil }
}

extension String {
  /// Where the bytes of `part` first stand; nil when they do not, or when `part` is empty.
  public func firstPlace(of part: String) -> Range<String.Index>? { self[...].firstPlace(of: part) }

  /// Whether the bytes of `part` stand somewhere in it.
  public func mentions(_ part: String) -> Bool { self[...].mentions(part) }
}
