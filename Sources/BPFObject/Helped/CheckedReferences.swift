internal import LinkProtocol

/// What instructions refer to, as a helper has read it and ``CheckedEdits`` has found it to be.
struct CheckedReferences: ReferenceSource {
  let edits: CheckedEdits
  let functions: FunctionTable
  /// Section index to map index, for data sections.
  let dataMaps: [Int: Int]

  func isRelocated(_ offset: Int, of section: Int) -> Bool { target(at: offset, of: section) != nil }

  private func target(at offset: Int, of section: Int) -> CheckedEdits.Target? {
    guard offset.isMultiple(of: Instruction.size) else { return nil }
    return edits.target(section: section, instruction: offset / Instruction.size)
  }

  func load(at offset: Int, immediate: UInt32, in function: ObjectFunction) throws(BPFObjectError) -> Reference? {
    switch target(at: offset, of: function.section) {
    case nil: return nil
    case .map(let map): return .map(map)
    case .function(let function): return .function(function)
    case .value(let section, let value):
      guard let map = dataMaps[section] else {
        throw BPFObjectError(
          .badRelocation, "instruction \(offset / 8) of section `\(function.sectionName)` refers to no data section")
      }
      return .value(map: map, offset: value)
    }
  }

  func callee(at offset: Int, immediate: UInt32, in function: ObjectFunction) throws(BPFObjectError) -> Reference {
    if case .function(let target)? = target(at: offset, of: function.section) { return .function(target) }
    let distance = (Int(Int32(bitPattern: immediate)) + 1) * Instruction.size
    return .function(try functions.callee(at: offset, distance: distance, in: function))
  }
}
