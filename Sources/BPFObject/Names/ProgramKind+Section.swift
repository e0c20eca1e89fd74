internal import Base
internal import KernelABI

extension ProgramKind {
  /// Reads what a section's name says, by libbpf's table.
  ///
  /// - Parameter section: the name with its `?`, if it has one.
  /// - Throws: ``BPFObjectError`` with the check `unknownSectionName`, and the names that come near.
  package init(section: String) throws(BPFObjectError) {
    var name = Substring(section)
    let isOptional = name.utf8.first == UInt8(ascii: "?")
    if isOptional { name = name.dropFirst() }
    guard let rule = Self.rule(for: name) else { throw Self.unknown(section) }
    self.init(type: rule.type)
    self.isOptional = isOptional
    expectedAttachType = rule.attachType
    if rule.options.contains(.sleepable) { flags |= ProgramFlag.sleepable.rawValue }
    if rule.options.contains(.fragments) { flags |= ProgramFlag.xdpHasFragments.rawValue }
    if rule.isNamed, name.utf8.count > rule.prefix.utf8.count {
      target = String(Substring(name.utf8.dropFirst(rule.prefix.utf8.count + 1)))
    }
    if rule.options.contains(.attachesByBTF) {
      guard !target.isEmpty else { throw Self.unknown(section) }
      attachTarget = Self.attachTarget(target, attachType: rule.attachType)
    }
  }

  /// As ``init(section:)``, but with the type ``KernelABI/ProgramType/unspec`` for a name that is not known here: it may have
  /// come with a newer libbpf, or be one that says nothing of a type, or not what its programs attach to.
  init(sectionOrUnknown section: String) throws(BPFObjectError) {
    let isOptional = section.utf8.first == UInt8(ascii: "?")
    let name = isOptional ? section.dropFirst() : section[...]
    // `fentry` alone is what a loader gives a function to (bpf_program__set_attach_target).
    if let rule = Self.rule(for: name), !rule.options.contains(.attachesByBTF) || name.contains("/") {
      try self.init(section: section)
      return
    }
    self.init(type: .unspec)
    self.isOptional = isOptional
  }

  /// Why a program of such a section is not loaded.
  static func unknown(_ section: String) -> BPFObjectError {
    let name = section.utf8.first == UInt8(ascii: "?") ? section.dropFirst() : section[...]
    let near = candidates(for: String(name)).map { "`\($0)`" }.joined(separator: ", ")
    if let rule = rule(for: Substring(name)) {
      return BPFObjectError(
        .unknownSectionName, "section name `\(section)` does not say where its programs attach",
        expected: "`\(rule.prefix)/NAME`, or a place that is stated for it", found: "`\(section)`",
        next: "write SEC(\"\(rule.prefix)/NAME\"), or state it: --section-type \(name)=\(rule.prefix)/NAME")
    }
    return BPFObjectError(
      .unknownSectionName, "section name `\(section)` is not that of a program type",
      expected: "one of libbpf's section names, or a type that is stated for it", found: "`\(section)`",
      next: "did you mean \(near)? Where the name says no type, state it: --section-type \(name)=TYPE")
  }

  private static func rule(for name: Substring) -> SectionRule? {
    var first = SectionRule.indexes[String(name)]
    // Some prefixes hold a slash themselves.
    var rest = name.utf8
    while let index = rest.firstIndex(of: UInt8(ascii: "/")) {
      rest = rest[name.utf8.index(after: index)...]
      guard let found = SectionRule.indexes[String(name[..<index])], SectionRule.all[found].isNamed else { continue }
      first = min(first ?? found, found)
    }
    return first.map { SectionRule.all[$0] }
  }

  /// The name under which the kernel's BTF knows an attach point.
  private static func attachTarget(_ target: String, attachType: AttachType) -> AttachTarget {
    // `MODULE:NAME`
    let parts = target.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let module = parts.count == 2 ? String(parts[0]) : nil
    let target = parts.last.map { String($0) } ?? target
    let (prefix, kind) = attachType.targetNaming
    return AttachTarget(name: prefix + target, kind: kind, module: module)
  }

  /// The section names nearest to a wrong one, best first.
  static func candidates(for name: String, count: Int = 3) -> [String] {
    let whole = Array(name.utf8.prefix(48))
    let head = Array(whole.prefix { $0 != UInt8(ascii: "/") })
    let ranked = SectionRule.all.map { rule in
      let known = Array(rule.prefix.utf8)
      return (distance: min(EditDistance.between(known, whole), EditDistance.between(known, head)), rule: rule)
    }
    .sorted { $0.distance < $1.distance }
    return ranked.prefix(count).map { $0.rule.isNamed ? $0.rule.prefix + "/…" : $0.rule.prefix }
  }
}
