/// What is asked of the gate: the hook of the kernel's that a record is from (`enum gate_hook` in gate.h).
public enum GateHook: UInt32, CaseIterable, Sendable {
  case programLoad = 1
  case program = 2
  case map = 3
  case command = 4
  case unlink = 5
  case rename = 6
  case unmount = 7
  case ptrace = 8
  case mapFile = 9
  case protect = 10
  case processControl = 11
  case loadData = 12
  case readFile = 13
  case execute = 14

  /// The hook as the kernel names it (include/linux/lsm_hook_defs.h).
  public var name: String {
    switch self {
    case .programLoad: "bpf_prog_load"
    case .program: "bpf_prog"
    case .map: "bpf_map"
    case .command: "bpf"
    case .unlink: "inode_unlink"
    case .rename: "inode_rename"
    case .unmount: "sb_umount"
    case .ptrace: "ptrace_access_check"
    case .mapFile: "mmap_file"
    case .protect: "file_mprotect"
    case .processControl: "task_prctl"
    case .loadData: "kernel_load_data"
    case .readFile: "kernel_read_file"
    case .execute: "bprm_check_security"
    }
  }
}

/// Why the gate answered as it did (`enum gate_reason` in gate.h).
public enum GateReason: UInt32, CaseIterable, Sendable {
  // A row admits it.
  case classRow = 1
  case judging = 2
  case digest = 3
  case scope = 4
  // No row does, or the gate protects itself.
  case noExecutable = 16
  case unknownDevice = 17
  case taintedDevice = 18
  case lenientDevice = 19
  case unknownExecutable = 20
  case traced = 21
  case unknownInstructions = 22
  case outsideScope = 23
  case returnModifier = 24
  case ownProgram = 25
  case otherRelocation = 26
  case otherTypes = 27
  case stillJudged = 28
  case noMemory = 29
  case stateUnknown = 30
  case ownPart = 31
  case cgroupLSM = 32
  case listedProcess = 33
  case foreignCode = 34
  case writableCode = 35
  case executableChanged = 36
  case unknownModule = 37
  case kexec = 38

  /// The word for it in JSON and records.
  public var word: String {
    switch self {
    case .classRow: "row-class"
    case .judging: "row-judging"
    case .digest: "row-digest"
    case .scope: "row-scope"
    case .noExecutable: "no-executable"
    case .unknownDevice: "unknown-device"
    case .taintedDevice: "tainted-device"
    case .lenientDevice: "lenient-device"
    case .unknownExecutable: "unknown-executable"
    case .traced: "traced"
    case .unknownInstructions: "unknown-instructions"
    case .outsideScope: "outside-scope"
    case .returnModifier: "return-modifier"
    case .ownProgram: "own-program"
    case .otherRelocation: "other-relocation"
    case .otherTypes: "other-types"
    case .stillJudged: "still-judged"
    case .noMemory: "no-memory"
    case .stateUnknown: "state-unknown"
    case .ownPart: "own-part"
    case .cgroupLSM: "lsm-cgroup"
    case .listedProcess: "listed-process"
    case .foreignCode: "foreign-code"
    case .writableCode: "writable-code"
    case .executableChanged: "executable-changed"
    case .unknownModule: "unknown-module"
    case .kexec: "kexec"
    }
  }

  /// The same as a clause about what was asked for.
  public var text: String {
    switch self {
    case .classRow: "every process may load such programs"
    case .judging: "its executable judges by the policy"
    case .digest: "its instructions have a row"
    case .scope: "its executable has a row for such programs"
    case .noExecutable: "the task runs no file"
    case .unknownDevice: "the process runs a file that lies on no dm-verity device the gate knows"
    case .taintedDevice: "the volume of the process's file was announced again after it was opened"
    case .lenientDevice:
      "the volume of the process's file does not fail on every corrupted block, or its mode is not known"
    case .unknownExecutable: "the file that the process runs has no row"
    case .traced: "another process traces this one"
    case .unknownInstructions: "the instructions have no row"
    case .outsideScope: "its type, or something that it calls, is in no row of the executable"
    case .returnModifier: "it changes what functions of the kernel return"
    case .ownProgram: "it attaches to a program of the gate"
    case .otherRelocation: "CO-RE made other instructions of it than the row has"
    case .otherTypes: "its types are not those of the row"
    case .stillJudged: "its load is not decided yet"
    case .noMemory: "there was no memory for the decision"
    case .stateUnknown: "the gate is not installed to its end"
    case .ownPart: "it is a part of the gate"
    case .cgroupLSM: "it would run after the gate and could undo its answer"
    case .listedProcess: "the process may load programs, and no other may control it"
    case .foreignCode: "the process may run code of its own volume alone"
    case .writableCode: "the process may run no code that was writable"
    case .executableChanged: "the process would pass for another file"
    case .unknownModule: "the module is of no volume that may bring any"
    case .kexec: "another kernel would end the gate"
    }
  }

  /// Whether a row of another plan could have admitted it.
  public var isAboutRows: Bool {
    switch self {
    case .unknownDevice, .unknownExecutable, .unknownInstructions, .outsideScope, .otherRelocation, .otherTypes:
      true
    case .classRow, .judging, .digest, .scope, .noExecutable, .taintedDevice, .lenientDevice, .traced,
      .returnModifier, .ownProgram, .stillJudged, .noMemory, .stateUnknown, .ownPart, .cgroupLSM, .listedProcess,
      .foreignCode, .writableCode, .executableChanged, .unknownModule, .kexec:
      false
    }
  }
}

/// What became of what was asked for (`enum gate_verdict` in gate.h).
public enum GateVerdict: UInt32, CaseIterable, Sendable {
  case passed = 0
  case refused = 1
  /// It passed, because the gate only watches.
  case wouldRefuse = 2

  /// The word for it in JSON and records.
  public var word: String {
    switch self {
    case .passed: "passed"
    case .refused: "refused"
    case .wouldRefuse: "would-be-refused"
    }
  }
}

/// How far the gate binds (`enum gate_mode` in gate.h, and whether it is sealed).
public enum GateStanding: String, CaseIterable, Sendable {
  /// Everything passes; the gate says what it would refuse.
  case watching
  /// Loads are refused; root can take the gate away.
  case enforcing
  /// Loads are refused until the next reboot.
  case sealed
}
