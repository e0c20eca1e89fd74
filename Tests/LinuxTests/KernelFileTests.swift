import Linux
import Testing

/// What the kernel says, and what was put in its place. How it is done by root is in `Tests/VMTests/KeyringCases.swift`
/// and `LoopbackTests`.
@Suite struct KernelFileTests {
  @Test func readsWhatTheKernelSays() throws {
    let release = try KernelReports.release()
    #expect(KernelFile.read("/proc/sys/kernel/osrelease") == .text(release))
    // By way of links that stay within procfs.
    #expect(KernelFile.text("/proc/thread-self/status")?.contains("CapEff:") == true)
    #expect(KernelFile.text("/sys/kernel/mm/transparent_hugepage/enabled") ?? "[" != "")
  }

  @Test func saysThatTheKernelHasNone() {
    for path in ["/sys/kernel/no-such-file", "/sys/no/such/file", "/proc/sys/kernel/none", "/proc/self/none"] {
      #expect(KernelFile.read(path) == .absent, "\(path)")
    }
  }

  /// Other file systems, mounted on directories of sysfs and procfs, and paths that lead out of them.
  @Test(arguments: [
    "/sys/fs/cgroup/cgroup.procs", "/sys/../etc/hostname", "/proc/self/root/etc/hostname", "/proc/self/cwd",
    "/proc/mounts/../../etc/hostname", "/etc/hostname", "relative", "/sysfs/x", "/sys",
  ])
  func isAnsweredByNobodyElse(path: String) throws {
    guard case .unknown = KernelFile.read(path) else {
      // A directory of cgroups that is not mounted is the kernel's own empty one.
      try #require(KernelFile.read(path) == .absent, "\(path): \(KernelFile.read(path))")
      try #require(["/sys/fs/cgroup/cgroup.procs", "/proc/mounts/../../etc/hostname"].contains(path))
      return
    }
  }
}
