/// Little-endian writing into byte arrays, for the few structures this project produces.
extension [UInt8] {
  /// Appends the number's bytes, least significant first.
  @inlinable
  public mutating func appendLittleEndian<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number) {
    for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> Number(shift)))
    }
  }

  /// Overwrites the bytes at `offset` with the number's bytes, least significant first.
  ///
  /// The caller owns the array and its size; writing past its end is a programming error, not an input error.
  @inlinable
  public mutating func storeLittleEndian<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number, at offset: Int) {
    var position = offset
    for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
      self[position] = UInt8(truncatingIfNeeded: value >> Number(shift))
      position += 1
    }
  }
}
