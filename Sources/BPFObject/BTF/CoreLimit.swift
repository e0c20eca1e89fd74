internal import KernelABI

/// What libbpf does with a CO-RE record and the kernel's own relocating does not: it refuses the whole program.
///
/// Both are built from one source (tools/lib/bpf/relo_core.c) and differ in what surrounds it (kernel/bpf/btf.c).
public enum CoreLimit: String, Equatable, Sendable, CaseIterable {
  /// Types are compared with types in them, and these again: the kernel goes two levels deep (MAX_TYPES_MATCH_DEPTH,
  /// MAX_TYPES_ARE_COMPAT_DEPTH), libbpf 32. A structure's members and a prototype's parameters are a level; behind a
  /// pointer structures are not looked into.
  case depth
  /// The type has no name, so there is none of that name: to libbpf an answer, to the kernel an error
  /// (bpf_core_find_cands).
  case nameless
}

/// Finds the records that the kernel does not follow, by the object's types alone.
package struct CoreLimitSearch {
  private struct Question: Hashable {
    let type: UInt32
    let level: Int
    let isBehindPointer: Bool
    let looksIntoStructures: Bool
  }

  private static let kernelDepth = 2

  let btf: BTF
  private var answers: [Question: Bool] = [:]

  package init(_ btf: BTF) { self.btf = btf }

  /// The limit that a record is beyond. A kernel that has no type of that name, or one that differs before the last level,
  /// answers all the same.
  mutating func limit(of kind: CoreRelocationKind, type: UInt32) -> CoreLimit? {
    guard kind != .localTypeID, let root = try? btf.type(type) else { return nil }
    if let name = try? btf.name(of: root), name.isEmpty { return .nameless }
    guard kind.subject == .type else { return nil }
    let question = Question(
      type: type, level: Self.kernelDepth, isBehindPointer: false, looksIntoStructures: kind == .typeMatches)
    return goesDeeper(question) ? .depth : nil
  }

  /// Whether comparing a type needs more levels than are left. It nests as deep as these, and no deeper.
  private mutating func goesDeeper(_ question: Question) -> Bool {
    if let known = answers[question] { return known }
    // For a type that leads back to itself.
    answers[question] = false
    let answer = walk(question)
    answers[question] = answer
    return answer
  }

  private mutating func walk(_ question: Question) -> Bool {
    guard question.level > 0 else { return true }
    var id = question.type
    var isBehindPointer = question.isBehindPointer
    for _ in 0..<Limits.typeDepth {
      guard let type = try? btf.resolved(id) else { return false }
      switch type.kind {
      case .pointer:
        isBehindPointer = true
        id = type.sizeOrType
      case .array:
        guard let array = try? btf.array(type) else { return false }
        id = array.element
      case .structure, .union:
        guard question.looksIntoStructures, !isBehindPointer else { return false }
        for member in (try? btf.members(of: type)) ?? []
        where goesDeeper(below(question, member.type, isBehindPointer)) { return true }
        return false
      case .functionPrototype:
        for index in 0..<type.vlen {
          guard let parameter = try? btf.part.u32(at: type.offset + 12 + index * 8 + 4) else { return false }
          // Of parameters' types the compatible ones are refused a level earlier (level <= 1).
          if !question.looksIntoStructures, question.level <= 1 { return true }
          if goesDeeper(below(question, parameter, isBehindPointer)) { return true }
        }
        id = type.sizeOrType
      case .void, .int, .enumeration, .forward, .typedef, .volatile, .const, .restrict, .function, .variable,
        .dataSection, .float, .declarationTag, .typeTag, .enumeration64:
        return false
      }
    }
    return false
  }

  private func below(_ question: Question, _ type: UInt32, _ isBehindPointer: Bool) -> Question {
    Question(
      type: type, level: question.level - 1, isBehindPointer: isBehindPointer,
      looksIntoStructures: question.looksIntoStructures)
  }
}
