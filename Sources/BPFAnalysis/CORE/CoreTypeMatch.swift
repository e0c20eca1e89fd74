public import BPFObject
internal import KernelABI

/// Whether a kernel's type is what an object's looks like: `bpf_core_type_matches` and `bpf_core_type_exists`.
///
/// After relo_core.c, __bpf_core_types_match and __bpf_core_types_are_compat, as deep as libbpf goes. What was compared is
/// not compared again: types that are built of each other would take as long as there are ways through them.
struct CoreTypeMatch {
  private struct Pair: Hashable {
    let local: UInt32
    let target: UInt32
    let isBehindPointer: Bool
  }

  private static let depth = 32

  private let object: BTF
  private let kernel: BTF
  private var matched: [Pair: Bool] = [:]
  private var compatible: [Pair: Bool] = [:]

  init(object: BTF, kernel: BTF) {
    self.object = object
    self.kernel = kernel
  }

  /// Whether the types match. Their names were compared.
  mutating func matches(_ local: UInt32, _ target: UInt32) -> Bool {
    matches(Pair(local: local, target: target, isBehindPointer: false), level: Self.depth)
  }

  /// Whether the types are of kinds that stand for each other.
  mutating func areCompatible(_ local: UInt32, _ target: UInt32) -> Bool {
    areCompatible(Pair(local: local, target: target, isBehindPointer: false), level: Self.depth)
  }

  // MARK: - Matching

  private mutating func matches(_ pair: Pair, level: Int) -> Bool {
    guard level > 0 else { return false }
    if let known = matched[pair] { return known }
    let answer = compare(pair, level: level)
    matched[pair] = answer
    return answer
  }

  private mutating func compare(_ pair: Pair, level: Int) -> Bool {
    var (localID, targetID, isBehindPointer) = (pair.local, pair.target, pair.isBehindPointer)
    for _ in 0..<Self.depth {
      guard let local = try? object.resolved(localID), let target = try? kernel.resolved(targetID),
        haveSameName(local.nameOffset, target.nameOffset)
      else { return false }
      switch local.kind {
      case .void: return target.kind == .void
      case .forward:
        if local.kind == target.kind { return local.flag == target.flag }
        // The flag of a forward declaration says that it is a union's.
        return isBehindPointer && target.kind == (local.flag ? .union : .structure)
      case .enumeration, .enumeration64:
        return target.kind.isEnumeration && hasAllEnumerators(local, target)
      case .structure, .union:
        if isBehindPointer {
          return local.kind == target.kind || target.kind == .forward && target.flag == (local.kind == .union)
        }
        return local.kind == target.kind && hasAllMembers(local, target, isBehindPointer, level)
      case .int:
        guard target.kind == .int, local.sizeOrType == target.sizeOrType else { return false }
        return isSigned(local, object) == isSigned(target, kernel)
      case .pointer:
        guard target.kind == .pointer else { return false }
        isBehindPointer = true
        (localID, targetID) = (local.sizeOrType, target.sizeOrType)
      case .array:
        guard target.kind == .array, let own = try? object.array(local), let theirs = try? kernel.array(target),
          own.count == theirs.count
        else { return false }
        (localID, targetID) = (own.element, theirs.element)
      case .functionPrototype:
        guard target.kind == .functionPrototype, local.vlen == target.vlen else { return false }
        for index in 0..<local.vlen {
          guard let own = object.parameter(index, of: local), let theirs = kernel.parameter(index, of: target),
            matches(Pair(local: own, target: theirs, isBehindPointer: isBehindPointer), level: level - 1)
          else { return false }
        }
        (localID, targetID) = (local.sizeOrType, target.sizeOrType)
      case .typedef, .volatile, .const, .restrict, .function, .variable, .dataSection, .float, .declarationTag,
        .typeTag:
        return false
      }
    }
    return false
  }

