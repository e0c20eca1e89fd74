/// Where the BPF file system is mounted by everything that mounts it (systemd, bpftool, libbpf). It is a place and no statement
/// of the kernel's: what is pinned there is asked by bpf(2) what it is.
public enum PinPlace {
  /// The mount point.
  public static let root = "/sys/fs/bpf"
}
