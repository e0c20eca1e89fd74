extension String {
  /// Whether its UTF-8 comes before another's, byte by byte as memcmp(3) has it, a beginning before what goes on.
  ///
  /// The standard library's own order goes by Unicode's composed letters, and costs more.
  public func precedesBytewise(_ other: String) -> Bool {
    let left = utf8.span
    let right = other.utf8.span
    let count = min(left.count, right.count)
    var index = 0
    while index < count {
      let (mine, theirs) = (left[index], right[index])
      if mine != theirs { return mine < theirs }
      index += 1
    }
    return left.count < right.count
  }

  /// Whether its UTF-8 is the same: what only looks alike (Unicode's composed letters) is not.
  public func hasSameBytes(as other: String) -> Bool {
    let (left, right) = (utf8.span, other.utf8.span)
    return unsafe left.bytes.hasSameBytes(as: right.bytes)
  }
}

extension [String] {
  /// In the order of ``Swift/String/precedesBytewise(_:)``.
  public func sortedBytewise() -> [String] { sorted { $0.precedesBytewise($1) } }
}
