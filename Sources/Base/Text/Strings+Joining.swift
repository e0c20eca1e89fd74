extension [String] {
  /// The strings one after the other, with the separator between them: what `joined(separator:)` returns.
  ///
  /// The standard library's own is generic and is not specialised for strings in a binary like this one: its first
  /// call in a process searches every conformance of the program, a tenth of a millisecond on the way of every load.
  public func separated(by separator: String) -> String {
    var text = first ?? ""
    for string in dropFirst() {
      text += separator
      text += string
    }
    return text
  }
}
