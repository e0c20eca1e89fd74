extension KernelStatement {
  /// Where a statement is read.
  public enum Source: Equatable, Sendable {
    /// A file that the kernel makes up.
    case file(String)
    /// A symbolic link of the kernel's own.
    case link(String)
    /// A directory of the kernel's own: its names, or that it is there.
    case directory(String)
    /// A device node, which is the kernel's only when it is of that kind and its number is what another statement says.
    /// `fixed` is the number of one whose module the kernel loads when the node is opened, so that sysfs does not have it
    /// before.
    case node(String, DeviceKind, number: KernelStatement, fixed: FixedNumber? = nil)
    /// A file that the kernel did not make.
    case ordinaryFile(String)
    /// A system call, as its manual page names it.
    case call(String)
  }

  public enum DeviceKind: Sendable {
    case block
    case character
  }

  /// A device number that the kernel has given away for good.
  public struct FixedNumber: Equatable, Sendable {
    public let major: UInt64
    public let minor: UInt64

    /// Among the miscellaneous devices (include/linux/miscdevice.h: MISC_MAJOR).
    static func miscellaneous(_ minor: UInt64) -> FixedNumber { FixedNumber(major: 10, minor: minor) }
  }

  /// Where it is read; `*` stands for what is filled in.
  public var source: Source {
    switch self {
    case .mapperNumber: .file("/sys/class/misc/device-mapper/dev")
    // MAPPER_CTRL_MINOR and LOOP_CTRL_MINOR of include/linux/miscdevice.h.
    case .mapperControl:
      .node("/dev/mapper/control", .character, number: .mapperNumber, fixed: .miscellaneous(236))
    case .mapperDevice: .call("ioctl DM_DEV_STATUS")
    case .mapperTable: .call("ioctl DM_TABLE_STATUS")
    case .mappedNode: .node("/dev/mapper/*", .block, number: .mapperDevice)
    case .mappedName: .file("/sys/dev/block/*/dm/name")
    case .mappedIdentifier: .file("/sys/dev/block/*/dm/uuid")
    case .mappedSuspended: .file("/sys/dev/block/*/dm/suspended")
    case .verityModule: .directory("/sys/module/dm_verity")
    case .keyringUnsealed: .file("/sys/module/dm_verity/parameters/keyring_unsealed")
    case .prefetchCluster: .file("/sys/module/dm_verity/parameters/prefetch_cluster")
    case .requireSignatures: .file("/sys/module/dm_verity/parameters/require_signatures")
    case .taint: .file("/proc/sys/kernel/tainted")
    case .blockDevice: .directory("/sys/dev/block/*")
    case .blockNumber: .file("/sys/dev/block/*/dev")
    case .blockName: .file("/sys/dev/block/*/uevent")
    case .blockNode: .node("/dev/*", .block, number: .blockName)
    case .blockReadOnly: .file("/sys/dev/block/*/ro")
    case .blockSize: .call("ioctl BLKGETSIZE64")
    case .underlyingDevices: .directory("/sys/dev/block/*/slaves")
    case .underlyingNumber: .file("/sys/dev/block/*/slaves/*/dev")
    case .diskSequence: .file("/sys/dev/block/*/diskseq")
    case .partition: .file("/sys/dev/block/*/partition")
    case .partitionStart: .file("/sys/dev/block/*/start")
    case .partitionSize: .file("/sys/dev/block/*/size")
    case .loopControlNumber: .file("/sys/class/misc/loop-control/dev")
    case .loopControl:
      .node("/dev/loop-control", .character, number: .loopControlNumber, fixed: .miscellaneous(237))
    case .loopNumber: .file("/sys/class/block/loop*/dev")
    case .loopNode: .node("/dev/loop*", .block, number: .loopNumber)
    case .loopBackingFile: .file("/sys/dev/block/*/loop/backing_file")
    case .loopOffset: .file("/sys/dev/block/*/loop/offset")
    case .loopSizeLimit: .file("/sys/dev/block/*/loop/sizelimit")
    case .loopLabel: .call("ioctl LOOP_GET_STATUS64")
    case .openFile: .call("statx(2), fstatfs(2)")
    case .openFileName: .link("/proc/self/fd/*")
    case .openFileMount: .file("/proc/self/fdinfo/*")
    case .mounts: .file("/proc/self/mountinfo")
    case .overlayMetacopy: .file("/sys/module/overlay/parameters/metacopy")
    case .fileExtents: .call("ioctl FS_IOC_FIEMAP")
    case .btrfsInfo: .call("ioctl BTRFS_IOC_FS_INFO, BTRFS_IOC_DEV_INFO")
    case .btrfsDevices: .directory("/sys/fs/btrfs/*/devices")
    case .btrfsDevice: .file("/sys/fs/btrfs/*/devices/*/dev")
    case .fileVerityDigest: .call("ioctl FS_IOC_MEASURE_VERITY, FS_IOC_READ_VERITY_METADATA")
    case .fileVeritySignatures: .file("/proc/sys/fs/verity/require_signatures")
    case .fileVerityFeature: .file("/sys/fs/ext4/features/verity")
    case .lockdown: .file("/sys/kernel/security/lockdown")
    case .securityModules: .file("/sys/kernel/security/lsm")
    case .securityModuleNumbers: .call("lsm_list_modules(2)")
    case .integrityPolicy: .directory("/sys/kernel/security/ipe")
    case .integrityPolicies: .directory("/sys/kernel/security/ipe/policies")
    case .integrityPolicyActive: .file("/sys/kernel/security/ipe/policies/*/active")
    case .integrityPolicyVersion: .file("/sys/kernel/security/ipe/policies/*/version")
    case .integrityPolicyText: .file("/sys/kernel/security/ipe/policies/*/policy")
    case .executionCheck: .call("execveat(2) AT_EXECVE_CHECK")
    case .binaryFormats: .directory("/proc/sys/fs/binfmt_misc")
    case .binaryFormatsEnabled: .file("/proc/sys/fs/binfmt_misc/status")
    case .binaryFormat: .file("/proc/sys/fs/binfmt_misc/*")
    case .executedFile: .call("getauxval(3) AT_EXECFD, AT_FLAGS")
    case .integrityPolicyEnforced: .file("/sys/kernel/security/ipe/enforce")
    case .moduleSignatures: .file("/sys/module/module/parameters/sig_enforce")
    case .modules: .file("/proc/modules")
    case .firmware: .directory("/sys/firmware/efi")
    case .secureBoot: .file("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
    case .keyTable: .file("/proc/keys")
    case .keyringContents: .call("keyctl(2) KEYCTL_READ, KEYCTL_DESCRIBE")
    case .unprivilegedBPF: .file("/proc/sys/kernel/unprivileged_bpf_disabled")
    case .compiler: .file("/proc/sys/net/core/bpf_jit_enable")
    case .compilerHardening: .file("/proc/sys/net/core/bpf_jit_harden")
    case .kernelTypes: .file("/sys/kernel/btf/vmlinux")
    case .symbols: .file("/proc/kallsyms")
    case .programObjects: .call("bpf(2) BPF_OBJ_GET_INFO_BY_FD and its like")
    case .programProbe: .call("bpf(2) BPF_PROG_LOAD")
    case .eventSource: .file("/sys/bus/event_source/devices/*/*")
    case .tracingFile: .file("/sys/kernel/tracing/*")
    case .debugTracingFile: .file("/sys/kernel/debug/tracing/*")
    case .identity: .call("geteuid(2), getegid(2), getpid(2), prctl(2) PR_GET_NAME")
    case .threadStatus: .file("/proc/thread-self/status")
    case .processStatus: .file("/proc/*/stat")
    case .userMap: .file("/proc/self/uid_map")
    case .executable: .link("/proc/self/exe")
    case .processNamespace: .link("/proc/self/ns/pid")
    case .networkNamespace: .directory("/proc/thread-self/ns")
    case .initFiles: .directory("/proc/1/fdinfo")
    case .initFile: .file("/proc/1/fdinfo/*")
    case .initMounts: .link("/proc/1/ns/mnt")
    case .loginUser: .file("/proc/self/loginuid")
    case .auditSession: .file("/proc/self/sessionid")
    case .release: .call("uname(2)")
    case .configuration: .file("/proc/config.gz")
    case .distributionConfiguration: .ordinaryFile("/boot/config-*")
    case .distributionModuleConfiguration: .ordinaryFile("/usr/lib/modules/*/config")
    case .bootIdentifier: .file("/proc/sys/kernel/random/boot_id")
    case .processors: .file("/sys/devices/system/cpu/possible")
    case .clock: .call("clock_gettime(2)")
    case .networkInterface: .call("if_nametoindex(3)")
    case .networkInterfaces: .directory("/sys/class/net")
    case .kernelLogNumber: .file("/sys/class/mem/kmsg/dev")
    case .kernelLog: .node("/dev/kmsg", .character, number: .kernelLogNumber)
    }
  }

  /// The path with words filled in for each `*`, or the system call. A `*` that no word is left for stays.
  public func place(_ words: [String]) -> String {
    let pattern =
      switch source {
      case .file(let path), .link(let path), .directory(let path), .node(let path, _, _, _), .ordinaryFile(let path):
        path
      case .call(let call): call
      }
    if words.isEmpty { return pattern }
    var place = ""
    var rest = words[...]
    for character in pattern {
      if character == "*", let word = rest.popFirst() { place += word } else { place.append(character) }
    }
    return place
  }

  /// The same with the words one by one.
  public func place(_ words: String...) -> String { place(words) }
}
