internal import Base

extension BPFObject {
  /// What a file is by its first bytes, whatever its name is.
  public enum FileKind: Sendable {
    /// An object of the kind that is linked here: ELF, 64 bits, little-endian, for the BPF machine, relocatable.
    case object
    /// It begins like an ELF file and is no such object: why.
    case otherELF(BPFObjectError)
    /// Something else.
    case other

    /// Bytes from a file's start that tell (the ELF header up to `e_version`, System V gABI, chapter 4).
    public static let headByteCount = 24

    /// - Parameter head: ``headByteCount`` bytes, or the whole file where it has fewer.
    public init(ofHead head: [UInt8]) {
      do throws(BPFObjectError) {
        try ELFFile.checkIdentity(ObjectPart(name: "the file", bytes: head, check: .truncated))
        self = .object
      } catch {
        self = error.check == .notELF ? .other : .otherELF(error)
      }
    }
  }
}
