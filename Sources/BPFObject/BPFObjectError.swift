public import Base

/// Why an object could not be read or linked.
///
/// The check's raw value is the diagnostic's stable code; the texts say what was expected, what was found and what
/// to do next.
public struct BPFObjectError: Error, Equatable, Sendable, Diagnosable, CustomStringConvertible {
  /// The check that failed.
  public let check: Check
  /// One sentence: lower-case, no full stop, names in backticks.
  public let message: String
  /// What the check wanted to see.
  public let expected: String?
  /// What it saw instead.
  public let found: String?
  /// Why it matters, where that is not obvious.
  public let why: String?
  /// What to do about it.
  public let next: String?

  init(
    _ check: Check, _ message: String, expected: String? = nil, found: String? = nil, why: String? = nil,
    next: String? = nil
  ) {
    self.check = check
    self.message = message
    self.expected = expected
    self.found = found
    self.why = why
    self.next = next
  }

  /// Everything that can be wrong with an object, one code each.
  public enum Check: String, Sendable, CaseIterable {
    // The file.
    case notELF = "object.not-elf"
    case not64Bit = "object.not-64-bit"
    case bigEndian = "object.big-endian"
    case otherMachine = "object.other-machine"
    case notRelocatable = "object.not-relocatable"
    case truncated = "object.truncated"
    case malformedELF = "object.malformed-elf"
    case sectionOutsideFile = "object.section-outside-file"
    case overlappingSections = "object.overlapping-sections"
    case duplicateSection = "object.duplicate-section"
    case tooLarge = "object.too-large"
    // The type information.
    case noBTF = "object.no-btf"
    case malformedBTF = "object.malformed-btf"
    case noBTFExt = "object.no-btf-ext"
    case malformedBTFExt = "object.malformed-btf-ext"
    case noFuncInfo = "object.no-func-info"
    // The contents.
    case noPrograms = "object.no-programs"
    case badLicense = "object.bad-license"
    case unknownSectionName = "object.unknown-section-name"
    case badFunction = "object.bad-function"
    case badInstruction = "object.bad-instruction"
    case badRelocation = "object.bad-relocation"
    case legacyMaps = "object.legacy-maps"
    case badMap = "object.bad-map"
    case unsupportedExtern = "object.unsupported-extern"
    case unsupportedSection = "object.unsupported-section"
    case hiddenBytes = "object.hidden-bytes"
    // The author's annotations.
    case annotation = "annotation.damaged"
    case annotationWord = "annotation.unknown-word"
    case annotationProgram = "annotation.unknown-program"
    case annotationReads = "annotation.reads"
    case annotationTwice = "annotation.twice"
    // What was asked for at the load, and does not fit the object.
    case noVariable = "load.no-variable"
    case variableNotConstant = "load.variable-not-constant"
    case variableStatic = "load.variable-static"
    case variableNotVolatile = "load.variable-not-volatile"
    case variableType = "load.variable-type"
    case variableValue = "load.variable-value"
    case variableTwice = "load.variable-twice"
    case noSuchSection = "load.no-such-section"
    case sectionHasType = "load.section-has-type"

    /// An object that cannot be read leaves the work undone; what an option asks of it is a matter of the command line.
    var category: Diagnostic.Category {
      switch self {
      case .notELF, .not64Bit, .bigEndian, .otherMachine, .notRelocatable, .truncated, .malformedELF,
        .sectionOutsideFile,
        .overlappingSections, .duplicateSection, .tooLarge, .noBTF, .malformedBTF, .noBTFExt, .malformedBTFExt,
        .noFuncInfo,
        .noPrograms, .badLicense, .unknownSectionName, .badFunction, .badInstruction, .badRelocation, .legacyMaps,
        .badMap,
        .unsupportedExtern, .unsupportedSection, .hiddenBytes, .annotation, .annotationWord, .annotationProgram,
        .annotationReads, .annotationTwice:
        .incomplete
      case .noVariable, .variableNotConstant, .variableStatic, .variableNotVolatile, .variableType, .variableValue,
        .variableTwice, .noSuchSection, .sectionHasType:
        .usage
      }
    }
  }

  /// Of a program that keeps no other from being loaded: where there are others, that is the way on.
  func about(program: String, of count: Int) -> BPFObjectError {
    guard count > 1 else { return self }
    let others = "load the others: --without-program \(program)"
    return BPFObjectError(
      check, message, expected: expected, found: found, why: why, next: next.map { "\($0), or \(others)" } ?? others)
  }

  /// The error with the check as its code.
  public var diagnostic: Diagnostic {
    Diagnostic(
      check.rawValue, check.category, message, expected: expected, found: found, why: why, next: next)
  }

  /// Code, message, expected and found in one line, for logs and test failures.
  public var description: String {
    var text = "\(check.rawValue): \(message)"
    if let expected { text += "; expected \(expected)" }
    if let found { text += "; found \(found)" }
    return text
  }
}
