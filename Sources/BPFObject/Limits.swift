/// The most of everything that an object may have.
///
/// Each bound is far above what compilers and linkers produce; together they keep the work for a hostile object
/// proportional to its size.
package enum Limits {
  /// Bytes of an object file.
  static let objectBytes = 32 << 20
  /// Sections; an object has three or four for each kind of program, map and table.
  static let sections = 4096
  /// Variables in a struct_ops section.
  static let structOps = 256
  /// Symbols.
  static let symbols = 262_144
  /// Bytes of a section's, symbol's or type's name (kernel/bpf/btf.c allows 128 for a type; libbpf's section names are
  /// shorter still).
  static let nameBytes = 1024
  /// Instructions of one linked program (include/linux/bpf.h, BPF_COMPLEXITY_LIMIT_INSNS).
  static let programInstructions = 1_000_000
  /// Instructions of all linked programs together: subprograms are copied into every program that calls them.
  static let linkedInstructions = 8_000_000
  /// Entries of all jump tables together: each program that jumps by a table gets one of its own.
  static let jumpTargets = 1_000_000
  /// Typedefs, modifiers and array dimensions between a type and what it is (kernel/bpf/btf.c, MAX_RESOLVE_DEPTH).
  package static let typeDepth = 32
  /// Bytes of a record in `.BTF.ext` (kernel/bpf/verifier.c, MAX_FUNCINFO_REC_SIZE and its siblings).
  static let extRecordBytes = 252
  /// Characters of a license (kernel/bpf/syscall.c copies 128 with the NUL).
  static let licenseBytes = 127
  /// Members, enumerators and variables a map's definition may name; libbpf knows eleven fields.
  static let mapFields = 16
  /// Bytes of the value that a variable is given on the command line.
  static let variableText = 1 << 16
}
