import Base
import KernelABI
import Linux
import Testing

/// The inventory of what the kernel states: that each entry is consistent, and that the tests it names are there.
@Suite struct StatementTests {
  private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

  /// How a statement is authenticated follows from where it is read.
  @Test(arguments: KernelStatement.allCases)
  func authenticationFitsTheSource(statement: KernelStatement) {
    let fitting: [KernelStatement.Authentication] =
      switch statement.source {
      case .file(let path), .link(let path), .directory(let path):
        ["/proc/", "/sys/"].contains { path.hasPrefix($0) } ? [.kernelFile, .none] : []
      case .node(let path, _, let number, _): path.hasPrefix("/dev/") && number != statement ? [.deviceNumber] : []
      case .ordinaryFile: [.none]
      case .call: [.systemCall, .onTheDevice, .onTheFile]
      }
    #expect(fitting.contains(statement.authentication), "\(statement)")
  }

  /// Whoever adds to these has to say in docs/threat-model.md why nothing that is loaded depends on it.
  @Test func fewAreNotAuthenticated() {
    #expect(
      KernelStatement.allCases.filter { $0.authentication == .none } == [
        .distributionConfiguration, .distributionModuleConfiguration, .bootIdentifier, .processors,
      ])
  }

  @Test func eachHasItsOwnPlace() {
    let places = KernelStatement.allCases.map { $0.place() }
    #expect(Set(places).count == places.count)
    #expect(KernelStatement.diskSequence.place("7:0") == "/sys/dev/block/7:0/diskseq")
    #expect(KernelStatement.eventSource.place("kprobe", "format/retprobe").hasSuffix("/devices/kprobe/format/retprobe"))
    #expect(KernelStatement.eventSource.place("kprobe").hasSuffix("/kprobe/*"))
    #expect(KernelStatement.lockdown.place("more") == "/sys/kernel/security/lockdown")
  }

  private static func text(_ path: String) throws -> String {
    String(decoding: try OwnedFD.open(path, .readOnly).readToEnd(limit: 1 << 20) ?? [], as: UTF8.self)
  }

  /// Every Swift file below a directory of Tests, as text.
  private static func sources(_ directory: String) throws -> [String] {
    try Directory.names(directory).flatMap { name throws in
      let path = "\(directory)/\(name)"
      if name.hasSuffix(".swift") { return [try text(path)] }
      return try FileStatus.of(path: path).kind == .directory ? try sources(path) : []
    }
  }

  @Test(arguments: KernelStatement.allCases)
  func namesTestsThatAreThere(statement: KernelStatement) throws {
    #expect(!statement.tests.isEmpty)
    for test in statement.tests {
      let words = test.split(whereSeparator: { " /.".contains($0) }).map { String($0) }
      try #require(words.count == 3, "\(test)")
      if words[0] == "VM" {
        let sources = try Self.sources("\(Self.root)/Tests/VMTests")
        let suite = sources.filter { $0.contains("name: \"\(words[1])\"") }
        #expect(suite.contains { $0.contains("Case(\"\(words[2])\"") }, "there is no case \(test)")
      } else {
        let sources = try Self.sources("\(Self.root)/Tests/\(words[0])Tests")
        let suite = sources.filter { $0.contains("struct \(words[1]) ") || $0.contains("extension \(words[1]) ") }
        #expect(suite.contains { $0.contains("func \(words[2])(") }, "there is no test \(test)")
      }
    }
  }

  /// What the C functions of the edge ask the kernel for; nil for those that only do things.
  private static let functions: [String: KernelStatement?] = [
    "vb_add_thread_key": nil, "vb_begin_sync": nil, "vb_block_device_size": .blockSize, "vb_bpf": .programObjects,
    "vb_btrfs_device": .btrfsInfo, "vb_btrfs_info": .btrfsInfo, "vb_exchange": nil, "vb_extents": .fileExtents,
    "vb_check_execution": .executionCheck, "vb_executed_file": .executedFile, "vb_keeps_first_word": .executedFile,
    "vb_fstatfs_flags": .openFile,
    "vb_change_time": .openFile, "vb_close": nil,
    // What an attribute says is the word of those who may write the file.
    "vb_getxattr": nil, "vb_disk_sequence": .diskSequence, "vb_dm_command": .mapperTable,
    "vb_dm_one_target": nil, "vb_errno_text": nil, "vb_fcntl_dupfd_cloexec": nil, "vb_fcntl_getfl": .openFile,
    "vb_fstatfs_type": .openFile, "vb_fstatx": .openFile, "vb_get_command": .identity,
    "vb_key_describe": .keyringContents,
    "vb_keyring_read": .keyringContents, "vb_lock_exclusive": nil, "vb_lock_exclusive_now": nil,
    "vb_loop_change_fd": nil,
    "vb_loop_clear": nil, "vb_loop_configure": nil, "vb_loop_get_free": .loopControl, "vb_loop_get_status": .loopLabel,
    "vb_lsm_list": .securityModuleNumbers, "vb_memfd_create": nil, "vb_memfd_seal": nil, "vb_mount": nil,
    // Records of the gate, in memory that the kernel shares.
    "vb_load_acquire_32": .programObjects, "vb_load_acquire_64": .programObjects, "vb_poll_readable": nil,
    "vb_store_release_64": nil,
    "vb_move_thread": nil, "vb_open": nil, "vb_open_within_mount": nil, "vb_openat": nil, "vb_perf_event_enable": nil,
    "vb_perf_event_open": nil, "vb_pread_cached": nil, "vb_probe_helper": .programProbe,
    "vb_probe_program_signature": .programProbe, "vb_processor": nil, "vb_set_cloexec": nil,
    "vb_signal_is_ignored": nil,
    "vb_statx": .openFile, "vb_statx_at": .openFile, "vb_umount": nil, "vb_unlink_thread_key": nil, "vb_unlock": nil,
    "vb_unshare_mounts": nil, "vb_verity_measure": .fileVerityDigest, "vb_verity_metadata": .fileVerityDigest,
  ]

  /// A function that is new in the headers has to say what it asks for.
  @Test func everyFunctionOfTheEdgeIsListed() throws {
    var declared: Set<String> = []
    for name in ["CLinuxShim.h", "CLinuxBPF.h", "CLinuxDM.h", "CLinuxHost.h"] {
      for word in try Self.text("\(Self.root)/Sources/CShims/include/\(name)").split(whereSeparator: {
        " *\n".contains($0)
      })
      where word.hasPrefix("vb_") && word.contains("(") {
        declared.insert(String(word.prefix { $0 != "(" }))
      }
    }
    #expect(declared == Set(Self.functions.keys))
  }

  @Test func forcedRemovalIsABit() {
    #expect(!Taint.forcedRemoval.isSet(in: 0) && !Taint.forcedRemoval.isSet(in: ~8))
    #expect(Taint.forcedRemoval.isSet(in: 8) && Taint.forcedRemoval.isSet(in: 4617))
    #expect(Taint.forcedModule.isSet(in: 2))
  }
}
