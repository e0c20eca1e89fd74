extension PolicyDocument {
  /// The policy in its canonical layout: one space between words, digests in lower-case digits, no blank line at the
  /// start or twice in a row, a line feed at the end of each line.
  ///
  /// Comments keep their bytes and their lines. What follows a NUL byte is kept as it is, behind its NUL: without it,
  /// text that the kernel never read would come to life. Formatting the result again changes nothing, and it says the
  /// same as this document.
  ///
  /// - Returns: nil for an invalid document; what a line was meant to say is not guessed.
  public var formatted: [UInt8]? {
    guard isValid, let header else { return nil }
    var output: [UInt8] = []
    var statement = statements.startIndex
    var sawHeader = false
    var blankPending = false
    for line in syntax.lines {
      var content: [UInt8] = []
      if !line.significant.isEmpty {
        if sawHeader {
          // A valid document has one statement for each line that is not empty.
          guard statement < statements.endIndex else { return nil }
          content = statements[statement].canonicalBytes
          statement += 1
        } else {
          sawHeader = true
          content = Self.headerBytes(header)
        }
      }
      let comment = Self.trimmed(text[line.comment])
      guard !content.isEmpty || !comment.isEmpty else {
        blankPending = !output.isEmpty
        continue
      }
      if blankPending { output.append(0x0a) }
      blankPending = false
      output += content
      if !content.isEmpty, !comment.isEmpty { output.append(0x20) }
      output += comment
      output.append(0x0a)
    }
    if syntax.end < text.bytes.count { output += text.bytes[syntax.end...] }
    return output
  }

  private static func headerBytes(_ header: Header) -> [UInt8] {
    var bytes = Array("policy_name=".utf8) + header.name
    bytes += " policy_version=\(header.version)".utf8
    if !header.enforcing { bytes += " x_enforcing=FALSE".utf8 }
    return bytes
  }

  /// Without blanks at the end. Not by the kernel's isspace(), to which the second half of `à` is a blank.
  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes
    while let last = bytes.last, last == 0x20 || (0x09...0x0d).contains(last) { bytes = bytes.dropLast() }
    return bytes
  }
}

extension PolicyDocument.Statement {
  /// ``canonicalText`` as bytes, which the kernel's dialect needs: an algorithm's name need not be text.
  var canonicalBytes: [UInt8] {
    var bytes: [UInt8] = kind == .fallback ? Array("DEFAULT ".utf8) : []
    if let operation { bytes += "op=\(operation.rawValue) ".utf8 }
    for property in properties {
      if case .digest(let digest) = property.value {
        bytes += "\(property.name.rawValue)=".utf8
        bytes += digest.algorithm
        bytes += ":\(digest.hex) ".utf8
      } else {
        bytes += "\(property.canonicalText) ".utf8
      }
    }
    if let enforcing { bytes += "x_enforcing=\(enforcing ? "TRUE" : "FALSE") ".utf8 }
    return bytes + "action=\(action.rawValue)".utf8
  }
}
