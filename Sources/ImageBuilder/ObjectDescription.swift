internal import BPFNames
internal import BPFObject
internal import ByteKit
internal import Manifest

/// What the manifest says of an object: the one place where the builder looks into objects.
enum ObjectDescription {
  /// Describes an object, and refuses whatever could not be loaded later.
  static func describe(_ bytes: [UInt8], file: Manifest.File) throws(BPFObjectError) -> Manifest.Object {
    let report = try BPFObject.report(bytes: bytes.rawSpan, objectName: file.path, allowsExterns: true)
    let helpers = Set(report.programs.flatMap { $0.helpers.map(name) })
    return Manifest.Object(
      file: file, license: report.license,
      programs: report.programs.map {
        Manifest.Program(
          name: $0.name, section: $0.section, type: $0.typeName, attachType: $0.attachTypeName, analysis: analysis($0))
      },
      maps: report.maps.map { Manifest.Map(name: $0.name, type: TypeNames.map($0.type)) },
      helpers: sorted(helpers), coreRelocations: report.programs.reduce(0) { $0 + $1.coreRelocations.count },
      lockdown: LockdownRestriction.Mode.allCases.map { verdict(of: report, under: $0) })
  }

  private static func analysis(_ program: ProgramReport) -> Manifest.Analysis {
    let reads = program.kernelReads.map { read in
      switch read.means {
      case .helper(let helper): name(helper)
      case .pointer: read.subject ?? "pointer"
      }
    }
    return Manifest.Analysis(
      minimumKernel: "\(program.minimumKernel.version)", capabilities: program.capabilities.map(\.rawValue),
      kernelReads: sorted(Set(reads)), userWrites: sorted(Set(program.userWrites.map(name))),
      isRestricted: program.isRestricted)
  }

  /// What a lockdown mode forbids when the object is loaded; what attaching needs is not the object's alone.
  private static func verdict(
    of report: ObjectReport, under mode: LockdownRestriction.Mode
  ) -> Manifest.LockdownVerdict {
    let forbidden = report.programs.flatMap { $0.restrictions(in: mode) }.filter { $0.moment == .load }
      .map { $0.helper.map(name) ?? $0.reason.rawValue }
    return Manifest.LockdownVerdict(mode: mode.rawValue, forbidden: sorted(Set(forbidden)))
  }

  private static func name(_ helper: HelperUse) -> String { helper.name.map { "bpf_\($0)" } ?? "helper_\(helper.id)" }

  private static func sorted(_ names: Set<String>) -> [String] {
    names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