  private mutating func hasAllMembers(
    _ local: BTFType, _ target: BTFType, _ isBehindPointer: Bool, _ level: Int
  ) -> Bool {
    guard local.vlen <= target.vlen, let own = try? object.members(of: local),
      let theirs = try? kernel.members(of: target)
    else { return false }
    let byName = Dictionary(grouping: theirs) { CoreNames.essential((try? kernel.string(at: $0.nameOffset)) ?? "") }
    for member in own {
      let name = CoreNames.essential((try? object.string(at: member.nameOffset)) ?? "")
      var isThere = false
      for candidate in byName[name] ?? [] where !isThere {
        isThere = matches(
          Pair(local: member.type, target: candidate.type, isBehindPointer: isBehindPointer), level: level - 1)
      }
      guard isThere else { return false }
    }
    return true
  }

  private func hasAllEnumerators(_ local: BTFType, _ target: BTFType) -> Bool {
    guard local.vlen <= target.vlen else { return false }
    let theirs = Set(
      (0..<target.vlen).compactMap { (try? kernel.enumerator($0, of: target)).flatMap { $0 }?.name }
        .map(CoreNames.essential))
    return (0..<local.vlen).allSatisfy { index in
      guard let own = (try? object.enumerator(index, of: local)).flatMap({ $0 }) else { return false }
      return theirs.contains(CoreNames.essential(own.name))
    }
  }

  private func haveSameName(_ local: UInt32, _ target: UInt32) -> Bool {
    guard let own = try? object.string(at: local), let theirs = try? kernel.string(at: target) else { return false }
    return CoreNames.essential(own) == CoreNames.essential(theirs)
  }

  private func isSigned(_ type: BTFType, _ btf: BTF) -> Bool { btf.isSigned(type) }

  // MARK: - Compatible kinds

  private mutating func areCompatible(_ pair: Pair, level: Int) -> Bool {
    guard level > 0 else { return false }
    if let known = compatible[pair] { return known }
    let answer = compareKinds(pair, level: level)
    compatible[pair] = answer
    return answer
  }

  private mutating func compareKinds(_ pair: Pair, level: Int) -> Bool {
    var (localID, targetID) = (pair.local, pair.target)
    for _ in 0..<Self.depth {
      guard let local = try? object.resolved(localID), let target = try? kernel.resolved(targetID),
        local.kind == target.kind || local.kind.isEnumeration && target.kind.isEnumeration
      else { return false }
      switch local.kind {
      case .void, .structure, .union, .enumeration, .enumeration64, .forward, .int: return true
      case .pointer: (localID, targetID) = (local.sizeOrType, target.sizeOrType)
      case .array:
        guard let own = try? object.array(local), let theirs = try? kernel.array(target) else { return false }
        (localID, targetID) = (own.element, theirs.element)
      case .functionPrototype:
        guard local.vlen == target.vlen else { return false }
        for index in 0..<local.vlen {
          guard let own = object.parameter(index, of: local), let theirs = kernel.parameter(index, of: target),
            areCompatible(Pair(local: own, target: theirs, isBehindPointer: false), level: level - 1)
          else { return false }
        }
        (localID, targetID) = (local.sizeOrType, target.sizeOrType)
      case .typedef, .volatile, .const, .restrict, .function, .variable, .dataSection, .float, .declarationTag,
        .typeTag:
        return false
      }
    }
    return false
  }
}

/// Names without their flavours.
enum CoreNames {
  /// `rw_semaphore` of `rw_semaphore___new`.
  static func essential(_ name: String) -> String { StructOpsMaps.withoutFlavour(name) }
}

extension BTFKind {
  var isEnumeration: Bool { self == .enumeration || self == .enumeration64 }
}

/// The answers to CO-RE records that a kernel does not give itself (``BPFObject/CoreLimit``).
public struct CoreAnswers {
  private let match: CoreMatch

  /// - Parameters:
  ///   - object: ``LinkedObject/btf``, read.
  ///   - kernel: the running kernel's types.
  public init(object: BTF, kernel: BTF) { match = CoreMatch(object: object, kernel: kernel) }

  /// Whether the kernel has what the record asks about; nil where it has no type of that name, so that one of its modules
  /// may have it. A type without a name is none of the kernel's.
  public func answer(_ record: AnsweredRecord) throws(BPFObjectError) -> Bool? {
    let root = try match.object.type(record.type)
    guard try !match.object.name(of: root).isEmpty else { return false }
    guard try match.hasCandidate(root: record.type) else { return nil }
    return try match.exists(kind: record.kind, root: record.type, access: record.access)
  }
}
