extension KernelStatement {
  /// The tests that show what is done with a statement, and without it: `MODULE/SUITE.test`, or `VM suite.case` for a case
  /// of the test machine (docs/vm.md). A test looks for each of them.
  public var tests: [String] {
    let files = "Linux/KernelFileTests.nothingPutOverAFileIsBelieved"
    let devices = "Linux/KernelDeviceTests.onlyTheKernelsDeviceIsOpened"
    let judged = "HostReport/JudgementTests.judge"
    let hidden = "VM word.hidden-is-no-answer"
    return switch self {
    case .mapperNumber, .mapperControl:
      ["VM word.control-device-in-user-space", "VM word.other-devices-in-its-place"]
    case .mapperDevice, .mappedNode: ["VM word.node-of-another-volume", "VM mount.mounted-twice"]
    case .mapperTable: ["VM witness.swapped-table", "VM witness.no-permission-is-not-no"]
    case .mappedName: [hidden, "VM word.name-that-is-no-text"]
    case .mappedIdentifier: [hidden, "VM mount.what-others-mounted-stays"]
    case .mappedSuspended: ["VM suspended.is-refused-at-once", "VM suspended.meanwhile"]
    case .underlyingDevices, .underlyingNumber: ["VM suspended.device-under-it"]
    case .verityModule: ["VM word.device-older-than-the-module", "Linux/KeyringSealTests.whatItHoldsFor"]
    case .taint: ["VM word.taint-of-a-forced-removal", "VM word.module-removed-by-force"]
    case .keyringUnsealed: ["VM keyring.key-that-root-added-does-not-vouch", "VM word.module-removed-by-force"]
    case .prefetchCluster: ["VM signed-image.loads-a-program", judged]
    case .requireSignatures: [judged]
    case .blockDevice: [hidden, "Linux/KeyringSealTests.whatItHoldsFor"]
    case .blockNumber: ["Command/PlaceTests.rootsOfOnesOwn", files]
    case .loopBackingFile:
      ["Provenance/LoopbackTests.namesOfBackingFiles", "Provenance/LoopbackTests.aNameThatIsNoText", files]
    case .blockName: ["Command/PlaceTests.whatLiesOverSysfsIsNotBelieved", files]
    case .blockNode: ["VM word.node-of-another-volume"]
    case .blockReadOnly, .loopOffset, .loopSizeLimit: ["Command/PlaceTests.whatLiesOverSysfsIsNotBelieved", files]
    case .blockSize: ["VM origin.table-unlike-its-superblock"]
    case .diskSequence: ["Provenance/LoopbackTests.refusesALoopDeviceThatIsChangedMeanwhile", files]
    case .partition, .partitionStart, .partitionSize: ["VM partition.of-a-disk-image-proves", files]
    case .loopControlNumber, .loopControl: [devices]
    case .loopNumber, .loopNode: [devices, "Command/MountTests.mountsEveryLayoutAndUndoesIt"]
    case .loopLabel: ["Command/MountTests.leavesWhatOthersMounted"]
    case .openFile: ["VM origin.only-an-image-proves", "Command/ForeignPlaceTests.aProcessThatAnswersForAFileSystem"]
    case .openFileName: ["VM origin.name-is-looked-up-not-believed"]
    case .mounts: ["VM mount-life.bound-by-others", "Command/MountTests.leavesWhatOthersBound", files]
    case .openFileMount: ["Provenance/OverlayTests.theLayerOfAFile", files]
    case .overlayMetacopy: ["Provenance/OverlayTests.whatIsRefused", files]
    case .fileExtents: ["VM other-file-system.poisoned-page-cache", "Provenance/PlacedBlocksTests.holesAreZeros"]
    case .btrfsInfo, .btrfsDevices, .btrfsDevice:
      ["VM other-file-system.several-devices", "Provenance/BackingDeviceTests.oneDeviceByEveryAnswer"]
    case .fileVerityDigest:
      ["VM fs-verity.changed-on-the-disk", "Command/ForeignPlaceTests.aProcessThatAnswersForFileVerity"]
    case .integrityPolicyText, .executionCheck: ["VM ipe.says-whether-an-object-may-be-executed"]
    case .binaryFormats, .binaryFormatsEnabled, .binaryFormat:
      ["HostReport/BinaryFormatTests.standings", "VM executable.registration", files]
    case .executedFile: ["VM executable.loads-and-attaches", "Command/ExecutedObjectTests.isRefusedByHand"]
    case .fileVeritySignatures: ["VM fs-verity.signed"]
    case .fileVerityFeature, .integrityPolicy, .integrityPolicies, .integrityPolicyActive, .integrityPolicyVersion,
      .integrityPolicyEnforced, .moduleSignatures, .firmware, .secureBoot, .unprivilegedBPF, .compiler,
      .compilerHardening:
      [judged, files]
    case .modules: [judged]
    case .lockdown: ["VM promise.mode-that-root-hides", "VM machine.lockdown"]
    case .securityModules, .securityModuleNumbers: ["VM machine.security-modules", judged]
    case .keyTable, .keyringContents: ["HostReport/JudgementTests.keyTable", "VM host.doctor-sees-what-is-there"]
    case .kernelTypes: ["Loader/KernelTypeSearchTests.endsOnAnyBytes", files]
    case .symbols: ["Loader/KernelValueTests.readsTheSymbolTable", files]
    case .programObjects: ["Loader/LoadTests.describesWhatItLoaded"]
    case .programProbe: ["VM kernel-signature.does-nothing", "HostReport/JudgementTests.generations"]
    case .eventSource: ["Loader/ProbeTests.saysThatAKernelHasNoProbes", "VM loading.kernel-probe"]
    case .tracingFile: ["VM loading.event", "VM loading.lockdown-forbids-probes"]
    case .debugTracingFile: [files]
    case .identity: ["Linux/ProcessIdentityTests.isWhatProcSays"]
    case .clock: ["Command/SignFileTests.expiredIsNotOK"]
    case .networkInterface: ["Loader/AttachPlaceTests.namesAPlaceThatIsNotThere"]
    case .threadStatus, .userMap: ["Linux/ProcessIdentityTests.isWhatProcSays", files]
    case .processStatus, .processNamespace: ["Admission/CrashedRunTests.whatMayLiveIsLeftAlone", files]
    case .executable: ["Linux/ProcessIdentityTests.isWhatProcSays", "VM requester.executable-of-a-volume"]
    case .loginUser, .auditSession: ["Linux/ProcessIdentityTests.isWhatProcSays"]
    case .initFiles, .initFile: ["GateControl/StockTests.programsThatPid1Holds", files]
    case .initMounts: ["GateControl/StockTests.theMountsOfPid1", files]
    case .networkNamespace: ["Loader/AttachPlaceTests.attachesToANamespaceAndATracepoint"]
    case .release: ["Loader/KernelValueTests.fillsInConfigurationAndAddresses"]
    case .configuration, .distributionConfiguration, .distributionModuleConfiguration:
      ["KernelABI/WordTests.configurationsAreLookedForInOneOrder"]
    case .bootIdentifier: ["Admission/AuditTrailTests.readingEndsAtAnotherStartOfTheMachine"]
    case .processors: ["Loader/LoadTests.fillsMapsThatHoldProgramsAndMaps"]
    case .networkInterfaces: ["Command/CompletionTests.proposesWords"]
    case .kernelLogNumber, .kernelLog: ["VM loading.lockdown-forbids-probes", devices]
    }
  }
}
