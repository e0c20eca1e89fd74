public import KernelABI

/// What a CO-RE relocation is about, in words.
extension BTF {
  /// Names what a CO-RE record refers to: `task_struct.__state`, `bpf_iter_meta`, `BPF_ANY of enum flags`.
  ///
  /// - Parameters:
  ///   - typeID: the record's root type in this BTF.
  ///   - access: the record's access string, `0:1:2` (struct bpf_core_relo, include/uapi/linux/bpf.h): for a field
  ///     an array index and then members or array indexes; for an enumerator its number.
  ///   - kind: what the record asks.
  /// - Returns: nil when the record does not fit this BTF.
  public func subject(ofRelocation kind: CoreRelocationKind, typeID: UInt32, access: String) -> String? {
    relocated(kind: kind, typeID: typeID, access: access).subject
  }

  /// What a CO-RE record refers to, as ``subject(ofRelocation:typeID:access:)``, and the bytes of the field that its
  /// access string leads to, whatever the kind; nil where it has no size, or the record does not fit this BTF.
  package func relocated(kind: CoreRelocationKind, typeID: UInt32, access: String) -> (subject: String?, size: Int?) {
    guard let root = try? resolved(typeID) else { return (nil, nil) }
    let rootName = try? name(of: root)
    let title = rootName.map { $0.isEmpty ? "(type \(typeID))" : $0 }
    guard let parts = Self.numbers(access) else { return (kind.subject == .type ? title : nil, nil) }
    // The first number steps through an array of root types, as in C's `&s[0].field`.
    let index = parts.first ?? nil
    let start = index == 0 ? title : title.map { "\($0)[\(index ?? 0)]" }
    let field = field(from: root, title: start ?? "", parts.dropFirst())
    let size = field.flatMap { try? self.size(of: $0.type) }.map { Int($0) }
    switch kind.subject {
    case .type: return (title, size)
    case .enumerator:
      guard let index, let title, let found = try? enumerator(index, of: root) else { return (nil, size) }
      return ("\(found.name) of enum \(title)", size)
    case .field: return (index == nil || title == nil ? nil : field?.path, size)
    }
  }

  /// The numbers of an access string: nil for one that is no number of at most nine digits (no C type has as many
  /// members), and in place of all for too many.
  private static func numbers(_ access: String) -> [Int?]? {
    var numbers: [Int?] = []
    var number = 0
    var digits = 0
    for byte in access.utf8 {
      switch byte {
      case UInt8(ascii: ":"):
        numbers.append((1...9).contains(digits) ? number : nil)
        (number, digits) = (0, 0)
        guard numbers.count < 64 else { return nil }
      case UInt8(ascii: "0")...UInt8(ascii: "9") where digits < 9:
        number = number * 10 + Int(byte - UInt8(ascii: "0"))
        digits += 1
      default: digits = 10
      }
    }
    numbers.append((1...9).contains(digits) ? number : nil)
    return numbers
  }

  /// Walks down from a structure, by the numbers of members and array elements.
  private func field(from root: BTFType, title: String, _ parts: ArraySlice<Int?>) -> (path: String, type: UInt32)? {
    var path = title
    var current = root
    var type = root.id
    for part in parts {
      guard let part, part >= 0 else { return nil }
      switch current.kind {
      case .structure, .union:
        guard let member = try? member(part, of: current), let name = try? string(at: member.nameOffset),
          let next = try? resolved(member.type)
        else { return nil }
        // Members of anonymous structures and unions are named as if they were members of the one around them.
        if !name.isEmpty { path += ".\(name)" }
        type = member.type
        current = next
      case .array:
        guard let array = try? array(current), let next = try? resolved(array.element) else { return nil }
        path += "[\(part)]"
        type = array.element
        current = next
      case .void, .int, .pointer, .enumeration, .forward, .typedef, .volatile, .const, .restrict, .function,
        .functionPrototype, .variable, .dataSection, .float, .declarationTag, .typeTag, .enumeration64:
        return nil
      }
    }
    return (path, type)
  }
}
