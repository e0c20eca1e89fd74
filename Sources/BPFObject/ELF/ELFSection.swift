/// One entry of the section header table (System V gABI, `Elf64_Shdr`).
package struct ELFSection: Equatable, Sendable {
  let index: Int
  package let name: String
  package let type: UInt32
  let flags: UInt64
  /// Bytes from the start of the file.
  let offset: Int
  /// Bytes.
  package let size: Int
  let link: UInt32
  let info: UInt32
  let alignment: UInt64
  let entrySize: UInt64

  /// Values of `sh_type` and `sh_flags` (elf.h).
  package enum Constant {
    package static let progbits: UInt32 = 1
    static let symtab: UInt32 = 2
    static let strtab: UInt32 = 3
    static let rela: UInt32 = 4
    package static let nobits: UInt32 = 8
    static let rel: UInt32 = 9
    static let group: UInt32 = 17
    /// SHT_LLVM_ADDRSIG (llvm/BinaryFormat/ELF.h).
    static let addressSignificance: UInt32 = 0x6fff_4c03
    static let writeFlag: UInt64 = 1
    static let allocFlag: UInt64 = 2
    static let executableFlag: UInt64 = 4
    static let compressedFlag: UInt64 = 0x800
  }

  var holdsInstructions: Bool {
    type == Constant.progbits && flags & Constant.executableFlag != 0 && size > 0
  }

  /// Whether the section takes bytes of the file.
  var isStored: Bool { type != Constant.nobits && type != 0 && size > 0 }

  /// DWARF, which neither the kernel nor this project reads.
  package var isDebugging: Bool {
    name.hasPrefix(".debug_") || name.hasPrefix(".rel.debug_") || name.hasPrefix(".zdebug_")
  }
}
