internal import KernelABI

// Where the kernel can be a second witness: device-mapper, keys, fs-verity.

extension HostFacts {
  /// Rings whose keys the kernel takes for signatures of root hashes and IPE policies.
  private static let trustRings = Set([Keyring.builtin, .secondary, .machine, .platform].map(\.name))
  /// Rings that are shown when they are there.
  private static let shownRings =
    [Keyring.builtin, .secondary, .machine, .platform, .dmVerity, .fsVerity, .bpf, .ima, .blacklist].map(\.name)

  var trustedKeys: Finding {
    let title = "keyrings"
    let loses =
      "the kernel can accept no signed root hash and no signed IPE policy: only what is named by its hash counts"
    let enrol =
      "enrol your certificate in the firmware's db or by mokutil (it is then in .platform or .machine), or build it into "
      + "the kernel (CONFIG_SYSTEM_TRUSTED_KEYS)"
    guard case .text = self[.keyTable] else {
      return Finding(
        "keyrings", title, .unknown,
        "\(KernelStatement.keyTable.place()) cannot be read (\(reason(.keyTable)))", loses: loses,
        close: "run as root, outside a container that hides it")
    }
    let byName = Dictionary(keyrings.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let shown = Self.shownRings.compactMap { byName[$0] }
    let rows = shown.flatMap { self.rows(of: $0) }
    let trusted = shown.filter { Self.trustRings.contains($0.name) }
    let count = trusted.reduce(0) { $0 + ($1.keys?.count { !$0.hasPrefix("keyring ") } ?? 0) }
    if count > 0 {
      return Finding(
        "keyrings", title, .good, "\(count) \(count == 1 ? "key" : "keys") the kernel trusts", details: rows)
    }
    if trusted.isEmpty || trusted.contains(where: { $0.keys == nil }) {
      return Finding(
        "keyrings", title, .unknown, "the rings of trusted keys cannot be read", details: rows, loses: loses,
        close: "run as root")
    }
    return Finding(
      "keyrings", title, .gap, "no key is trusted by the kernel", details: rows, loses: loses, close: enrol)
  }

  private func rows(of ring: KeyringFacts) -> [String] {
    guard let keys = ring.keys else { return ["\(ring.name): cannot be read (\(ring.refusal ?? "no reason"))"] }
    // Hashes that are revoked come by the hundred.
    let listed = ring.name == Keyring.blacklist.name ? [] : keys
    return ["\(ring.name): \(keys.isEmpty ? "empty" : "\(keys.count)")"] + listed.map { "  \($0)" }
  }

  var deviceMapper: Finding {
    let loses =
      "the kernel is no second witness: only verity-bpf proves blocks, and whatever else reads a mounted image gets "
      + "bytes that nobody checked"
    let kernel = "use a kernel with CONFIG_DM_VERITY (Debian's and Fedora's have it), and load it: modprobe dm-verity"
    switch self[.mapperControl] {
    case .absent:
      return Finding(
        "dm-verity", "dm-verity", .gap,
        hasOption("CONFIG_BLK_DEV_DM") == false
          ? "this kernel has no device-mapper" : "there is no \(KernelStatement.mapperControl.place())",
        loses: loses, close: hasOption("CONFIG_BLK_DEV_DM") == true ? "modprobe dm-mod dm-verity" : kernel)
    case .refused(let error):
      return Finding(
        "dm-verity", "dm-verity", .unknown,
        "\(KernelStatement.mapperControl.place()) cannot be opened (\(error))", loses: loses,
        close: "run as root: the kernel tells its tables to nobody else")
    case .text:
      if self[.verityModule].text != nil || options?["CONFIG_DM_VERITY"] == "y" {
        return Finding("dm-verity", "dm-verity", .good, "ready")
      }
      if hasOption("CONFIG_DM_VERITY") == false {
        return Finding("dm-verity", "dm-verity", .gap, "device-mapper without verity", loses: loses, close: kernel)
      }
      return Finding(
        "dm-verity", "dm-verity", .weak, "not loaded yet", loses: "the first mount has to load it",
        close: "modprobe dm-verity, with the parameters you want: they cannot be changed later")
    }
  }

  var rootHashSignatures: Finding? {
    guard self[.mapperControl] != .absent else { return nil }
    let loses = "the kernel takes no signature of a root hash, so that every root hash has to be named one by one"
    guard let has = hasOption("CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG") else {
      return Finding(
        "dm-verity-signatures", "root-hash signatures", .unknown, "the kernel's configuration cannot be found",
        loses: loses, close: "put the configuration into /boot/config-\(release)")
    }
    guard has else {
      return Finding(
        "dm-verity-signatures", "root-hash signatures", .gap, "not in this kernel", loses: loses,
        close: "use a kernel with CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG=y")
    }
    var rings = ["builtin"]
    if hasOption("CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG_SECONDARY_KEYRING") == true { rings.append("secondary") }
    if hasOption("CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG_PLATFORM_KEYRING") == true { rings.append("platform") }
    return Finding(
      "dm-verity-signatures", "root-hash signatures", .good, "by keys in \(rings.joined(separator: ", "))")
  }

  var requiredSignatures: Finding? {
    let (id, loses) = (
      "require-signatures", "volumes with any root hash can be made; only a policy tells good ones from others"
    )
    switch self[.requireSignatures] {
    case .absent: return nil
    case .refused(let error):
      return Finding(
        id, "require_signatures", .unknown, "cannot be read (\(error))", loses: loses, close: Self.lookAtSysfs)
    case .text("Y"), .text("1"):
      return Finding(id, "require_signatures", .good, "on: unsigned volumes are refused")
    case .text:
      return Finding(
        id, "require_signatures", .weak, "off", loses: loses,
        close: "options dm-verity require_signatures=1 in /etc/modprobe.d, and in the initramfs")
    }
  }

  private static let lookAtSysfs = "mount sysfs at /sys, and nothing over its files (findmnt --submounts /sys)"

  /// The `.dm-verity` ring that root can fill, which counts as trusted.
  var verityKeyring: Finding? {
    let (id, title) = ("dm-verity-keyring", ".dm-verity keyring")
    let found: String
    switch self[.keyringUnsealed] {
    case .text("N"), .text("0"): found = "sealed when dm-verity was loaded"
    case .text:
      let keys = keyrings.first { $0.name == Keyring.dmVerity.name }?.keys?.count
      return Finding(
        id, title, .gap,
        "left unsealed when dm-verity was loaded, \(keys.map { "holds \($0)" } ?? "cannot be read")",
        loses: "`signed` can mean signed by a key that root added at run time; it is not taken for trust here",
        close: "load dm-verity without keyring_unsealed=1, before another process can")
    case .absent:
      // Before 7.0 the module had no such ring; without the module there is nothing to ask.
      guard self[.prefetchCluster].text != nil else { return nil }
      found = "not in this kernel"
    case .refused(let error):
      return Finding(
        id, title, .unknown, "whether it is sealed cannot be read (\(error))", loses: Self.losesSeal,
        close: Self.lookAtSysfs)
    }
    guard let tainted = self[.taint].text.flatMap({ UInt64($0) }) else {
      return Finding(
        id, title, .unknown,
        "\(found); whether a module was removed by force cannot be read (\(reason(.taint)))", loses: Self.losesSeal,
        close: "mount procfs at /proc, and nothing over its files (findmnt --submounts /proc)")
    }
    guard !Taint.forcedRemoval.isSet(in: tainted) else {
      return Finding(
        id, title, .unknown, "\(found), but a module was removed by force since the machine started",
        loses: Self.losesSeal, close: "start the machine anew, and find out what removes modules by force (rmmod -f)")
    }
    guard self[.keyringUnsealed].text != nil else { return nil }
    return Finding(id, title, .good, found, details: ["this holds for volumes that were opened since"])
  }

  private static let losesSeal =
    "whether the key that signed a volume is one that root added at run time: no volume counts as signed here"

  var loopDevices: Finding {
    let loses = "images cannot be mounted from files; load --image works without"
    switch self[.loopControl] {
    case .text: return Finding("loop", "loop devices", .good, "ready")
    case .absent:
      return Finding(
        "loop", "loop devices", .weak, "there is no \(KernelStatement.loopControl.place())", loses: loses,
        close: "modprobe loop")
    case .refused(let error):
      return Finding(
        "loop", "loop devices", .weak, "\(KernelStatement.loopControl.place()) cannot be opened (\(error))",
        loses: loses,
        close: "mounting needs root")
    }
  }

  var fsVerity: Finding {
    let loses = "files outside images (on ext4, btrfs, f2fs) cannot be proven by the kernel's fs-verity digest"
    let has = hasOption("CONFIG_FS_VERITY")
    if has == false {
      return Finding(
        "fs-verity", "fs-verity", .weak, "not in this kernel", loses: loses,
        close: "use a kernel with CONFIG_FS_VERITY=y; images need it not")
    }
    guard has == true || self[.fileVeritySignatures].text != nil || self[.fileVerityFeature].text != nil else {
      return Finding(
        "fs-verity", "fs-verity", .unknown, "the kernel's configuration cannot be found", loses: loses,
        close: "put the configuration into /boot/config-\(release)")
    }
    switch self[.fileVeritySignatures] {
    case .text("0"):
      return Finding(
        "fs-verity", "fs-verity", .good, "ready",
        details: ["require_signatures is off: signatures are checked by verity-bpf, against certificates you name"])
    case .text: return Finding("fs-verity", "fs-verity", .good, "ready, signatures are required")
    case .absent, .refused: return Finding("fs-verity", "fs-verity", .good, "ready, without signatures in the kernel")
    }
  }

  /// Why a file has no text, for a message.
  func reason(_ statement: KernelStatement) -> String {
    switch self[statement] {
    case .text: "read"
    case .absent: "it is not there"
    case .refused(let error): error
    }
  }
}
