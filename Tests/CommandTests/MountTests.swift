import Base
import Linux
import TestSupport
import Testing

/// `mount` and `umount` as a user runs them. Without device-mapper here, the volumes of dm-verity are the test
/// machine's business (Tests/VMTests).
@Suite(.enabled(if: ProcessIdentity.current().uid == 0, "not root: nothing can be mounted")) struct MountTests {
  /// The loop devices over files of a directory.
  static func loops(_ directory: TemporaryDirectory) throws -> [String] {
    try Tools.run("losetup", "--all", "--noheadings", "--output", "BACK-FILE").split(whereSeparator: \.isNewline)
      .map(String.init).filter { $0.contains(directory.path) }
  }

  private static func loopsGo(_ directory: TemporaryDirectory) async throws -> Bool {
    for _ in 0..<50 {
      if try loops(directory).isEmpty { return true }
      try await Task.sleep(for: .milliseconds(100))
    }
    return false
  }

  @Test(arguments: ["appended", "sidecar", "ddi"])
  func mountsEveryLayoutAndUndoesIt(layout: String) async throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, layout)
    let target = directory.file("mount")
    try Directory.create(target)
    let mounted = try VerityBPFCommand.run(
      ["mount", "\(layout).raw", "mount", "--no-signature", "--no-device-mapper", "--json"], in: directory.path)
    defer { _ = try? Subprocess.run(["umount", target]) }
    try #require(mounted.status == 0, "\(mounted.errors)")
    #expect(try mounted.json()["witness"] == "none")
    let options = try Tools.run("findmnt", "--noheadings", "--output", "OPTIONS", target)
    for option in ["ro", "nosuid", "nodev", "noexec"] { #expect(options.contains(option), "\(options)") }
    #expect(try Self.loops(directory).count == 1)

    // The descriptor of a file on it leads back to the image.
    let proven = try VerityBPFCommand.run(
      ["provenance", "--fd", "3", "--json"], in: directory.path,
      wrapper: ["sh", "-c", "exec \"$@\" 3< mount/a.bpf.o", "sh"])
    #expect(proven.status == 0, "\(proven.errors)")

    let unmounted = try VerityBPFCommand.run(["umount", "mount"], in: directory.path)
    #expect(unmounted.status == 0, "\(unmounted.errors)")
    // The device goes when the last who has it open closes it, and other tests look at all devices there are.
    #expect(try await Self.loopsGo(directory))
    let again = try VerityBPFCommand.run(["umount", "mount"], in: directory.path)
    #expect(again.status == 1 && again.errors.contains("no mount point"), "\(again.errors)")
  }

  /// A signature that lies beside the image is for the kernel; where the kernel cannot take it, that is said.
  @Test(
    .enabled(if: (try? FileStatus.of(path: "/dev/mapper/control")) == nil, "device-mapper: see `mount.*` in the VM"),
    arguments: ["appended", "ddi"])
  func saysThatTheSignatureIsNotUsed(layout: String) throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, layout)
    try Directory.create(directory.file("a\nb"))
    let mounted = try VerityBPFCommand.run(["mount", "\(layout).raw", "a\nb"], in: directory.path)
    defer { _ = try? Subprocess.run(["umount", directory.file("a\nb")]) }
    #expect(mounted.status == 0 && mounted.errors.contains("warning[mount.signature-unused]"), "\(mounted.errors)")
    #expect(mounted.output.contains("nobody in the kernel"), "\(mounted.output)")
    // A name makes no line of its own.
    #expect(mounted.output.contains("on a\\nb, read-only"), "\(mounted.output)")
  }

  /// A refusal mounts nothing and leaves no device.
  @Test func refusesWithoutATrace() throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, "appended")
    try Directory.create(directory.file("mount"))
    let other = String(repeating: "0", count: 64)
    var cases: [(arguments: [String], status: Int32, code: String)] = [
      (["--no-signature", "--root-hash", other], 4, "verity."),
      (["--no-signature", "--name", "root"], 64, "--name"),
      (["--no-signature", "--name", "verity-bpf-a b"], 64, "--name"),
      (["--root-hash-signature", "/dev/null"], 4, "error[layout.signature-file]"),
      (["--no-signature", "--root-hash-signature", "x"], 64, "not both"),
    ]
    if (try? FileStatus.of(path: "/dev/mapper/control")) == nil {
      cases.append((["--root-hash-signature", "appended.roothash.p7s"], 6, "mount.no-device-mapper"))
    }
    for (arguments, status, code) in cases {
      let result = try VerityBPFCommand.run(["mount", "appended.raw", "mount"] + arguments, in: directory.path)
      #expect(result.status == status && result.errors.contains(code), "\(arguments): \(result.errors)")
    }
    let missing = try VerityBPFCommand.run(
      ["mount", "appended.raw", "nowhere", "--no-signature", "--no-device-mapper"], in: directory.path)
    #expect(missing.status == 1 && missing.errors.contains("nowhere"), "\(missing.errors)")
    var image = try directory.read("appended.raw")
    image[5000] ^= 1
    try directory.write("appended.raw", image)
    let damaged = try VerityBPFCommand.run(
      ["mount", "appended.raw", "mount", "--no-signature", "--no-device-mapper"], in: directory.path)
    #expect(damaged.status == 4 && damaged.errors.contains("was not mounted"), "\(damaged.errors)")
    #expect(try Self.loops(directory).isEmpty)
    let foreign = try VerityBPFCommand.run(["umount", "/proc"], in: directory.path)
    #expect(foreign.status == 64 && foreign.errors.contains("error[mount.not-ours]"), "\(foreign.errors)")
  }

  /// Other people's mounts on loop devices: of another file system, and of an image.
  @Test(arguments: ["ext4", "erofs"])
  func leavesWhatOthersMounted(type: String) throws {
    let directory = try LayoutTests.sources()
    if type == "ext4" {
      try Tools.run("truncate", "-s", "4M", directory.file("others.raw"))
      try Tools.run("mkfs.ext4", "-q", directory.file("others.raw"))
    } else {
      let built = try BuildImageTests.build(directory, output: "others.raw")
      try #require(built.status == 0, "\(built.errors)")
    }
    let target = directory.file("mount")
    try Directory.create(target)
    try Tools.run("mount", "-t", type, "-o", "ro,loop", directory.file("others.raw"), target)
    defer { _ = try? Tools.run("umount", target) }
    let result = try VerityBPFCommand.run(["umount", "mount"], in: directory.path)
    #expect(result.status == 64 && result.errors.contains("error[mount.not-ours]"), "\(result.errors)")
    #expect(try FileStatus.of(path: target).device != FileStatus.of(path: directory.path).device, "it was unmounted")
  }

  /// A bind mount of ours, or of a directory of it, was made by others and stays; ours goes, and what still shows it is said.
  @Test func leavesWhatOthersBound() async throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, "appended")
    for name in ["mount", "bound", "part"] { try Directory.create(directory.file(name)) }
    let mounted = try VerityBPFCommand.run(
      ["mount", "appended.raw", "mount", "--no-signature", "--no-device-mapper"], in: directory.path)
    defer { for name in ["part", "bound", "mount"] { _ = try? Subprocess.run(["umount", directory.file(name)]) } }
    try #require(mounted.status == 0, "\(mounted.errors)")
    try Tools.run("mount", "--bind", directory.file("mount"), directory.file("bound"))
    try Tools.run("mount", "--bind", directory.file("mount/.verity-bpf"), directory.file("part"))
    for name in ["bound", "part"] {
      let result = try VerityBPFCommand.run(["umount", name], in: directory.path)
      #expect(result.status == 64 && result.errors.contains("error[mount.not-ours]"), "\(result.errors)")
      #expect(result.errors.contains("verity-bpf umount \(directory.file("mount"))"), "\(result.errors)")
      #expect(!(try Directory.names(directory.file(name)).isEmpty), "it was unmounted")
    }
    let own = try VerityBPFCommand.run(["umount", "mount", "--json"], in: directory.path)
    try #require(own.status == 0, "\(own.errors)")
    #expect(
      try own.json()["other_mounts"] == .array(["bound", "part"].map { .string(directory.file($0)) }), "\(own.output)")
    // Nor is a part of it ours when nothing else is left.
    for name in ["bound", "part"] { try Tools.run("umount", directory.file(name)) }
    #expect(try await Self.loopsGo(directory))
  }

  /// A device that is mounted twice is not gone after the first umount, and a link to the mount point is as good as it.
  @Test func saysWhatRemains() async throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, "appended")
    for name in ["mount", "bound"] { try Directory.create(directory.file(name)) }
    try Tools.run("ln", "-s", "mount", directory.file("link"))
    let mounted = try VerityBPFCommand.run(
      ["mount", "appended.raw", "link", "--no-signature", "--no-device-mapper"], in: directory.path)
    defer { for name in ["mount", "bound"] { _ = try? Subprocess.run(["umount", directory.file(name)]) } }
    try #require(mounted.status == 0, "\(mounted.errors)")
    try Tools.run("mount", "--bind", directory.file("mount"), directory.file("bound"))
    let first = try VerityBPFCommand.run(["umount", "link", "--json"], in: directory.path)
    try #require(first.status == 0, "\(first.errors)")
    #expect(try first.json()["gone"] == false)
    #expect(try first.json()["other_mounts"] == .array([.string(directory.file("bound"))]), "\(first.output)")
    let second = try VerityBPFCommand.run(["umount", "bound", "--json"], in: directory.path)
    #expect(try second.status == 0 && second.json()["other_mounts"] == .array([]), "\(second.errors)")
    #expect(try await Self.loopsGo(directory))
  }
}
