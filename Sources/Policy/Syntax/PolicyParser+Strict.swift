/// What the kernel's parser lets slip although it cannot be meant. Errors in this project's dialect, warnings in the
/// kernel's.
extension PolicyParser {
  /// Bytes that do not do what they look like.
  func checkBytes(of line: SyntaxLine) {
    let content = SourceRange(Int(line.significant.start), Int(line.comment.end))
    var offset = content.indices.lowerBound
    for byte in text[content] {
      let inComment = offset >= Int(line.comment.start)
      if (byte < 0x20 && byte != 0x09) || byte == 0x7f {
        let name = "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        report(
          inComment ? .warning : lapse, "policy.control-byte", "the control byte \(name) is in this line",
          at: SourceRange(offset, offset + 1), hint: "remove it")
        break
      }
      // U+202A…U+202E and U+2066…U+2069: what is shown is not what is read.
      if byte == 0xe2, isBidiControl(at: offset) {
        report(
          inComment ? .warning : lapse, "policy.bidi-control",
          "a control character for the direction of text is in this line",
          at: SourceRange(offset, offset + 3), hint: "remove it")
        break
      }
      offset += 1
    }
    let trailing = SourceRange(Int(line.significant.end), Int(line.comment.start))
    if let index = text[trailing].firstIndex(of: 0xa0) {
      report(
        lapse, "policy.control-byte",
        "the kernel takes the byte 0xa0 before the end of a line for a blank, and drops it",
        at: SourceRange(index, index + 1), hint: "remove it")
    }
    if line.hasComment, !line.significant.isEmpty, trailing.isEmpty {
      report(
        lapse, "policy.glued-comment", "`#` begins a comment even inside a word: the rest of this one is not read",
        at: line.comment, hint: "put a blank before #")
    }
    if line.terminator.count == 1, text[line.terminator].first == 0x0d {
      report(
        lapse, "policy.bare-cr",
        "a carriage return ends a line for the kernel, and hides what follows from many editors",
        at: line.terminator, hint: "end lines with a line feed")
    }
  }

  private func isBidiControl(at offset: Int) -> Bool {
    let bytes = text[SourceRange(offset, offset + 3)]
    guard bytes.count == 3, let last = bytes.last else { return false }
    let middle = bytes[bytes.startIndex + 1]
    return (middle == 0x80 && (0xaa...0xae).contains(last)) || (middle == 0x81 && (0xa6...0xa9).contains(last))
  }

  /// A NUL byte ends the policy for the kernel; what follows is signed, and never read.
  func checkEnd() {
    let end = document.syntax.end
    guard end < text.bytes.count else { return }
    report(
      lapse, "policy.nul", "a NUL byte ends the policy here; \(text.bytes.count - end - 1) bytes after it are not read",
      at: SourceRange(end, end + 1), hint: "remove it")
  }

  /// Names and versions that the kernel takes, and tools stumble over.
  func checkHeader() {
    guard let header = document.header else { return }
    let name = header.name
    if !isKernel, name.count > 255 || name == [0x2e] || name == [0x2e, 0x2e] || name.contains(0x2f) {
      // In the kernel's dialect this is an error of another layer, see KernelAnswer.
      report(
        lapse, "policy.name", "the name becomes a directory's: no slash, not `.` or `..`, at most 255 bytes",
        at: header.nameRange, hint: "choose another name")
    } else if String(validating: name, as: UTF8.self) == nil || name.contains(where: { $0 == 0x22 || $0 == 0x7f }) {
      report(
        lapse, "policy.name",
        "the name holds a quotation mark or bytes that are no UTF-8, which audit records do not survive",
        at: header.nameRange, hint: "choose another name")
    }
    if !text[header.versionRange].elementsEqual(header.version.description.utf8) {
      report(
        lapse, "policy.version-form", "the version is another way to write \(header.version)", at: header.versionRange,
        hint: "write \(header.version)")
    }
    if header.version == PolicyVersion(.max, .max, .max) {
      report(
        .warning, "policy.last-version", "no version can come after this one, so no update is possible",
        at: header.versionRange, hint: "choose a lower version")
    }
  }

  /// Rules that no fact can ever match: an ALLOW that is missing, or worse, a DENY that is.
  func checkMatches(_ statement: PolicyDocument.Statement) {
    var seen: [PropertyName: PolicyDocument.Property] = [:]
    for property in statement.properties {
      if let earlier = seen[property.name] {
        if earlier.value == property.value {
          report(
            .warning, "policy.duplicate-property", "`\(property.name.rawValue)` is asked for twice", at: property.range,
            hint: "remove one")
        } else if property.name.excludes(earlier.value, property.value) {
          report(
            lapse, "policy.contradiction",
            "nothing has both \(earlier.canonicalText) and \(property.canonicalText): this rule never matches",
            at: property.range, hint: "write two rules")
        }
      }
      seen[property.name] = property
      if property.name.isAboutPrograms, let operation = statement.operation, operation != .bpfProgLoad {
        report(
          lapse, "policy.never-matches", "`\(property.name.rawValue)` is known for op=BPF_PROG_LOAD only",
          at: property.range,
          hint: "this rule never matches op=\(operation.rawValue)")
      }
      if case .pattern(let pattern) = property.value, !pattern.hasPrefix("/"), !pattern.hasPrefix("*") {
        report(
          lapse, "policy.never-matches", "paths begin with `/`, so this pattern matches none", at: property.range,
          hint: "write /\(pattern)")
      }
    }
    if let keyring = seen[.bpfKeyring], let signature = seen[.bpfSignature],
      signature.value == .word("UNSIGNED") || signature.value == .word("NONE")
    {
      report(
        lapse, "policy.contradiction", "what is unsigned was found on no keyring: this rule never matches",
        at: keyring.range, hint: "remove one of the two")
    }
  }
}
