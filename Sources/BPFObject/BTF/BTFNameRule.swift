internal import KernelABI

/// Names as the kernel takes them (kernel/bpf/btf.c, __btf_name_valid and btf_name_valid_section).
struct BTFNameRule: Sendable {
  /// Bytes that a name may have (KSYM_NAME_LEN; the last of them is not a NUL).
  let limit: Int
  /// Whether dots are allowed.
  let allowsDots: Bool

  /// C identifiers with dots (since Linux 6.5), of at most 512 bytes (since 6.1).
  static let identifier = BTFNameRule(limit: 512, allowsDots: true)

  /// What a kernel of this release takes as the name of a type or of something in one.
  static func identifier(in release: KernelRelease) -> BTFNameRule {
    BTFNameRule(limit: limit(in: release), allowsDots: release >= KernelRelease(6, 5))
  }

  /// What a kernel of this release takes as the name of a variable or section; nil where every character that can be
  /// printed is allowed, as it is for sections since 6.11.
  static func section(in release: KernelRelease) -> BTFNameRule? {
    release >= KernelRelease(6, 11) ? nil : BTFNameRule(limit: limit(in: release), allowsDots: true)
  }

  static func limit(in release: KernelRelease) -> Int { release >= KernelRelease(6, 1) ? 512 : 128 }

  func allows(_ byte: UInt8, isFirst: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
    case UInt8(ascii: "."): allowsDots
    default: false
    }
  }

  /// The name as the kernel takes it: of the same length, or as long as it may be.
  func mended(_ name: ArraySlice<UInt8>) -> [UInt8] {
    var bytes = name.prefix(limit).enumerated().map { index, byte in
      allows(byte, isFirst: index == 0) ? byte : UInt8(ascii: "_")
    }
    if bytes.isEmpty { bytes = [UInt8(ascii: "_")] }
    return bytes
  }
}
