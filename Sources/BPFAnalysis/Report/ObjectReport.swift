public import BPFObject
internal import Base

/// What can be said of an object from its bytes alone.
public struct ObjectReport: Equatable, Sendable {
  /// A section of the object that matters for loading.
  public struct Section: Equatable, Sendable {
    /// The ELF section's name.
    public let name: String
    /// Bytes.
    public let size: Int
  }

  /// The `license` section's text.
  public let license: String
  /// Whether the kernel counts the license as GPL-compatible, which many helpers demand.
  public let isGPLCompatible: Bool
  /// In the order of their sections and offsets in the object.
  public let programs: [ProgramReport]
  /// In the order of `fd_array`.
  public let maps: [LinkedMap]
  /// What the running kernel must have: functions and variables.
  public let externs: [KernelExtern]
  /// The values of the kernel's configuration that it asks for.
  public let configuration: [ConfigurationField]
  /// The kernel structures it implements.
  public let structOps: [StructOps]
  /// What the author says that programs may do under lockdown.
  public let annotations: [Annotation]
  /// Everything but string tables, relocations and debugging information, in the file's order.
  public let sections: [Section]
  /// Bytes of DWARF, which nothing here reads.
  public let debuggingSize: Int
  /// The types that were stated for sections of it.
  public internal(set) var sectionTypes: [SectionType] = []
  /// Bytes of type information that the kernel is given; 0 for an object without.
  public let typesSize: Int
  /// What is different in the type information that the kernel is given.
  public let typeEdits: [TypeEdit]
  /// Why the kernel has to have the types; nil where the object loads without.
  public let needOfTypes: String?
  /// Addresses in data sections.
  public let dataPointers: [DataPointers]
  /// What is in an object without programs, in words; nil for one that has some.
  public let contentsWithoutPrograms: String?

  /// What its author or packer should know, and that keeps it from nothing.
  public var notes: [ObjectNote] {
    var notes = programs.compactMap(\.linkNote) + dataPointers.map(\.note) + programs.flatMap(\.coreLimitNotes)
    if !typeEdits.isEmpty {
      notes.append(
        ObjectNote(
          .typeEdits,
          "the kernel takes its type information with \(typeEdits.count) "
            + "\(typeEdits.count == 1 ? "change" : "changes") only, which `verity-bpf inspect` lists"))
    }
    return notes
  }

  init(_ object: LinkedObject, _ btf: BTF, sections: [Section], debuggingSize: Int, kernel: BTF?) {
    license = object.license
    isGPLCompatible = Self.gplCompatibleLicenses.contains(object.license)
    programs = BPFObject.reports(of: object, btf, kernel: kernel)
    maps = object.maps
    externs = object.externs
    configuration = object.configuration
    structOps = object.structOps
    annotations = object.annotations
    self.sections = sections
    self.debuggingSize = debuggingSize
    typesSize = object.btf.count
    typeEdits = object.typeEdits
    needOfTypes = object.needOfTypes
    dataPointers = object.dataPointers
    contentsWithoutPrograms = object.contentsWithoutPrograms
  }

  /// include/linux/license.h.
  private static let gplCompatibleLicenses: Set<String> = [
    "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
  ]
}

extension BPFObject {
  /// Describes an object.
  ///
  /// - Parameters:
  ///   - allowsExterns: whether objects are described that need something from the running kernel, see
  ///     ``link(bytes:objectName:allowsExterns:)``.
  ///   - allowsNoPrograms: whether objects are described that have nothing to load, see
  ///     ``ObjectReport/contentsWithoutPrograms``.
  ///   - kernel: a kernel's BTF, see ``reports(of:kernel:)``.
  ///   - sectionTypes: of those the ones count whose sections the object has, and whose names say no type.
  ///   - takesEveryType: refuses the others of them.
  /// - Throws: ``BPFObjectError`` when the object cannot be linked: what is not understood is not described.
  public static func report(
    bytes: RawSpan, objectName: String = "", allowsExterns: Bool = false, allowsNoPrograms: Bool = false,
    kernel: BTF? = nil, sectionTypes: [SectionType] = [], takesEveryType: Bool = false
  ) throws(BPFObjectError) -> ObjectReport {
    let parts = try ObjectParts(bytes)
    if !allowsExterns { try parts.refuseKernelNeeds() }
    var object = try ObjectLinker(parts, objectName: shortName(objectName)).link(allowsNoPrograms: allowsNoPrograms)
    let open = object.sectionsWithoutType
    let stated = takesEveryType ? sectionTypes : sectionTypes.filter { open.contains($0.section) }
    try object.take(stated)
    var sections: [ObjectReport.Section] = []
    var debuggingSize = 0
    for section in parts.elf.sections.dropFirst() {
      if section.isDebugging {
        debuggingSize += section.size
      } else if section.type == ELFSection.Constant.progbits || section.type == ELFSection.Constant.nobits,
        section.size > 0
      {
        sections.append(ObjectReport.Section(name: section.name, size: section.size))
      }
    }
    var report = ObjectReport(
      object, parts.submittedTypes, sections: sections, debuggingSize: debuggingSize, kernel: kernel)
    report.sectionTypes = stated
    return report
  }

  /// Describes the programs of an object that is linked already, in their order.
  ///
  /// - Parameter kernel: a kernel's BTF: then the reports say of each CO-RE relocation whether that kernel has what it
  ///   is about. A relocation that fails in code which one kernel never reaches may be reached on another.
  public static func reports(of object: LinkedObject, kernel: BTF? = nil) -> [ProgramReport] {
    reports(of: object, object.types, kernel: kernel)
  }

  /// - Parameter btf: the object's, read.
  static func reports(of object: LinkedObject, _ btf: BTF?, kernel: BTF?) -> [ProgramReport] {
    let shared = SharedConstructs(object, btf: btf)
    let match = btf.flatMap { btf in kernel.map { CoreMatch(object: btf, kernel: $0) } }
    // Shared, because programs ask about the same types.
    var limits = btf.map { CoreLimitSearch($0) }
    return object.programs.map { program in
      var report = ProgramReport(program, in: object, btf: btf, shared: shared)
      for (index, limit) in (limits?.limits(of: program) ?? []).enumerated()
      where report.coreRelocations.indices.contains(index) {
        report.coreRelocations[index].limit = limit
      }
      if let match { report.match(program, match) }
      return report
    }
  }
}
