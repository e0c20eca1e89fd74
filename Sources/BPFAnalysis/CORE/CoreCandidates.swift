public import BPFObject
internal import Base
public import KernelABI

/// What a kernel has of what a CO-RE relocation asks for in vain.
public enum CoreNearMiss: Equatable, Sendable {
  /// It has nothing of that name: names that may be meant, best first. `task_struct.state` for a `task_struct.__state`;
  /// none where nothing comes near, or where the record does not fit the object's types.
  case names([String])
  /// It has a field of that name, and of a kind that relocation does not take for the object's (relo_core.c,
  /// bpf_core_fields_are_compat).
  case otherKind(field: String, wanted: BTFKind, found: BTFKind)
}

extension BTF {
  /// What comes near to what a record asks for.
  ///
  /// - Parameters:
  ///   - kind: what the record asks, as in ``subject(ofRelocation:typeID:access:)``.
  ///   - typeID: the record's root type in this BTF.
  ///   - access: the record's access string.
  ///   - kernel: the running kernel's types.
  public func nearMiss(
    ofRelocation kind: CoreRelocationKind, typeID: UInt32, access: String, in kernel: BTF, count: Int = 3
  ) -> CoreNearMiss {
    guard let root = try? resolved(typeID), let name = try? name(of: root) else { return .names([]) }
    let plain = StructOpsMaps.withoutFlavour(name)
    let homes = kernel.typeIDs(named: plain, kind: root.kind).compactMap { try? kernel.resolved($0) }
    guard let home = homes.first else {
      let names = kernel.types.filter { $0.kind == root.kind && $0.nameOffset != 0 }
        .compactMap { try? kernel.name(of: $0) }
      return .names(Self.nearest(to: plain, among: names, count))
    }
    let indexes = access.split(separator: ":").compactMap { Int($0) }
    switch kind.subject {
    case .type: return .names([])
    case .enumerator:
      guard let first = indexes.first, let wanted = try? enumerator(first, of: root) else { return .names([]) }
      let names = (0..<home.vlen).compactMap { try? kernel.enumerator($0, of: home)?.name }
      return .names(Self.nearest(to: StructOpsMaps.withoutFlavour(wanted.name), among: names, count))
    case .field: return fieldNearMiss(indexes.dropFirst(), root, kernel, home, title: plain, count)
    }
  }

  /// Follows the path in both, up to the member that the kernel's structure does not have, or has as something else.
  private func fieldNearMiss(
    _ indexes: ArraySlice<Int>, _ root: BTFType, _ kernel: BTF, _ home: BTFType, title: String, _ count: Int
  ) -> CoreNearMiss {
    var (own, theirs, path) = (root, home, title)
    for index in indexes {
      switch own.kind {
      case .structure, .union:
        guard let members = try? members(of: own), index >= 0, index < members.count,
          let name = try? string(at: members[index].nameOffset), let next = try? resolved(members[index].type)
        else { return .names([]) }
        own = next
        if name.isEmpty { continue }
        let there = kernel.namedMembers(of: theirs)
        guard let found = there.first(where: { $0.name == name }), let type = try? kernel.resolved(found.type) else {
          return .names(Self.nearest(to: name, among: there.map(\.name), count).map { "\(path).\($0)" })
        }
        path += ".\(name)"
        theirs = type
        guard Self.areAlike(own.kind, theirs.kind) else {
          return .otherKind(field: path, wanted: own.kind, found: theirs.kind)
        }
      case .array:
        guard let ownArray = try? array(own), let next = try? resolved(ownArray.element), theirs.kind == .array,
          let array = try? kernel.array(theirs), let type = try? kernel.resolved(array.element)
        else { return .names([]) }
        own = next
        theirs = type
      case .void, .int, .pointer, .enumeration, .forward, .typedef, .volatile, .const, .restrict, .function,
        .functionPrototype, .variable, .dataSection, .float, .declarationTag, .typeTag, .enumeration64:
        return .names([])
      }
    }
    return .names([])
  }

  /// Whether relocation takes fields of these kinds for each other.
  private static func areAlike(_ one: BTFKind, _ other: BTFKind) -> Bool {
    let structures: Set<BTFKind> = [.structure, .union]
    let enumerations: Set<BTFKind> = [.enumeration, .enumeration64]
    return one == other || structures.isSuperset(of: [one, other]) || enumerations.isSuperset(of: [one, other])
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
