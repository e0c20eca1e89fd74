import Linux
import TestSupport
import Testing

/// A held descriptor where the path leads to another image: in other mount namespaces, and under roots of one's own. And
/// what root puts over the kernel's files. Each shell has a mount namespace of its own, so nothing of it is seen outside.
@Suite(.enabled(if: ProcessIdentity.current().uid == 0, "not root: nothing can be mounted")) struct PlaceTests {
  let directory: TemporaryDirectory

  /// Two images with an object of the same name.
  init() throws {
    directory = try BuildImageTests.sources(["a.bpf.o"])
    for name in ["first", "second"] {
      let built = try BuildImageTests.build(directory, ["--name=\(name)"], output: "\(name).raw")
      try #require(built.status == 0, "\(built.errors)")
    }
    for name in ["mnt", "root"] { try Directory.create(directory.file(name)) }
  }

  /// Runs `provenance --fd 3` at the end of a script that opens descriptor 3.
  private func provenance(_ script: String) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(
      ["provenance", "--fd", "3", "--json"], in: directory.path,
      wrapper: ["unshare", "--mount", "sh", "-ec", script, "sh"])
  }

  private func expect(_ image: String, _ result: VerityBPFCommand.Result) throws {
    #expect(result.status == 0, "\(result.errors)")
    let rootHash = String(decoding: try directory.read("\(image).roothash"), as: UTF8.self)
    #expect(result.output.contains("\"sha256:\(rootHash)\""), "\(result.output)")
  }

  private static let holdsFirst = """
    mount -t erofs -o ro,loop first.raw mnt
    exec 3< mnt/a.bpf.o
    """

  @Test func mountNamespaces() throws {
    // Mounted where nobody else sees it.
    try expect("first", provenance("\(Self.holdsFirst)\nexec \"$@\""))
    // The descriptor comes from one namespace; in the next the path leads to the other image.
    try expect(
      "first",
      provenance(
        """
        \(Self.holdsFirst)
        exec unshare --mount sh -ec 'umount mnt; mount -t erofs -o ro,loop second.raw mnt; exec "$@"' sh "$@"
        """))
    try expect(
      "second",
      provenance(
        """
        \(Self.holdsFirst)
        exec unshare --mount sh -ec 'mount -t erofs -o ro,loop second.raw mnt; exec 3< mnt/a.bpf.o; exec "$@"' sh "$@"
        """))
  }

  @Test func rootsOfOnesOwn() throws {
    let other = """
      \(Self.holdsFirst)
      mount --rbind / root
      mount -t erofs -o ro,loop second.raw "root$PWD/mnt"
      """
    let enter = "exec chroot root sh -ec \"cd '$PWD'; exec \\\"\\$@\\\"\" sh \"$@\""
    try expect("first", provenance("\(other)\n\(enter)"))
    // A root in which nothing of the kernel's is where it belongs, or something else is.
    for lie in [
      "mount -t tmpfs none root/sys", "mount --bind root/proc root/sys", "mount --bind root/sys/dev root/sys",
    ] {
      let result = try provenance("\(other)\n\(lie)\n\(enter)")
      #expect(result.status == 4 && result.errors.contains("error[provenance.cannot-ask]"), "\(lie): \(result)")
    }
  }

  /// The forged file says what the kernel says; only it is not the kernel that says it.
  @Test func whatLiesOverSysfsIsNotBelieved() throws {
    let find = """
      \(Self.holdsFirst)
      loop=/sys/dev/block/$(stat -c %Hd:%Ld mnt/a.bpf.o)
      cp $loop/loop/offset offset
      """
    for lie in [
      "mount --bind offset $loop/loop/offset", "mount --bind $loop/ro $loop/loop/offset",
      "mount --bind offset $loop/loop/backing_file", "mount --bind offset $loop/dev",
      "mount --bind offset $loop/uevent",
      "mkdir -p empty; mount --bind empty $loop/loop", "mkdir -p empty; mount --move /sys empty",
    ] {
      let result = try provenance("\(find)\n\(lie)\nexec \"$@\"")
      #expect(result.status == 4 && result.errors.contains("findmnt --submounts /sys"), "\(lie): \(result)")
      #expect(result.errors.contains("error[provenance.cannot-ask]"), "\(lie): \(result)")
    }
    try expect("first", provenance("\(find)\nexec \"$@\""))
  }

  /// What could not be asked is neither a no nor a yes, for mount and umount too.
  @Test func mountsGoByTheKernelsDevicesOnly() throws {
    func run(_ script: String, _ arguments: String...) throws -> VerityBPFCommand.Result {
      try VerityBPFCommand.run(
        arguments, in: directory.path, wrapper: ["unshare", "--mount", "sh", "-ec", "\(script)\nexec \"$@\"", "sh"])
    }
    let mount = ["mount", "first.raw", "mnt", "--no-signature", "--no-device-mapper"]
    for lie in ["mount --bind /dev/null /dev/loop-control", "mount -t tmpfs none /sys"] {
      let result = try VerityBPFCommand.run(
        mount, in: directory.path, wrapper: ["unshare", "--mount", "sh", "-ec", "\(lie)\nexec \"$@\"", "sh"])
      #expect(result.status == 4 && result.errors.contains("error[provenance.cannot-ask]"), "\(lie): \(result)")
    }
    let mounted = try VerityBPFCommand.run(mount, in: directory.path)
    try #require(mounted.status == 0, "\(mounted.errors)")
    defer { _ = try? Subprocess.run(["umount", directory.file("mnt")]) }
    let hidden = try run("mount -t tmpfs none /sys", "umount", "mnt")
    #expect(hidden.status == 4 && hidden.errors.contains("error[provenance.cannot-ask]"), "\(hidden)")
    // The device that is mounted cannot be asked whose it is.
    let loop = try Tools.run("findmnt", "--noheadings", "--output", "SOURCE", directory.file("mnt"))
    let other = try run("mount --bind /dev/null \(loop.filter { !$0.isWhitespace })", "umount", "mnt")
    #expect(other.status == 4 && other.errors.contains("error[provenance.cannot-ask]"), "\(other)")
    let unmounted = try VerityBPFCommand.run(["umount", "mnt"], in: directory.path)
    #expect(unmounted.status == 0, "\(unmounted.errors)")
  }
}
