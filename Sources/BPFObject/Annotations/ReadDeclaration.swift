/// The kernel memory that one program reads and nothing else, as the author of an object says (VERITY_BPF_READS of
/// include/verity_bpf.h): fields of kernel structures, by name.
public struct ReadDeclaration: Equatable, Sendable {
  /// Fields of one structure or union.
  public struct Area: Equatable, Sendable {
    /// The structure's tag.
    public let type: String
    /// Paths of members from it: `pid`, `se.exec_start`. A member stands for everything inside it.
    public let fields: [String]
  }

  /// The program's name.
  public let program: String
  /// None when it says that the program reads no kernel memory at all.
  public let areas: [Area]

  /// The word that stands where other annotations have their lockdown mode.
  static let keyword = "reads:"
  /// Fields that one declaration may name; the kernel takes fewer records in one program that a compiler makes.
  private static let limit = 1024

  /// Whether a field is declared, by the name of a CO-RE record: `task_struct.comm[0]`.
  public func covers(_ subject: String) -> Bool {
    let path = subject.split(separator: ".", omittingEmptySubsequences: false)
    // An index before the first member, `task_struct[1].pid`, leads beside the structure and is part of no declared name.
    guard let root = path.first, path.count > 1 else { return false }
    let type = StructOpsMaps.withoutFlavour(String(root))
    let members = path.dropFirst().map(Self.withoutIndexes)
    return areas.contains { area in
      area.type == type && area.fields.contains { members.starts(with: $0.split(separator: ".").map(String.init)) }
    }
  }

  /// `comm[3]` as `comm`.
  private static func withoutIndexes(_ part: Substring) -> String {
    part.hasSuffix("]") ? String(part.prefix { $0 != "[" }) : String(part)
  }

  /// Reads what follows the program's name: `reads: struct task_struct: pid, comm; struct file: f_inode`.
  static func parse(program: String, _ text: Substring) throws(BPFObjectError) -> ReadDeclaration {
    let list = text.trimmed
    if list == "nothing" { return ReadDeclaration(program: program, areas: []) }
    var areas: [Area] = []
    var count = 0
    for part in list.split(separator: ";", omittingEmptySubsequences: false) {
      let halves = part.split(separator: ":", omittingEmptySubsequences: false)
      let title = halves.first.map { $0.split(separator: " ") } ?? []
      guard halves.count == 2, title.count == 2, isName(title[1]) else { throw malformed(part.trimmed) }
      guard title[0] == "struct" || title[0] == "union" else {
        throw BPFObjectError(
          .annotationWord, "a declaration of reads has a word that nobody knows", expected: "struct or union",
          found: "`\(title[0])`", why: "a word that is passed over could be the one that matters")
      }
      let fields = halves[1].split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
      for field in fields {
        guard field.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isName) else {
          throw malformed(field)
        }
      }
      count += fields.count
      guard count <= limit else { throw malformed("more than \(limit) fields") }
      areas.append(Area(type: String(title[1]), fields: fields.map(String.init)))
    }
    return ReadDeclaration(program: program, areas: areas)
  }

  private static func isName(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return text.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || $0 == 0x5f
    }
  }

  private static func malformed(_ found: some StringProtocol) -> BPFObjectError {
    BPFObjectError(
      .annotationReads, "a declaration of reads cannot be understood",
      expected: "`nothing`, or `struct NAME: FIELD, FIELD; struct NAME: FIELD`", found: "`\(found)`",
      next: "write it with VERITY_BPF_READS of verity_bpf.h")
  }
}

extension Substring {
  /// Without blanks at both ends.
  fileprivate var trimmed: Substring {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return text
  }
}
