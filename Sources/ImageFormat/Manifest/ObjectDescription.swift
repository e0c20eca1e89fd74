internal import KernelABI
public import BPFAnalysis
public import BPFObject
internal import Base

/// What the manifest says of an object: worked out when an image is built, and again when the object is loaded.
public enum ObjectDescription {
  /// Bytes that an object file may have at most: none that has more can be linked.
  public static let maximumByteCount = BPFObject.maximumByteCount

  /// Describes an object, and refuses whatever could not be loaded later.
  ///
  /// - Parameters:
  ///   - types: of those the ones count whose sections the object has, and whose names say no type.
  ///   - isConfigurable: see ``Manifest/Statements``.
  public static func describe(
    _ bytes: [UInt8], file: Manifest.File, types: [SectionType] = [], isConfigurable: Bool? = nil
  ) throws(BPFObjectError) -> Manifest.Object {
    try describeWithNotes(bytes, file: file, types: types, isConfigurable: isConfigurable).object
  }

  /// Describes an object, with what its packer should know of it.
  public static func describeWithNotes(
    _ bytes: [UInt8], file: Manifest.File, types: [SectionType] = [], isConfigurable: Bool? = nil
  ) throws(BPFObjectError) -> (object: Manifest.Object, notes: [ObjectNote]) {
    let report = try BPFObject.report(
      bytes: bytes.rawSpan, objectName: file.path, allowsExterns: true, sectionTypes: types)
    let statements = Manifest.Statements(
      sectionTypes: report.sectionTypes.map { Manifest.StatedType(section: $0.section, type: $0.type) },
      isConfigurable: isConfigurable)
    let object = describe(
      report.programs, license: report.license, maps: report.maps, file: file, statements: statements)
    return (object, report.notes)
  }

  /// Describes an object that is linked already.
  ///
  /// - Parameter programs: the reports of all its programs, in their order.
  public static func describe(
    _ programs: [ProgramReport], license: String, maps: [LinkedMap], file: Manifest.File,
    statements: Manifest.Statements = Manifest.Statements()
  ) -> Manifest.Object {
    Manifest.Object(
      file: file, license: license,
      programs: programs.map {
        Manifest.Program(
          name: $0.name, section: $0.section, type: $0.typeName, attachType: $0.attachTypeName, analysis: analysis($0),
          instructions: $0.submitted.map { Manifest.Instructions($0) })
      },
      maps: maps.map { Manifest.Map(name: $0.name, type: $0.typeName) },
      helpers: sorted(programs.flatMap { $0.helpers.map(name) }),
      coreRelocations: programs.reduce(0) { $0 + $1.coreRelocations.count },
      lockdown: LockdownMode.allCases.map { verdict(of: programs, under: $0) }, statements: statements)
  }

  /// What an object has that this build has no name for, or no rules.
  public enum UnknownPart: Equatable, Sendable {
    /// A section whose name says no type of programs.
    case section(String)
    /// A map of a type that this build does not know.
    case mapType(map: String, type: String)
    /// A map that is filled by something else than the object's bytes.
    case contents(map: String, type: String)
  }

  /// What it is about the object that only the kernel that loads it can judge.
  public static func unknownParts(of object: Manifest.Object) -> [UnknownPart] {
    var parts: [UnknownPart] = []
    var seen: Set<String> = []
    for program in object.programs where program.type == ProgramType.unspec.name {
      if seen.insert(program.section).inserted { parts.append(.section(program.section)) }
    }
    for map in object.maps {
      switch MapType(name: map.type) {
      case nil: parts.append(.mapType(map: map.name, type: map.type))
      // A jump table, whose name begins with its section's, is filled by the linker.
      case .insnArray where map.name.utf8.first != UInt8(ascii: "."):
        parts.append(.contents(map: map.name, type: map.type))
      case .some: break
      }
    }
    return parts
  }

  private static func analysis(_ program: ProgramReport) -> Manifest.Analysis {
    let reads = program.kernelReads.map { read in
      switch read.means {
      case .helper(let helper): name(helper)
      case .pointer: read.subject ?? "pointer"
      }
    }
    return Manifest.Analysis(
      minimumKernel: "\(program.minimumKernel.version)", capabilities: program.capabilities.map(\.name),
      kernelReads: sorted(reads), userWrites: sorted(program.userWrites.map(name)),
      isRestricted: program.isRestricted)
  }

  /// What a lockdown mode forbids when the object is loaded; what attaching needs is not the object's alone.
  private static func verdict(
    of programs: [ProgramReport], under mode: LockdownMode
  ) -> Manifest.LockdownVerdict {
    let forbidden = programs.flatMap { $0.restrictions(in: mode) }.filter { $0.moment == .load }
      .map { $0.helper.map(name) ?? $0.reason.rawValue }
    return Manifest.LockdownVerdict(mode: mode.rawValue, forbidden: sorted(forbidden))
  }

  private static func name(_ helper: HelperUse) -> String { helper.name.map { "bpf_\($0)" } ?? "helper_\(helper.id)" }

  /// Each name once, in bytewise order.
  private static func sorted(_ names: [String]) -> [String] {
    guard names.count > 1 else { return names }
    let sorted = names.sortedBytewise()
    return sorted.indices.filter { $0 == 0 || !sorted[$0].hasSameBytes(as: sorted[$0 - 1]) }.map { sorted[$0] }
  }
}
