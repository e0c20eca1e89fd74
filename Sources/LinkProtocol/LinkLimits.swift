/// The most of everything that a message may have. Both sides hold them: each before it allocates memory for what the other has
/// announced.
public enum LinkLimits {
  /// Bytes of an object: what the linker takes (``BPFObject/maximumByteCount`` is held against it by a test).
  public static let objectBytes = 32 << 20
  /// Edits in one answer: an object of that size has no more relocations.
  public static let edits = objectBytes / 16
  /// Maps that an object declares; their variables are types, of which the kernel takes so many.
  public static let maps = 1 << 16
  /// Programs of an object.
  public static let programs = 1 << 16
  /// Milliseconds that an answer may take from the last byte of its request. The largest objects take the linker seconds on
  /// slow machines.
  public static let answerMilliseconds = 60_000
}
