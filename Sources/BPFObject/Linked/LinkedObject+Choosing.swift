extension LinkedObject {
  /// Whether it has programs, and none that is loaded unasked.
  public var hasOnlyOptionalPrograms: Bool { !programs.isEmpty && programs.allSatisfy(\.kind.isOptional) }

  /// Leaves out programs, and what only they expect from the running kernel. Programs that stay are no longer optional.
  public mutating func keepPrograms(where isKept: (LinkedProgram) -> Bool) {
    programs = programs.filter(isKept)
    var numbers: [Int: Int] = [:]
    var kept: [KernelExtern] = []
    for index in programs.indices {
      programs[index].kind.isOptional = false
      programs[index].externUses = programs[index].externUses.compactMap { use in
        guard externs.indices.contains(use.extern) else { return nil }
        let number = numbers[use.extern] ?? kept.count
        if number == kept.count { kept.append(externs[use.extern]) }
        numbers[use.extern] = number
        return ExternUse(instruction: use.instruction, extern: number)
      }
    }
    externs = kept
  }
}
