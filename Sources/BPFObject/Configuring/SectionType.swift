internal import KernelABI

/// What the programs of a section are whose name does not say it, or what they attach to in place of what it says.
public struct SectionType: Equatable, Sendable {
  /// The section's name, without the `?` of optional programs.
  public let section: String
  /// The name of libbpf's that says it: `socket`, `cgroup_skb/ingress`, `fentry/do_unlinkat`.
  public let type: String
  let kind: ProgramKind

  /// Reads `SECTION=TYPE`; nil when it is nothing of that form, or the type is not known here.
  public init?(_ text: String) {
    guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { return nil }
    self.init(section: String(text[..<equals]), type: String(text[text.utf8.index(after: equals)...]))
  }

  /// States a section's type; nil when the type is not known here.
  public init?(section: String, type: String) {
    guard let first = section.utf8.first, first != UInt8(ascii: "?"), let kind = try? ProgramKind(section: type),
      !kind.isOptional
    else { return nil }
    self.section = section
    self.type = type
    self.kind = kind
  }
}

extension SectionType {
  /// The first section that is there twice; nil where none is.
  public static func givenTwice(_ types: [SectionType]) -> String? {
    var seen: Set<String> = []
    return types.map(\.section).first { !seen.insert($0).inserted }
  }

  /// The section names of libbpf that come near one that is not known here, best first.
  public static func near(_ section: String) -> [String] { ProgramKind.candidates(for: section) }
}

extension LinkedObject {
  /// The sections whose names say nothing of their programs' type, each once, in the object's order.
  public var sectionsWithoutType: [String] {
    var seen: Set<String> = []
    return programs.filter { $0.kind.type == .unspec && seen.insert($0.section).inserted }.map(\.section)
  }

  /// Says what the programs of sections are. A type that a section's own name says stays; where the kernel's types name what such
  /// programs attach to, that may be another, as by libbpf's bpf_program__set_attach_target.
  ///
  /// - Throws: ``BPFObjectError`` with the check `noSuchSection` or `sectionHasType`.
  public mutating func take(_ types: [SectionType]) throws(BPFObjectError) {
    guard !types.isEmpty else { return }
    let sections = sectionsWithoutType
    let kindsNow = Dictionary(programs.map { ($0.section, $0.kind) }, uniquingKeysWith: { first, _ in first })
    var kinds: [String: ProgramKind] = [:]
    for type in types {
      guard let now = kindsNow[type.section], now.type == .unspec || now.differsInTargetAlone(from: type.kind),
        kinds.updateValue(type.kind, forKey: type.section) == nil
      else { throw refusal(of: type.section, open: sections) }
    }
    for index in programs.indices {
      guard let kind = kinds[programs[index].section] else { continue }
      let isOptional = programs[index].kind.isOptional
      programs[index].kind = kind
      programs[index].kind.isOptional = isOptional
    }
  }

  /// Why a section is given no type.
  private func refusal(of section: String, open: [String]) -> BPFObjectError {
    guard let program = programs.first(where: { $0.section == section }) else {
      return BPFObjectError(
        .noSuchSection, "the object has no programs in a section `\(section)`",
        expected: "a section whose name says no type",
        found: open.isEmpty ? "no such section" : open.map { "`\($0)`" }.joined(separator: ", "),
        next: "name one of these, or leave it out")
    }
    return BPFObjectError(
      .sectionHasType, "the programs of section `\(section)` have a type already",
      expected: program.kind.attachTarget == nil
        ? "a section whose name says no type" : "the same type, with another place to attach to",
      found: program.kind.type.name,
      why: "what is said already is covered by the object's proof or signature, and stays",
      next: "leave --section-type out for it")
  }

  /// Refuses an object with a program that no kernel is given: one that could not be linked, or whose type is unknown. Optional
  /// programs, and those that were left out, are none of them.
  public func requireLoadable() throws(BPFObjectError) {
    for program in programs where !program.kind.isOptional {
      if let error = program.linkError { throw error.about(program: program.name, of: programs.count) }
      guard program.kind.type != .unspec else { throw ProgramKind.unknown(program.section) }
    }
  }
}

extension ProgramKind {
  /// Whether another kind is the same, but for the type or function of the kernel that its programs attach to.
  fileprivate func differsInTargetAlone(from other: ProgramKind) -> Bool {
    attachTarget != nil && other.attachTarget != nil && type == other.type && flags == other.flags
      && expectedAttachType == other.expectedAttachType
  }
}
