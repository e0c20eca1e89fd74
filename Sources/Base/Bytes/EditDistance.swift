/// How near two words are, for who mistyped one of them.
public enum EditDistance {
  /// How many bytes must be inserted, dropped or replaced to make one word of the other (Levenshtein's distance).
  public static func between(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Int {
    var row = Array(0...right.count)
    for (index, byte) in left.enumerated() {
      var next = [index + 1]
      next.reserveCapacity(right.count + 1)
      for (column, other) in right.enumerated() {
        next.append(min(row[column] + (byte == other ? 0 : 1), row[column + 1] + 1, next[column] + 1))
      }
      row = next
    }
    return row.last ?? 0
  }
}
