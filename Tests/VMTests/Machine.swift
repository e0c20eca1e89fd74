import CVMSupport
import Glibc
import Linux

/// The test machine: its mounts, modules, settings, and the port to the host.
enum Machine {
  /// Where the host reads the results.
  private static let port = "/dev/vport0p1"
  /// What the host put on the kernel's command line as `verity_bpf.NAME=VALUE`.
  private static let settings: [String: String] = {
    let words = (try? read("/proc/cmdline")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    var settings: [String: String] = [:]
    for word in words.split(whereSeparator: { $0 == " " || $0 == "\n" }) where word.hasPrefix("verity_bpf.") {
      let parts = word.dropFirst("verity_bpf.".count).split(separator: "=", maxSplits: 1)
      if let name = parts.first { settings[String(name)] = parts.count == 2 ? String(parts[1]) : "" }
    }
    return settings
  }()

  static func setting(_ name: String) -> String? { settings[name] }

  static let boot = Boot(rawValue: setting("boot") ?? "") ?? .integrity

  /// Mounts the kernel's file systems and inserts the modules that the host packed, in their order.
  static func setUp() throws {
    for (type, place) in [
      ("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp"), ("tmpfs", "/run"),
    ] {
      try Mount.mount(type, on: place, type: type)
    }
    try Mount.mount("securityfs", on: "/sys/kernel/security", type: "securityfs")
    try Mount.mount("bpf", on: "/sys/fs/bpf", type: "bpf")
    try Mount.mount("tracefs", on: "/sys/kernel/tracing", type: "tracefs")
    try Mount.mount("cgroup2", on: "/sys/fs/cgroup", type: "cgroup2")
    let order = try read("/modules/order")
    for name in String(decoding: order, as: UTF8.self).split(separator: "\n") { try insertModule(String(name)) }
  }

  /// Inserts a module that the host packed.
  static func insertModule(_ name: String, parameters: String = "") throws {
    let file = try OwnedFD.open("/modules/\(name).ko", .readOnly)
    let result = file.withRaw { vm_insert_module($0, parameters) }
    if result != 0 { throw SystemError("finit_module", path: name, errno: errno) }
  }

  /// Takes a module out that nobody uses.
  static func removeModule(_ name: String) throws {
    // A volume that was closed last may be on its way out still.
    for attempt in 1... {
      if vm_delete_module(name) == 0 { return }
      guard errno == EAGAIN, attempt < 50 else {
        let error = SystemError("delete_module", path: name, errno: errno)
        // What uses it is more often than not a volume that a case has left.
        throw Failure(description: "\(error); device-mapper devices: \(volumes())")
      }
      Timestamp.pause(milliseconds: 100)
    }
  }

  /// The names of all device-mapper devices.
  private static func volumes() -> [String] {
    let volumes = (try? Directory.names("/sys/block"))?.filter { $0.hasPrefix("dm-") } ?? []
    return volumes.map { (try? text("/sys/block/\($0)/dm/name").trimmed) ?? $0 }
  }

  /// The device-mapper devices that are there, except some, at the latest in a moment: what the kernel takes down with its
  /// last user it takes down in the background.
  static func volumesLeft(except known: Set<String>) -> [String] {
    for attempt in 1... {
      let left = volumes().filter { !known.contains($0) }
      if left.isEmpty || attempt == 50 { return left }
      Timestamp.pause(milliseconds: 100)
    }
    return []
  }

  /// The signature of the demo image that this kernel takes; nil where it trusts no key of ours.
  static let signature: String? = {
    // Kernels before 6.8 or so look for dm-verity's keys in other keyrings only.
    let option = "CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG_PLATFORM_KEYRING=y"
    return boot == .secureBoot && isConfigured(option) ? "demo.roothash.p7s" : nil
  }()

  /// Whether the kernel was configured with that line.
  static func isConfigured(_ line: String) -> Bool {
    ((try? text("/kernel-config")) ?? "").split(separator: "\n").contains { $0 == line }
  }

  /// Skips a case about probes of many functions, which kernels without CONFIG_FPROBE refuse.
  static func requireProbesOfManyFunctions() throws {
    guard isConfigured("CONFIG_FPROBE=y") else {
      throw Skipped(
        reason: "this kernel has no probes of many functions (CONFIG_FPROBE): BPF_LINK_CREATE says EOPNOTSUPP")
    }
  }

  /// Forgets clean pages: what is read next comes from the devices.
  static func dropCaches() throws { try write("/proc/sys/vm/drop_caches", Array("3".utf8)) }

  /// Writes a line to the host.
  static func say(_ line: String) {
    guard let port = try? OwnedFD.open(port, .writeOnly) else { return print(line) }
    try? port.writeAll(Array("\(line)\n".utf8).span.bytes)
  }

  static func read(_ path: String) throws -> [UInt8] {
    try OwnedFD.open(path, .readOnly).readToEnd(limit: 1 << 30) ?? []
  }

  static func text(_ path: String) throws -> String { String(decoding: try read(path), as: UTF8.self) }

  static func write(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws {
    let file = try OwnedFD.open(path, [.writeOnly, .create, .truncate], mode: mode)
    try file.writeAll(bytes.span.bytes)
  }

  static func rename(_ path: String, to other: String) throws {
    if Glibc.rename(path, other) != 0 { throw SystemError("rename", path: path, errno: errno) }
  }

  /// A new private directory on tmpfs.
  static func temporaryDirectory() throws -> String { try Directory.createTemporary(prefix: "case", in: "/tmp") }
}
