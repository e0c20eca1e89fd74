/// A pattern over paths: `*` stands for any bytes but `/`, `?` for one byte but `/`, `**` for any bytes at all.
///
/// Everything else stands for itself; there is no escape and no class, so a pattern says what it looks like.
struct PathPattern: Sendable {
  enum Step: Sendable, Equatable {
    case byte(UInt8)
    case one
    case many
    case all
  }

  let steps: [Step]
  /// The only path that it can match; nil when there are several.
  private let only: String?

  /// Whether a pattern matches one path and no other.
  static func isLiteral(_ pattern: String) -> Bool {
    !pattern.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
  }

  init(_ pattern: String) {
    only = Self.isLiteral(pattern) ? pattern : nil
    var steps: [Step] = []
    for byte in pattern.utf8 {
      switch byte {
      case UInt8(ascii: "*"):
        // Two or more in a row cross slashes.
        if steps.last == .many || steps.last == .all {
          steps[steps.count - 1] = .all
        } else {
          steps.append(.many)
        }
      case UInt8(ascii: "?"): steps.append(.one)
      default: steps.append(.byte(byte))
      }
    }
    self.steps = steps
  }

  /// Whether the whole path matches. Takes at most path × pattern steps: all ways through are walked side by side.
  func matches(_ path: String) -> Bool {
    if let only { return only.utf8.elementsEqual(path.utf8) }
    var states = [Bool](repeating: false, count: steps.count + 1)
    states[0] = true
    close(&states)
    for byte in path.utf8 {
      var next = [Bool](repeating: false, count: steps.count + 1)
      for (index, step) in steps.enumerated() where states[index] {
        switch step {
        case .byte(let wanted): if byte == wanted { next[index + 1] = true }
        case .one: if byte != UInt8(ascii: "/") { next[index + 1] = true }
        case .many: if byte != UInt8(ascii: "/") { next[index] = true }
        case .all: next[index] = true
        }
      }
      close(&next)
      states = next
    }
    return states[steps.count]
  }

  /// A path that the pattern may match, with the same text for each star. It begins with a slash.
  func path(filling: String) -> String {
    var bytes: [UInt8] = []
    for step in steps {
      switch step {
      case .byte(let byte): bytes.append(byte)
      case .one: bytes.append(UInt8(ascii: "q"))
      case .many, .all: bytes += filling.utf8
      }
    }
    let path = String(decoding: bytes, as: UTF8.self)
    return path.hasPrefix("/") ? path : "/" + path
  }

  /// Stars may stand for nothing.
  private func close(_ states: inout [Bool]) {
    for (index, step) in steps.enumerated() where states[index] && (step == .many || step == .all) {
      states[index + 1] = true
    }
  }
}
