/// Reading, linking and analysing BPF objects: pure functions of the object's bytes.
public enum BPFObject {
  /// Bytes that an object file may have at most.
  public static let maximumByteCount = Limits.objectBytes

  /// Refuses an object that is too large, as ``link(bytes:objectName:allowsExterns:)`` does, before it is read.
  public static func requireSize(_ byteCount: UInt64) throws(BPFObjectError) {
    guard byteCount <= UInt64(maximumByteCount) else {
      throw BPFObjectError(
        .tooLarge, "the object is too large", expected: "at most \(maximumByteCount) bytes",
        found: "\(byteCount) bytes", next: "drop the debugging sections: llvm-objcopy --strip-debug FILE")
    }
  }

  /// Links an object into the arrays that bpf(2) takes.
  ///
  /// - Parameters:
  ///   - bytes: a relocatable ELF object for the BPF machine, compiled with `-g`.
  ///   - objectName: the file's name, of which the part before the first dot goes into the names of data maps, as in
  ///     libbpf.
  ///   - allowsExterns: whether the object may need something from the running kernel that its loader must look up:
  ///     then ``LinkedObject/needsResolving`` may be true, and what is not resolved must not be loaded.
  /// - Throws: ``BPFObjectError`` for anything that is not understood completely: nothing is skipped or guessed.
  public static func link(
    bytes: RawSpan, objectName: String = "", allowsExterns: Bool = false
  ) throws(BPFObjectError) -> LinkedObject {
    let parts = try ObjectParts(bytes)
    if !allowsExterns { try parts.refuseKernelNeeds() }
    return try ObjectLinker(parts, objectName: shortName(objectName)).link()
  }

  /// The file's name without directories, up to the first dot.
  package static func shortName(_ name: String) -> String {
    let base = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true).last ?? ""[...].utf8
    return String(Substring(base.prefix { $0 != UInt8(ascii: ".") }))
  }
}
