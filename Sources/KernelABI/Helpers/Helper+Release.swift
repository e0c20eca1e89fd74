extension Helper {
  public var entry: KernelEntry {
    let since = Self.release(of: rawValue)
    return KernelEntry(name, since.major, since.minor)
  }

  /// The kernel that a helper came with.
  public var since: KernelRelease { Self.release(of: rawValue) }

  /// Numbers were only ever given in order, so one number a release says it all.
  private static func release(of number: UInt32) -> KernelRelease {
    for row in lastOfRelease where number <= row.last { return KernelRelease(row.major, row.minor) }
    // No case is behind the last row, and the tests hold every case against it.
    return KernelRelease(6, 2)
  }

  /// The last helper of each release. Held against the two public lists that name a commit for each helper, those of
  /// docs.ebpf.io and of BCC; where they differ (`tcp_gen_syncookie`) the date of the commit decides.
  private static let lastOfRelease: [(major: Int, minor: Int, last: UInt32)] = [
    (3, 19, 3), (4, 1, 11), (4, 2, 16), (4, 3, 22), (4, 4, 25), (4, 5, 26), (4, 6, 30), (4, 8, 36), (4, 9, 41),
    (4, 10, 44), (4, 11, 45), (4, 12, 47), (4, 13, 50), (4, 14, 53), (4, 15, 57), (4, 16, 59), (4, 17, 64),
    (4, 18, 80), (4, 19, 83), (4, 20, 90), (5, 0, 92), (5, 1, 98), (5, 2, 108), (5, 3, 109), (5, 4, 110),
    (5, 5, 115), (5, 6, 118), (5, 7, 124), (5, 8, 135), (5, 9, 141), (5, 10, 155), (5, 11, 162), (5, 12, 163),
    (5, 13, 165), (5, 14, 168), (5, 15, 175), (5, 16, 179), (5, 17, 185), (5, 18, 193), (5, 19, 203), (6, 0, 207),
    (6, 1, 209), (6, 2, 211),
  ]
}
