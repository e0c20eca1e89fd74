internal import ByteKit

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
  /// Everything but string tables, relocations and debugging information, in the file's order.
  public let sections: [Section]
  /// Bytes of DWARF, which nothing here reads.
  public let debuggingSize: Int

  init(_ object: LinkedObject, sections: [Section], debuggingSize: Int) {
    license = object.license
    isGPLCompatible = Self.gplCompatibleLicenses.contains(object.license)
    let btf = try? BTF(object.btf.rawSpan)
    programs = object.programs.map { ProgramReport($0, in: object, btf: btf) }
    maps = object.maps
    externs = object.externs
    configuration = object.configuration
    structOps = object.structOps
    self.sections = sections
    self.debuggingSize = debuggingSize
  }

  /// include/linux/license.h.
  private static let gplCompatibleLicenses: Set<String> = [
    "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
  ]
}

extension BPFObject {
  /// Describes an object.
  ///
  /// - Parameter allowsExterns: whether objects are described that need something from the running kernel, see
  ///   ``link(bytes:objectName:allowsExterns:)``.
  /// - Throws: ``BPFObjectError`` when the object cannot be linked: what is not understood is not described.
  public static func report(
    bytes: RawSpan, objectName: String = "", allowsExterns: Bool = false
  ) throws(BPFObjectError) -> ObjectReport {
    let parts = try ObjectParts(bytes)
    if !allowsExterns { try parts.refuseKernelNeeds() }
    let object = try ObjectLinker(parts, objectName: shortName(objectName)).link()
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
    return ObjectReport(object, sections: sections, debuggingSize: debuggingSize)
  }

  /// Describes the programs of an object that is linked already, in their order.
  public static func reports(of object: LinkedObject) -> [ProgramReport] {
    let btf = try? BTF(object.btf.rawSpan)
    return object.programs.map { ProgramReport($0, in: object, btf: btf) }
  }
}
