public import BPFObject
internal import Base
public import KernelABI

/// What a kernel has that comes near to what a CO-RE relocation asks for in vain.
extension BTF {
  /// Names of the kernel that may be meant, best first: `task_struct.state` for a `task_struct.__state` that is not
  /// there. None where nothing comes near, or where the record does not fit this BTF.
  ///
  /// - Parameters:
  ///   - kind: what the record asks, as in ``subject(ofRelocation:typeID:access:)``.
  ///   - typeID: the record's root type in this BTF.
  ///   - access: the record's access string.
  ///   - kernel: the running kernel's types.
  public func candidates(
    ofRelocation kind: CoreRelocationKind, typeID: UInt32, access: String, in kernel: BTF, count: Int = 3
  ) -> [String] {
    guard let root = try? resolved(typeID), let name = try? name(of: root) else { return [] }
    let plain = StructOpsMaps.withoutFlavour(name)
    let homes = kernel.typeIDs(named: plain, kind: root.kind).compactMap { try? kernel.resolved($0) }
    guard let home = homes.first else {
      let names = kernel.types.filter { $0.kind == root.kind && $0.nameOffset != 0 }
        .compactMap { try? kernel.name(of: $0) }
      return Self.nearest(to: plain, among: names, count)
    }
    let indexes = access.split(separator: ":").compactMap { Int($0) }
    switch kind.subject {
    case .type: return []
    case .enumerator:
      guard let first = indexes.first, let wanted = try? enumerator(first, of: root) else { return [] }
      let names = (0..<home.vlen).compactMap { try? kernel.enumerator($0, of: home)?.name }
      return Self.nearest(to: StructOpsMaps.withoutFlavour(wanted.name), among: names, count)
    case .field: return fieldCandidates(indexes.dropFirst(), root, kernel, home, title: plain, count)
    }
  }

  /// Follows the path in both, up to the member that the kernel's structure does not have.
  private func fieldCandidates(
    _ indexes: ArraySlice<Int>, _ root: BTFType, _ kernel: BTF, _ home: BTFType, title: String, _ count: Int
  ) -> [String] {
    var (own, theirs, path) = (root, home, title)
    for index in indexes {
      switch own.kind {
      case .structure, .union:
        guard let members = try? members(of: own), index >= 0, index < members.count,
          let name = try? string(at: members[index].nameOffset), let next = try? resolved(members[index].type)
        else { return [] }
        own = next
        if name.isEmpty { continue }
        let there = kernel.namedMembers(of: theirs)
        guard let found = there.first(where: { $0.name == name }), let type = try? kernel.resolved(found.type) else {
          return Self.nearest(to: name, among: there.map(\.name), count).map { "\(path).\($0)" }
        }
        path += ".\(name)"
        theirs = type
      case .array:
        guard let ownArray = try? array(own), let next = try? resolved(ownArray.element), theirs.kind == .array,
          let array = try? kernel.array(theirs), let type = try? kernel.resolved(array.element)
        else { return [] }
        own = next
        theirs = type
      case .void, .int, .pointer, .enumeration, .forward, .typedef, .volatile, .const, .restrict, .function,
        .functionPrototype, .variable, .dataSection, .float, .declarationTag, .typeTag, .enumeration64:
        return []
      }
    }
    return []
  }

  /// The members with names, those of anonymous structures and unions among them.
  private func namedMembers(of type: BTFType) -> [(name: String, type: UInt32)] {
    var found: [(name: String, type: UInt32)] = []
    var waiting = [(type: type, depth: 0)]
    while let next = waiting.popLast() {
      for member in (try? members(of: next.type)) ?? [] {
        if let name = try? string(at: member.nameOffset), !name.isEmpty {
          found.append((name, member.type))
        } else if next.depth < Limits.typeDepth, let inner = try? resolved(member.type),
          inner.kind == .structure || inner.kind == .union
        {
          waiting.append((inner, next.depth + 1))
        }
      }
    }
    return found
  }

  /// The names that need the fewest changes, at most half as many as the name has letters.
  private static func nearest(to name: String, among names: [String], _ count: Int) -> [String] {
    let wanted = Array(name.utf8.prefix(128))
    let limit = max(1, wanted.count / 2)
    return Set(names).filter { abs($0.utf8.count - wanted.count) <= limit }
      .map { (distance: EditDistance.between(wanted, $0.utf8), name: $0) }
      .filter { $0.distance > 0 && $0.distance <= limit }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .prefix(count).map(\.name)
  }
}
