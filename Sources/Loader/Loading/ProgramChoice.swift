internal import BPFObject
public import Linux

/// Which of an object's programs are loaded, and which of those are attached.
///
/// Objects carry variants of a program for several kernels. Their own loaders choose among them with libbpf's
/// bpf_program__set_autoload and bpf_program__set_autoattach.
public struct ProgramChoice: Equatable, Sendable {
  /// Names, or patterns of them, of the only programs to load, optional ones (`SEC("?…")`) among them; empty for all that
  /// are not optional.
  public var only: [FileNamePattern] = []
  /// Those that are left out of these.
  public var without: [FileNamePattern] = []
  /// The only ones to attach; empty for all.
  public var attached: [FileNamePattern] = []

  /// Leaves everything to the object.
  public init() {}

  /// Whether everything is left to the object.
  public var isEmpty: Bool { only.isEmpty && without.isEmpty && attached.isEmpty }
}

extension LinkedObject {
  /// Leaves out the programs that were not chosen.
  ///
  /// - Throws: ``BPFLoadError/noSuchProgram(name:available:)`` for a pattern that no program has the name of, or to attach
  ///   what is not loaded; ``BPFLoadError/nothingToLoad(optional:)`` where no program is left.
  mutating func choose(_ choice: ProgramChoice) throws(BPFLoadError) {
    try require(choice.only + choice.without)
    let optional = programs.filter(\.kind.isOptional).map(\.name)
    keepPrograms { program in
      let isAsked =
        choice.only.isEmpty ? !program.kind.isOptional : choice.only.contains { $0.matches(program.name) }
      return isAsked && !choice.without.contains { $0.matches(program.name) }
    }
    guard !programs.isEmpty else { throw .nothingToLoad(optional: optional) }
    try require(choice.attached)
  }

  /// A pattern that matches nothing is a mistake of who wrote it.
  private func require(_ patterns: [FileNamePattern]) throws(BPFLoadError) {
    let names = programs.map(\.name)
    for pattern in patterns where !names.contains(where: pattern.matches) {
      throw .noSuchProgram(name: pattern.text, available: names)
    }
  }
}
