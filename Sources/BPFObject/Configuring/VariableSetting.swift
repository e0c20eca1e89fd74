/// A constant of an object that gets another value before it is loaded, as libbpf's skeletons set `.rodata`.
public struct VariableSetting: Equatable, Sendable {
  /// A variable, or a part of one: `targ_pid`, `filter.port`, `ports[2]`.
  public let place: String
  /// The value as it was written: `0x1f`, `true`, `[1,2]`, `eth0`.
  public let value: String

  /// Reads `VARIABLE=VALUE`; nil when it is nothing of that form.
  public init?(_ text: String) {
    guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { return nil }
    self.init(place: String(text[..<equals]), value: String(text[text.utf8.index(after: equals)...]))
  }

  /// Gives a place a value; nil where the place cannot be one.
  public init?(place: String, value: String) {
    guard VariablePath(place) != nil else { return nil }
    self.place = place
    self.value = value
  }
}

/// What a setting has changed.
public struct SetVariable: Equatable, Sendable {
  /// As ``VariableSetting/place``.
  public let place: String
  /// The type of the place as C writes it: `unsigned int`, `char[16]`.
  public let type: String
  /// As ``VariableSetting/value``.
  public let value: String
  /// The name of the map that holds it.
  public let map: String
}

/// The way to a variable or a part of one, as C writes it: `NAME`, then `.MEMBER` and `[INDEX]` in any order.
struct VariablePath: Equatable {
  enum Step: Equatable {
    case member(String)
    case element(UInt32)
  }

  let variable: String
  let steps: [Step]

  init?(_ text: String) {
    var rest = Array(text.utf8)[...]
    guard let variable = Self.takeName(&rest) else { return nil }
    var steps: [Step] = []
    while let next = rest.popFirst() {
      switch next {
      case UInt8(ascii: "."):
        guard let name = Self.takeName(&rest) else { return nil }
        steps.append(.member(name))
      case UInt8(ascii: "["):
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest = rest.dropFirst(digits.count)
        guard let index = UInt32(String(decoding: digits, as: UTF8.self)), rest.popFirst() == UInt8(ascii: "]") else {
          return nil
        }
        steps.append(.element(index))
      default: return nil
      }
    }
    self.variable = variable
    self.steps = steps
  }

  private static func takeName(_ rest: inout ArraySlice<UInt8>) -> String? {
    let name = rest.prefix { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
        true
      default: false
      }
    }
    guard let first = name.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
    rest = rest.dropFirst(name.count)
    return String(decoding: name, as: UTF8.self)
  }
}
