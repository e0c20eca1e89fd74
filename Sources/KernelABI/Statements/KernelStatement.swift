/// A statement of the running kernel that a fact, a message or a command rests on.
///
/// This is the inventory of all of them. What reads the kernel takes one of these as its argument, so that nothing is read
/// that has no entry; each property is a switch over every case. The table in docs/threat-model.md follows from it
/// (`make generated`).
public enum KernelStatement: String, CaseIterable, Sendable {
  // The device-mapper.
  case mapperNumber = "mapper-number"
  case mapperControl = "mapper-control"
  case mapperDevice = "mapper-device"
  case mapperTable = "mapper-table"
  case mappedNode = "mapped-node"
  case mappedName = "mapped-name"
  case mappedIdentifier = "mapped-uuid"
  case mappedSuspended = "mapped-suspended"
  // The dm-verity module and its keyring.
  case verityModule = "verity-module"
  case keyringUnsealed = "keyring-unsealed"
  case prefetchCluster = "prefetch-cluster"
  case requireSignatures = "require-signatures"
  case taint
  // Block devices.
  case blockDevice = "block-device"
  case blockNumber = "block-number"
  case blockName = "block-name"
  case blockNode = "block-node"
  case blockReadOnly = "block-read-only"
  case blockSize = "block-size"
  case underlyingDevices = "underlying-devices"
  case underlyingNumber = "underlying-number"
  case diskSequence = "disk-sequence"
  case partition
  case partitionStart = "partition-start"
  case partitionSize = "partition-size"
  // Loop devices.
  case loopControlNumber = "loop-control-number"
  case loopControl = "loop-control"
  case loopNumber = "loop-number"
  case loopNode = "loop-node"
  case loopBackingFile = "loop-backing-file"
  case loopOffset = "loop-offset"
  case loopSizeLimit = "loop-size-limit"
  case loopLabel = "loop-label"
  // Open files and mounts.
  case openFile = "open-file"
  case openFileName = "open-file-name"
  case mounts
  case fileExtents = "file-extents"
  case btrfsInfo = "btrfs-info"
  case btrfsDevices = "btrfs-devices"
  case btrfsDevice = "btrfs-device"
  case fileVerityDigest = "file-verity-digest"
  case fileVeritySignatures = "file-verity-signatures"
  case fileVerityFeature = "file-verity-feature"
  // Lockdown, security modules, the boot chain.
  case lockdown
  case securityModules = "security-modules"
  case securityModuleNumbers = "security-module-numbers"
  case integrityPolicy = "ipe"
  case integrityPolicies = "ipe-policies"
  case integrityPolicyActive = "ipe-policy-active"
  case integrityPolicyVersion = "ipe-policy-version"
  case integrityPolicyText = "ipe-policy-text"
  case integrityPolicyEnforced = "ipe-enforced"
  case executionCheck = "execution-check"
  case moduleSignatures = "module-signatures"
  case modules
  case firmware
  case secureBoot = "secure-boot"
  // Keyrings.
  case keyTable = "key-table"
  case keyringContents = "keyring-contents"
  // BPF.
  case unprivilegedBPF = "unprivileged-bpf"
  case compiler = "jit"
  case compilerHardening = "jit-harden"
  case kernelTypes = "kernel-types"
  case symbols
  case programObjects = "bpf-objects"
  case programProbe = "program-probe"
  case eventSource = "event-source"
  case tracingFile = "tracing-file"
  case debugTracingFile = "debug-tracing-file"
  // This process, and others.
  case identity
  case threadStatus = "thread-status"
  case processStatus = "process-status"
  case userMap = "user-map"
  case executable
  case processNamespace = "process-namespace"
  case networkNamespace = "network-namespace"
  case loginUser = "login-user"
  case auditSession = "audit-session"
  // The kernel itself.
  case release
  case configuration
  case distributionConfiguration = "distribution-configuration"
  case distributionModuleConfiguration = "distribution-module-configuration"
  case bootIdentifier = "boot-id"
  case processors
  case clock
  case networkInterfaces = "network-interfaces"
  case networkInterface = "network-interface"
  case kernelLogNumber = "kernel-log-number"
  case kernelLog = "kernel-log"
}

