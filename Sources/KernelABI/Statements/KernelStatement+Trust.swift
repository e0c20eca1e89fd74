extension KernelStatement {
  /// How it is known that the kernel makes a statement, and nothing that root has put in its place.
  public enum Authentication: String, CaseIterable, Sendable {
    case kernelFile
    case deviceNumber
    case onTheDevice
    case onTheFile
    case systemCall
    case none

    /// The same in words.
    public var text: String {
      switch self {
      case .kernelFile: "the file system's type and root are asked on the open descriptor, and no mount is crossed"
      case .deviceNumber: "a device node of that kind whose number is what sysfs says"
      case .onTheDevice: "asked on a device whose number was compared with sysfs"
      case .onTheFile: "asked on the open descriptor, on file systems whose own code answers"
      case .systemCall: "no path is between the kernel and the question"
      case .none: "not: what lies at that path"
      }
    }
  }

  /// How it is authenticated.
  public var authentication: Authentication {
    switch self {
    case .mapperNumber, .mappedName, .mappedIdentifier, .mappedSuspended, .underlyingDevices, .underlyingNumber,
      .verityModule, .keyringUnsealed, .prefetchCluster,
      .requireSignatures, .taint, .blockDevice, .blockNumber, .blockName, .blockReadOnly, .diskSequence, .partition,
      .partitionStart, .partitionSize, .loopControlNumber, .loopNumber, .loopBackingFile, .loopOffset, .loopSizeLimit,
      .openFileName, .openFileMount, .mounts, .overlayMetacopy, .btrfsDevices, .btrfsDevice, .fileVeritySignatures,
      .fileVerityFeature, .lockdown, .securityModules, .integrityPolicy,
      .integrityPolicies, .integrityPolicyActive, .integrityPolicyVersion, .integrityPolicyText,
      .integrityPolicyEnforced, .binaryFormats, .binaryFormatsEnabled, .binaryFormat,
      .moduleSignatures, .modules, .firmware, .secureBoot, .keyTable, .unprivilegedBPF, .compiler, .compilerHardening,
      .kernelTypes,
      .symbols, .eventSource, .tracingFile, .debugTracingFile, .threadStatus, .processStatus, .userMap, .executable,
      .processNamespace, .networkNamespace, .initFiles, .initFile, .initMounts, .loginUser, .auditSession,
      .configuration,
      .networkInterfaces,
      .kernelLogNumber:
      .kernelFile
    case .mapperControl, .mappedNode, .blockNode, .loopControl, .loopNode, .kernelLog: .deviceNumber
    case .mapperDevice, .mapperTable, .loopLabel, .blockSize: .onTheDevice
    case .fileVerityDigest, .fileExtents, .btrfsInfo: .onTheFile
    case .openFile, .executionCheck, .executedFile, .securityModuleNumbers, .keyringContents, .programObjects,
      .programProbe, .release,
      .identity,
      .clock,
      .networkInterface:
      .systemCall
    // Containers have a boot identifier and a count of processors of their own, put over the kernel's.
    case .bootIdentifier, .processors, .distributionConfiguration, .distributionModuleConfiguration: .none
    }
  }

  /// For what time a statement holds.
  public enum Validity: String, CaseIterable, Sendable {
    case boot
    case module
    case compared
    case descriptor
    case process
    case reading

    /// The same in words.
    public var text: String {
      switch self {
      case .boot: "until the next reboot"
      case .module: "for volumes that are younger than the module, unless one was removed by force"
      case .compared: "while the object is examined: it is read again afterwards, and compared"
      case .descriptor: "as long as the descriptor is open"
      case .process: "as long as the process runs"
      case .reading: "when it is read"
      }
    }
  }

  /// For what time it holds.
  public var validity: Validity {
    switch self {
    case .taint, .fileVeritySignatures, .fileVerityFeature, .lockdown, .securityModules, .securityModuleNumbers,
      .integrityPolicy, .moduleSignatures, .firmware, .secureBoot, .kernelTypes, .eventSource, .release,
      .configuration, .bootIdentifier, .processors, .kernelLogNumber:
      .boot
    case .keyringUnsealed, .prefetchCluster: .module
    case .mapperTable, .blockDevice, .blockNumber, .blockReadOnly, .diskSequence, .partition, .partitionStart,
      .partitionSize, .loopBackingFile, .loopOffset, .loopSizeLimit, .btrfsInfo, .btrfsDevices, .btrfsDevice:
      .compared
    case .mapperControl, .mappedNode, .blockNode, .blockSize, .loopControl, .loopNode, .kernelLog, .openFile,
      .fileVerityDigest, .fileExtents,
      .programObjects, .networkNamespace:
      .descriptor
    case .identity, .userMap, .executable, .executedFile, .processNamespace, .loginUser, .auditSession: .process
    case .clock, .networkInterface, .mapperNumber, .mapperDevice, .mappedName, .mappedIdentifier, .mappedSuspended,
      .underlyingDevices, .underlyingNumber, .verityModule,
      .requireSignatures, .blockName,
      .loopControlNumber, .loopNumber, .loopLabel, .openFileName, .openFileMount, .mounts, .overlayMetacopy,
      .integrityPolicies, .integrityPolicyActive, .integrityPolicyVersion, .integrityPolicyText,
      .integrityPolicyEnforced, .executionCheck, .binaryFormats, .binaryFormatsEnabled, .binaryFormat, .modules,
      .keyTable,
      .keyringContents, .unprivilegedBPF,
      .compiler, .compilerHardening, .symbols, .programProbe, .tracingFile, .debugTracingFile, .threadStatus,
      .processStatus, .initFiles, .initFile, .initMounts, .distributionConfiguration, .distributionModuleConfiguration,
      .networkInterfaces:
      .reading
    }
  }

  /// What follows where a statement could not be had.
  public enum Unknown: Equatable, Sendable {
    /// The run is refused with that code.
    case refused(String)
    /// It counts as the worst.
    case worst(String)
    /// A message or record is without it, or says that it is not known; nothing is decided by it.
    case unsaid(String)

    /// The same in words.
    public var text: String {
      switch self {
      case .refused(let code): "refused: `\(code)`"
      case .worst(let text), .unsaid(let text): text
      }
    }
  }

  /// What "unknown" does.
  public var unknown: Unknown {
    switch self {
    case .mapperNumber, .mapperControl, .mappedNode, .mappedName, .mappedIdentifier, .blockDevice, .blockNumber,
      .blockName,
      .blockNode, .blockReadOnly, .diskSequence, .partition, .partitionStart, .partitionSize, .loopControlNumber,
      .loopControl, .loopNumber, .loopNode, .loopBackingFile, .loopOffset, .loopSizeLimit, .mounts, .btrfsDevices,
      .btrfsDevice, .openFileMount, .overlayMetacopy:
      .refused("provenance.cannot-ask")
    case .mapperDevice, .mapperTable: .refused("provenance.no-table")
    case .loopLabel: .refused("mount.not-ours")
    case .verityModule, .keyringUnsealed, .prefetchCluster, .taint:
      .worst("the keyring counts as unsealed, so `dmverity_signature` is FALSE; `doctor` says unknown")
    case .openFile: .refused("provenance.not-a-file")
    case .fileExtents: .worst("the file's blocks are not verified here: `x_blocks_verified` is FALSE")
    case .btrfsInfo: .refused("system.failed")
    case .integrityPolicyText, .executionCheck: .worst("`x_kernel_execute` is not known: no rule about it matches")
    case .executedFile: .worst("the object counts as one that was not executed: `x_executed` is FALSE")
    case .binaryFormats, .binaryFormatsEnabled: .refused("binfmt.not-mounted")
    case .binaryFormat: .worst("the registration counts as one that comes before this program's")
    case .fileVerityDigest: .worst("the file has no fs-verity: no fact of it, and no rule about it matches")
    case .fileVeritySignatures: .worst("the kernel checked no signature: `fsverity_signature` is FALSE")
    case .lockdown: .worst("every mode counts as the one in force: an object has to bear all that its author allows")
    case .kernelTypes: .refused("load.kernel-btf")
    case .symbols, .release, .blockSize: .refused("system.failed")
    case .configuration, .distributionConfiguration, .distributionModuleConfiguration:
      .worst("a value that the program needs is refused; `policy check` says `policy.no-kernel-config`")
    case .programObjects: .refused("load.attach")
    case .eventSource, .tracingFile, .debugTracingFile, .networkNamespace, .networkInterface: .refused("load.attach")
    case .bootIdentifier: .worst("`ps` refuses: `audit.no-boot-id`; an attempt counts as one that may still run")
    case .executable: .worst("the requester's executable is not known, and no rule about it matches")
    case .processStatus, .processNamespace: .worst("an attempt counts as one that may still run")
    case .initFiles, .initFile:
      .worst("no program counts as held by pid 1, so a foreign one keeps the gate from being sealed")
    case .initMounts: .worst("`gate status` does not say that the gate stays until the next reboot")
    case .clock: .worst("the time is the Epoch, and every certificate out of date")
    case .identity: .unsaid("it is always answered")
    case .processors: .worst("one processor; the kernel refuses what is too small")
    case .requireSignatures, .fileVerityFeature, .securityModules, .securityModuleNumbers, .integrityPolicy,
      .integrityPolicies, .integrityPolicyActive, .integrityPolicyVersion, .integrityPolicyEnforced, .moduleSignatures,
      .modules, .firmware, .secureBoot, .keyTable, .keyringContents, .unprivilegedBPF, .compiler, .compilerHardening,
      .programProbe:
      .unsaid("`doctor` says unknown; nothing is decided by it")
    case .threadStatus, .userMap, .kernelLog, .kernelLogNumber:
      .unsaid("a refusal names no cause that it would have shown; nothing is decided by it")
    case .openFileName: .unsaid("the file system's directories are searched for the inode")
    case .mappedSuspended, .underlyingDevices, .underlyingNumber:
      .unsaid("a read may wait until the device is resumed; nothing is decided by it")
    case .loginUser, .auditSession: .unsaid("the record is without it")
    case .networkInterfaces: .unsaid("none is offered for completion")
    }
  }
}
