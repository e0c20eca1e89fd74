import KernelABI
import Testing

/// What the kernel says in texts: lockdown modes, keyrings, configurations, superblocks.
@Suite struct WordTests {
  @Test func lockdownModesAreOrdered() {
    #expect(LockdownMode.allCases == LockdownMode.allCases.sorted())
    #expect(LockdownMode.integrity < .confidentiality && !(LockdownMode.none < .none))
    #expect(LockdownMode(bracketedIn: "none [integrity] confidentiality\n") == .integrity)
    #expect(LockdownMode(bracketedIn: "[none] integrity confidentiality") == LockdownMode.none)
    for text in ["", "none integrity", "[", "][", "[none", "none]", "[NONE]", "[all]"] {
      #expect(LockdownMode(bracketedIn: text) == nil, "\(text)")
    }
  }

  @Test func keyringsHaveTheirNumbers() {
    #expect(Keyring.allCases.compactMap(\.verificationID) == [0, 1, 2])
    #expect(Keyring(rawValue: ".dm-verity")?.since == KernelRelease(7, 0))
    #expect(Keyring(rawValue: ".nobody") == nil)
    // The policy's words, each of one ring.
    #expect(Keyring.allCases.compactMap(\.policyWord) == ["BUILTIN", "SECONDARY", "PLATFORM", "DM_VERITY", "BPF"])
    #expect(Keyring.allCases.filter { $0.since == nil } == [.bpf])
  }

  @Test func configurationsAreRead() {
    let configuration = KernelConfiguration(
      """
      #
      # CONFIG_BPF_LSM is not set
      CONFIG_DM_VERITY=m
      CONFIG_HZ=250
      CONFIG_LSM="lockdown,bpf"
      CONFIG_EMPTY=
      CONFIG_NOTHING
      XCONFIG_OTHER=y
      CONFIG_TWICE=n
      CONFIG_TWICE=y\r
      """)
    #expect(configuration.has("CONFIG_DM_VERITY") && configuration.has("CONFIG_TWICE"))
    #expect(configuration.value(of: "CONFIG_HZ") == "250" && !configuration.has("CONFIG_HZ"))
    #expect(
      configuration.value(of: "CONFIG_LSM") == "\"lockdown,bpf\"" && configuration.value(of: "CONFIG_EMPTY") == "")
    for absent in ["CONFIG_BPF_LSM", "CONFIG_NOTHING", "XCONFIG_OTHER", "HZ", ""] {
      #expect(configuration.value(of: absent) == nil, "\(absent)")
    }
    #expect(!configuration.isEmpty && KernelConfiguration("# CONFIG_X is not set\n").isEmpty)
  }

  /// The kernel's own word comes before what a package put beside it, and a release that is a path leads nowhere.
  @Test func configurationsAreLookedForInOneOrder() {
    #expect(
      KernelConfiguration.places(release: "6.18.3-cloud") == [
        .kernel, .distribution(.distributionConfiguration, release: "6.18.3-cloud"),
        .distribution(.distributionModuleConfiguration, release: "6.18.3-cloud"),
      ])
    for release in ["", "../../tmp/x", "/etc"] {
      #expect(KernelConfiguration.places(release: release) == [.kernel])
    }
  }

  /// The bytes on disk are the number of statfs(2), in the disk's byte order, but for btrfs.
  @Test func superblocksBeginWithTheNumber() throws {
    for type in FileSystemMagic.allCases {
      guard let place = SuperblockPlace(of: type), type != .btrfs else { continue }
      let little = place.bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let big = place.bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      #expect(little == type.rawValue || big == type.rawValue, "\(type.name)")
    }
    #expect(SuperblockPlace(of: .erofs)?.offset == 1024 && SuperblockPlace(of: .tmpfs) == nil)
  }
}