extension KernelStatement {
  /// What the kernel states, as the object of a sentence.
  public var subject: String {
    switch self {
    case .mapperNumber: "the number of the device-mapper's control device"
    case .mapperControl: "the device-mapper's control device"
    case .mapperDevice: "the device-mapper device of a name"
    case .mapperTable: "the active table of a device-mapper device, and the state of its targets"
    case .mappedNode: "the device of a volume that was just set up"
    case .mappedName: "whether a block device is the device-mapper's, and its name there"
    case .mappedIdentifier: "the UUID of a device-mapper device"
    case .mappedSuspended: "whether a device-mapper device is suspended"
    case .verityModule: "whether dm-verity is loaded, and since when"
    case .keyringUnsealed: "whether the `.dm-verity` keyring was left unsealed"
    case .prefetchCluster: "that dm-verity has parameters, and none about a keyring"
    case .requireSignatures: "whether dm-verity takes signed volumes only"
    case .taint: "whether a module was removed by force since the machine started"
    case .blockDevice: "the block device of a number, and since when it is there"
    case .blockNumber: "the number of a block device"
    case .blockName: "the name of a block device's node"
    case .blockNode: "the contents of a block device"
    case .blockReadOnly: "whether a block device is read-only"
    case .blockSize: "how large a block device is"
    case .underlyingDevices: "the names of the devices that a block device lies on"
    case .underlyingNumber: "the number of a device that a block device lies on"
    case .diskSequence: "the disk sequence of a block device"
    case .partition: "whether a block device is a partition"
    case .partitionStart: "where a partition begins"
    case .partitionSize: "how long a partition is"
    case .loopControlNumber: "the number of the loop devices' control device"
    case .loopControl: "the loop devices' control device"
    case .loopNumber: "the number of a loop device"
    case .loopNode: "a loop device"
    case .loopBackingFile: "the backing file of a loop device"
    case .loopOffset: "where a loop device begins in its file"
    case .loopSizeLimit: "how much of its file a loop device covers"
    case .loopLabel: "the label that a loop device was set up with"
    case .openFile:
      "kind, inode, size, owner, mode, device and file system of an open file, and whether its mount is read-only"
    case .openFileName: "the path of an open file"
    case .mounts: "where a device is mounted in this mount namespace, and which of its directories"
    case .fileExtents: "which blocks of the device are an open file's"
    case .btrfsInfo: "how many devices a btrfs file system has"
    case .btrfsDevices: "which devices a btrfs file system has"
    case .btrfsDevice: "the number of a device of a btrfs file system"
    case .fileVerityDigest: "the fs-verity digest of an open file, and the signature that it was given"
    case .fileVeritySignatures: "whether the kernel checks signatures of files with fs-verity, and wants them"
    case .fileVerityFeature: "whether ext4 has fs-verity"
    case .lockdown: "the lockdown mode"
    case .securityModules: "the active security modules"
    case .securityModuleNumbers: "the numbers of the active security modules"
    case .integrityPolicy: "whether IPE is there"
    case .integrityPolicies: "the policies that IPE has"
    case .integrityPolicyActive: "whether a policy of IPE is active"
    case .integrityPolicyText: "what a policy of IPE says"
    case .executionCheck: "whether IPE would let the object be executed"
    case .integrityPolicyVersion: "the version of a policy of IPE"
    case .integrityPolicyEnforced: "whether IPE enforces its policy"
    case .moduleSignatures: "whether modules have to be signed"
    case .modules: "whether the kernel takes modules"
    case .firmware: "whether the machine was started by UEFI"
    case .secureBoot: "whether Secure Boot is on"
    case .keyTable: "the kernel's keyrings and their serials"
    case .keyringContents: "what is in a keyring"
    case .unprivilegedBPF: "who may load programs without privileges"
    case .compiler: "whether programs are compiled"
    case .compilerHardening: "whether constants are blinded"
    case .kernelTypes: "the kernel's own types"
    case .symbols: "the addresses of the kernel's symbols"
    case .programObjects: "the programs, maps, links and types that the kernel holds"
    case .programProbe: "which programs and signatures the kernel takes, by trying"
    case .eventSource: "the number of an event source"
    case .tracingFile, .debugTracingFile: "the number of a tracepoint, and what can be probed"
    case .identity: "user, group, id and name of this process"
    case .threadStatus: "the capabilities of this thread, and whether a seccomp filter is installed"
    case .processStatus: "since when a process runs"
    case .userMap: "whether this process is in a user namespace"
    case .executable: "the executable of this process"
    case .processNamespace: "the pid namespace of this process"
    case .networkNamespace: "the network namespace of this thread"
    case .loginUser: "the login user of this process"
    case .auditSession: "the audit session of this process"
    case .release: "the kernel's release"
    case .configuration: "the kernel's configuration"
    case .distributionConfiguration, .distributionModuleConfiguration:
      "the kernel's configuration, as the distribution wrote it"
    case .bootIdentifier: "which start of the machine this is"
    case .processors: "how many processors the kernel provides for"
    case .clock: "the time, against which the dates of certificates are held"
    case .networkInterfaces: "the network interfaces"
    case .networkInterface: "the number of a network interface"
    case .kernelLogNumber: "the number of the kernel's log device"
    case .kernelLog: "the last messages of the kernel's log"
    }
  }
}
