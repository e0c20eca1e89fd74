/// What a CO-RE relocation is about, in words.
extension BTF {
  /// Names what a CO-RE record refers to: `task_struct.__state`, `bpf_iter_meta`, `BPF_ANY of enum flags`.
  ///
  /// - Parameters:
  ///   - typeID: the record's root type in this BTF.
  ///   - access: the record's access string, `0:1:2` (struct bpf_core_relo, include/uapi/linux/bpf.h): for a field
  ///     an array index and then members or array indexes; for an enumerator its number.
  ///   - kind: `enum bpf_core_relo_kind`; 6 to 9 and 12 are about types, 10 and 11 about enumerators, others about fields.
  /// - Returns: nil when the record does not fit this BTF.
  public func subject(ofRelocation kind: UInt32, typeID: UInt32, access: String) -> String? {
    guard let root = try? resolved(typeID), let rootName = try? name(of: root) else { return nil }
    let title = rootName.isEmpty ? "(type \(typeID))" : rootName
    switch kind {
    case 6...9, 12: return title
    default: break
    }
    let parts = access.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard let first = parts.first, let index = first, parts.count <= 64 else { return nil }
    if kind == 10 || kind == 11 {
      guard let found = try? enumerator(index, of: root) else { return nil }
      return "\(found.name) of enum \(title)"
    }
    // The first number steps through an array of root types, as in C's `&s[0].field`.
    return field(from: root, title: index == 0 ? title : "\(title)[\(index)]", parts.dropFirst())?.path
  }

  /// Bytes of the field that a CO-RE record refers to; nil when it has no size, or the record does not fit this BTF.
  func fieldSize(typeID: UInt32, access: String) -> Int? {
    let parts = access.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count <= 64, let root = try? resolved(typeID),
      let type = field(from: root, title: "", parts.dropFirst())?.type, let size = try? size(of: type)
    else { return nil }
    return Int(size)
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
        guard let members = try? members(of: current), part < members.count,
          let name = try? string(at: members[part].nameOffset), let next = try? resolved(members[part].type)
        else { return nil }
        // Members of anonymous structures and unions are named as if they were members of the one around them.
        if !name.isEmpty { path += ".\(name)" }
        type = members[part].type
        current = next
      case .array:
        guard let array = try? array(current), let next = try? resolved(array.element) else { return nil }
        path += "[\(part)]"
        type = array.element
        current = next
      default: return nil
      }
    }
    return (path, type)
  }
}
