/// Text for people in lines of at most 80 columns.
enum TextLayout {
  static let width = 80

  /// The text, filled up with blanks.
  static func pad(_ text: String, _ count: Int) -> String {
    text + String(repeating: " ", count: max(0, count - text.count))
  }

  /// Breaks a text at blanks; a word that is longer than a line stands alone.
  ///
  /// - Parameters:
  ///   - first: what the first line begins with.
  ///   - rest: by how much the other lines are indented.
  static func wrap(_ text: String, first: String, rest: Int) -> [String] {
    let indentation = String(repeating: " ", count: rest)
    // Blanks in front say that the line belongs to the one above.
    let own = String(text.prefix { $0 == " " })
    var lines: [String] = []
    var line = first + own
    var isEmpty = true
    for word in text.split(separator: " ") {
      if !isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = indentation + own
        isEmpty = true
      }
      line += isEmpty ? String(word) : " \(word)"
      isEmpty = false
    }
    return lines + [line]
  }
}
