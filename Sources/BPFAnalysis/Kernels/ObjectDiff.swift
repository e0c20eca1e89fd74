internal import Base
internal import BPFObject
internal import KernelABI

/// What differs between two releases of an object, by what the bytes of both say.
public struct ObjectDiff: Equatable, Sendable {
  /// One thing about a program, a map or the object that is not as it was.
  public struct Change: Equatable, Sendable {
    /// `program handle_exec`, `map counters`, `object`.
    public let subject: String
    /// What of it: `helpers`, `reads`, `capabilities` …
    public let aspect: String
    /// What is not there any more.
    public let gone: [String]
    /// What was not there before.
    public let new: [String]
  }

  /// In the order of the new object, what is gone last.
  public let changes: [Change]

  /// What is compared: a result of "no change" speaks of this alone.
  public static let compared =
    "programs (type, section, target, helpers, functions and types of the kernel, reads, writes, capabilities, maps, lockdown, "
    + "class, oldest kernel, number of instructions), maps and what is in them, license, externs and structures of functions"

  /// Compares; nil for an object that is not there in one of the releases.
  public init(from old: ObjectReport?, to new: ObjectReport?) {
    // What is not known is no reason to say that nothing has changed.
    let before = (old.map { Self.portrait($0) } ?? []).filter { $0.aspect != Self.unknown }
    let after = new.map { Self.portrait($0) } ?? []
    var changes: [Change] = []
    func add(_ row: Row, gone: [String], new: [String]) {
      guard !gone.isEmpty || !new.isEmpty else { return }
      changes.append(Change(subject: row.subject, aspect: row.aspect, gone: gone, new: new))
    }
    let old = Dictionary(before.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    for row in after {
      let was = old[row.key]?.values ?? []
      let (before, now) = (Set(was), Set(row.values))
      add(row, gone: was.filter { !now.contains($0) }, new: row.values.filter { !before.contains($0) })
    }
    let there = Set(after.map(\.key))
    for row in before where !there.contains(row.key) { add(row, gone: row.values, new: []) }
    self.changes = changes
  }

  /// The aspect of a program that could not be linked.
  private static let unknown = "instructions that are not known"

  private struct Row {
    let subject: String
    let aspect: String
    let values: [String]
    var key: String { "\(subject)\0\(aspect)" }
  }

  private static func portrait(_ object: ObjectReport) -> [Row] {
    let license = object.license
    var rows = [Row(subject: "object", aspect: "license", values: [license])]
    rows += object.programs.flatMap { portrait($0) }
    for map in object.maps {
      rows.append(Row(subject: "map \(map.name)", aspect: "shape", values: [map.shape]))
      guard !map.initialValue.isEmpty, let contents = try? Digest.of(map.initialValue.rawSpan) else { continue }
      rows.append(Row(subject: "map \(map.name)", aspect: "contents", values: ["\(contents)"]))
    }
    for structure in object.structOps {
      rows.append(
        Row(
          subject: "map \(structure.name)", aspect: "shape",
          values: ["struct_ops \(structure.typeName), \(structure.programs.map(\.program).joined(separator: ", "))"]))
    }
    rows.append(
      Row(
        subject: "object", aspect: "kernel symbols",
        values: object.externs.map { "\($0.name)\($0.isWeak ? ", if there" : "")" }))
    rows.append(
      Row(
        subject: "object", aspect: "kernel configuration",
        values: object.configuration.map { "\($0.name)\($0.isWeak ? ", if there" : "")" }))
    return rows
  }

  private static func portrait(_ program: ProgramReport) -> [Row] {
    let reads = program.kernelReads.map { read in
      switch read.means {
      case .helper(let helper): helper.label
      case .pointer: read.subject ?? "through a pointer"
      }
    }
    let lockdown = program.restrictions.map { restriction in
      "\(restriction.reason.deniedFrom.rawValue) denies \(restriction.moment.rawValue): \(restriction.reason.rawValue)"
    }
    let attachType = program.attachTypeName.flatMap { $0 == program.typeName ? nil : "/\($0)" } ?? ""
    let type = program.typeName + attachType
    let rows: [(String, [String])] = [
      (unknown, program.linkError.map { ["not compared, because it cannot be linked: \($0.message)"] } ?? []),
      ("type", [type + (program.isSleepable ? ", sleepable" : "")]),
      ("section", [(program.kind.isOptional ? "?" : "") + program.section]),
      ("target", program.kind.attachTarget.map { [$0.name] } ?? []),
      ("helpers", program.helpers.map(\.label)), ("kernel symbols", program.kernelSymbols),
      ("core", program.coreRelocations.map { "\($0.kindName) \($0.subject ?? "?")" }), ("reads", reads),
      ("writes", program.userWrites.map(\.label)), ("capabilities", program.capabilities.map(\.name)),
      ("maps", program.maps), ("lockdown", lockdown), ("class", [program.isRestricted ? "restricted" : "full"]),
      ("oldest kernel", ["\(program.minimumKernel.version)"]), ("instructions", ["\(program.instructionCount)"]),
    ]
    return rows.map { aspect, values in
      var seen: Set<String> = []
      return Row(
        subject: "program \(program.name)", aspect: aspect, values: values.filter { seen.insert($0).inserted })
    }
  }
}

extension LinkedMap {
  /// The attributes of BPF_MAP_CREATE, in words.
  fileprivate var shape: String {
    var text = "\(type.name), key \(keySize), value \(valueSize), max_entries \(maxEntries)"
    if flags != 0 { text += ", flags 0x\(String(flags, radix: 16))" }
    if isFrozen { text += ", frozen" }
    if pinsByName { text += ", pinned by name" }
    return text
  }
}
