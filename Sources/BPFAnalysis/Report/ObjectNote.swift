public import BPFObject

/// Something that authors and packers of an object should know, and that keeps it from nothing.
public struct ObjectNote: Equatable, Sendable {
  /// What it is about, as a stable word.
  public enum Code: String, Sendable, CaseIterable {
    /// Addresses in data sections, where programs read none.
    case dataPointers = "object.data-pointers"
    /// CO-RE relocations that the kernel does not follow.
    case coreLimit = "object.core-limit"
    /// Type information that the kernel is given with changes.
    case typeEdits = "object.type-edits"
    /// A program that cannot be linked.
    case unlinkedProgram = "object.unlinked-program"
  }

  public let code: Code
  /// One sentence: lower-case, no full stop, names in backticks.
  public let message: String

  /// Says something.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}

extension ProgramReport {
  /// That it cannot be loaded, and why.
  var linkNote: ObjectNote? {
    linkError.map {
      ObjectNote(
        .unlinkedProgram,
        "program `\(name)` cannot be linked, and the others are loaded with --without-program \(name) only: \($0.message)"
      )
    }
  }

  /// The CO-RE records for which the kernel refuses the program, the first of each subject.
  public var coreLimitNotes: [ObjectNote] {
    var seen: Set<String> = []
    return coreRelocations.compactMap { relocation in
      guard let limit = relocation.limit, seen.insert("\(relocation.kindName) \(relocation.subject ?? "")").inserted
      else {
        return nil
      }
      let subject = relocation.subject.map { "`\($0)`" } ?? "a type without a name"
      return ObjectNote(
        .coreLimit,
        "program `\(name)`, instruction \(relocation.instruction): the kernel does not follow the CO-RE record "
          + "\(relocation.kindName) of \(subject), because \(limit.reason); ask for fewer levels, or load it with "
          + "--resolve-core user")
    }
  }
}

extension CoreLimit {
  /// Why the kernel gives up, in words.
  public var reason: String {
    switch self {
    case .depth: "it compares types two levels deep, and this one has more"
    case .nameless: "the type has no name"
    }
  }
}

extension DataPointers {
  /// What a program finds there, and which one may look.
  public var note: ObjectNote {
    let holder = variable.map { "variable `\($0)` of section `\(section)`" } ?? "section `\(section)`"
    let what = count == 1 ? "an address" : "\(count) addresses"
    let names = targets.map { "`\($0)`" }.joined(separator: ", ")
    let read =
      areZero ? "zeros are there at run time" : "the compiler's distances are there at run time, and no addresses"
    var message = "\(holder) holds \(what) from offset \(offset) on (of \(names)): \(read)"
    guard let first = users.first else { return ObjectNote(.dataPointers, message + "; no program refers to it") }
    var seen: Set<String> = [first.program]
    let others = users.filter { seen.insert($0.program).inserted }.count
    message += "; program `\(first.program)` refers to it (instruction \(first.instruction))"
    return ObjectNote(.dataPointers, message + (others > 0 ? ", and \(others) more" : ""))
  }
}
