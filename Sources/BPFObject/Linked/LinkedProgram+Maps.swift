extension LinkedProgram {
  /// Whether an instruction refers to a map of the object (BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE;
  /// include/uapi/linux/bpf.h).
  public var usesMaps: Bool {
    stride(from: 0, to: instructions.count - 1, by: 8).contains { offset in
      instructions[offset] == 0x18 && (instructions[offset + 1] >> 4 == 5 || instructions[offset + 1] >> 4 == 6)
    }
  }
}
