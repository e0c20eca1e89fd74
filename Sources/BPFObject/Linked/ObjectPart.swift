internal import Base

/// A named run of an object's bytes; reads outside it say which part ended too early.
struct ObjectPart: Sendable {
  let name: String
  var bytes: [UInt8]
  /// The check that a read outside the part fails.
  let check: BPFObjectError.Check

  init(name: String, bytes: [UInt8], check: BPFObjectError.Check) {
    self.name = name
    self.bytes = bytes
    self.check = check
  }

  var count: Int { bytes.count }

  func u8(at offset: Int) throws(BPFObjectError) -> UInt8 {
    do { return try bytes.rawSpan.u8(at: offset) } catch { throw ended(error) }
  }

  func u16(at offset: Int) throws(BPFObjectError) -> UInt16 {
    do { return try bytes.rawSpan.u16(at: offset) } catch { throw ended(error) }
  }

  func u32(at offset: Int) throws(BPFObjectError) -> UInt32 {
    do { return try bytes.rawSpan.u32(at: offset) } catch { throw ended(error) }
  }

  func u64(at offset: Int) throws(BPFObjectError) -> UInt64 {
    do { return try bytes.rawSpan.u64(at: offset) } catch { throw ended(error) }
  }

  /// A copy of `count` bytes.
  func slice(at offset: Int, count: Int) throws(BPFObjectError) -> [UInt8] {
    do { return try bytes.rawSpan.slice(at: offset, count: count).copyBytes() } catch { throw ended(error) }
  }

  /// Appends `count` bytes to others.
  func append(to other: inout [UInt8], at offset: Int, count: Int) throws(BPFObjectError) {
    do { other.append(copying: try bytes.rawSpan.slice(at: offset, count: count)) } catch { throw ended(error) }
  }

  /// The NUL-terminated name at `offset` of a string table.
  func name(at offset: Int) throws(BPFObjectError) -> String {
    let text: String?
    do {
      if let text = try bytes.rawSpan.printableCString(at: offset, limit: Limits.nameBytes) { return text }
    } catch {
      throw ended(error)
    }
    do { text = try bytes.rawSpan.cString(at: offset, limit: Limits.nameBytes) } catch { throw ended(error) }
    guard let text else {
      throw BPFObjectError(
        check, "the string at offset \(offset) of `\(name)` is no name",
        expected: "UTF-8 ending in a NUL within \(Limits.nameBytes) bytes")
    }
    guard !Self.hasHiddenCharacters(text) else {
      throw BPFObjectError(
        check, "the string at offset \(offset) of `\(name)` has characters that nobody sees",
        expected: "no control or formatting characters",
        why: "names are printed, and such characters could make a terminal show something else")
    }
    return text
  }

  /// Escape sequences, reversed text, invisible joints. Tabs are in the source lines that `.BTF` quotes.
  private static func hasHiddenCharacters(_ text: String) -> Bool {
    text.unicodeScalars.contains { scalar in
      switch scalar.properties.generalCategory {
      case .control: scalar != "\t"
      case .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
      default: false
      }
    }
  }

  private func ended(_ error: ByteError) -> BPFObjectError {
    BPFObjectError(
      check, "`\(name)` ends too early", expected: "\(error.needed) bytes at offset \(error.offset)",
      found: "\(error.available) bytes in all", next: "compile the object again, or compare it with its original")
  }
}
