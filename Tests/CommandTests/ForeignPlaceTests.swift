import Linux
import TestSupport
import Testing

/// Files that look like an image's and come from elsewhere: from a process that answers for a file system, and from a
/// mount that no device is under.
@Suite(.enabled(if: Tools.isRoot, "mounts need root")) struct ForeignPlaceTests {
  let directory: TemporaryDirectory
  let policy: String

  init() throws {
    directory = try BuildImageTests.sources(["a.bpf.o"])
    let built = try BuildImageTests.build(directory, ["--name=i"], output: "i.raw")
    try #require(built.status == 0, "\(built.errors)")
    try Directory.create(directory.file("mnt"))
    policy = try directory.write("p.pol", "policy_name=p policy_version=1.0.0\nDEFAULT action=ALLOW\n")
  }

  /// Runs `load --fd 3` at the end of a Python script that opens descriptor 3 as `mnt/a.bpf.o`, in a mount namespace of
  /// its own. The script begins with `mount(source, type, flags, data)`, which mounts on `mnt`, or ends with code 77.
  private func load(_ script: String) throws -> VerityBPFCommand.Result {
    let start = """
      import ctypes, os, struct, sys
      libc = ctypes.CDLL(None, use_errno=True)
      def mount(source, kind, flags, data=None):
        if libc.mount(source.encode(), b"mnt", kind.encode(), flags, data and data.encode()):
          print(os.strerror(ctypes.get_errno()), file=sys.stderr); sys.exit(77)
      """
    let end = """
      os.dup2(os.open("mnt/a.bpf.o", os.O_RDONLY), 3)
      os.set_inheritable(3, True)
      libc.umount2(b"mnt", 2)  # MNT_DETACH: it ends with the last who has it open
      os.execvp(sys.argv[1], sys.argv[1:])
      """
    try directory.write("script.py", "\(start)\n\(script)\n\(end)\n")
    return try VerityBPFCommand.run(
      ["load", "--fd", "3", "--policy", policy, "--audit-dir", "audit"], in: directory.path,
      wrapper: ["unshare", "--mount", "python3", "script.py"])
  }

  /// The very image, but its device number is one that the kernel made up, and says nothing of where the bytes are.
  @Test func anImageMountedWithoutADevice() throws {
    let result = try load("mount(\"i.raw\", \"erofs\", 1)")
    if result.status == 77 {
      print("anImageMountedWithoutADevice: skipped: this kernel mounts no image without a device: \(result.errors)")
      return
    }
    #expect(result.status == 4 && result.errors.contains("error[provenance.device]: "), "\(result.errors)")
  }

  /// A file system whose files a process answers for, with one object in it.
  ///
  /// - Parameter more: Python for other operations: `elif operation == …: body = …`.
  private static func server(_ more: String = "") -> String {
    """
    fuse = os.open("/dev/fuse", os.O_RDWR)
    mount("server", "fuse", 1, f"fd={fuse},rootmode=40000,user_id=0,group_id=0")
    data = open("progs/a.bpf.o", "rb").read()
    def attributes(node):
      mode, size = (0o40555, 0) if node == 1 else (0o100444, len(data))
      return struct.pack("<6Q10I", node, size, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)
    def answer(request):
      operation, unique, node = struct.unpack_from("<4xIQQ", request)
      if operation in (2, 42): return None  # forget
      error, body = 0, b""
      if operation == 26: body = struct.pack("<4I2H2I2H8I", 7, 31, 0, 0, 0, 0, 1 << 16, 1, *([0] * 10))
      elif operation == 1: body = struct.pack("<4Q2I", 2, 0, 9, 9, 0, 0) + attributes(2)
      elif operation == 3: body = struct.pack("<Q2I", 9, 0, 0) + attributes(node)
      elif operation in (14, 27): body = struct.pack("<Q2I", 0, 0, 0)
      elif operation == 15:
        offset, size = struct.unpack_from("<8xQI", request, 40)
        body = data[offset:offset + size]
      elif operation == 17: body = struct.pack("<5Q10I", *([0] * 5), 4096, 255, 4096, *([0] * 7))
      \(more)
      elif operation not in (18, 25, 29): error = -38
      return struct.pack("<IiQ", 16 + len(body), error, unique) + body
    if os.fork() == 0:
      os.close(1); os.close(2)  # who waits for this output does not wait for the server
      try:
        while True:
          reply = answer(os.read(fuse, 1 << 20))
          if reply: os.write(fuse, reply)
      except OSError:
        os._exit(0)
    os.close(fuse)
    assert open("mnt/a.bpf.o", "rb").read() == data
    """
  }

  /// A process that answers every question of the kernel as the image would, until the program is to be loaded.
  @Test func aProcessThatAnswersForAFileSystem() throws { try expectRefused(Self.server()) }

  /// One that says of its file what fs-verity would, and says it truly: it is no kernel all the same.
  @Test func aProcessThatAnswersForFileVerity() throws {
    let digest = """
      import hashlib
      def verity(data):
        hash = lambda bytes: hashlib.sha256(bytes).digest()
        level = [hash(data[at:at + 4096].ljust(4096, b"\\0")) for at in range(0, len(data), 4096)]
        while len(level) > 1:
          level = [hash(b"".join(level[at:at + 128]).ljust(4096, b"\\0")) for at in range(0, len(level), 128)]
        return hash(struct.pack("<4BIQ", 1, 1, 12, 0, 0, len(data)) + level[0].ljust(240, b"\\0"))
      """
    // FUSE_IOCTL of FS_IOC_MEASURE_VERITY (Linux 6.10 passes it on); of the descriptor there is nothing to read.
    let more = """
      elif operation == 39:
          if struct.unpack_from("<12xI", request, 40)[0] == 0xc0046686:
            body = struct.pack("<4I2H", 0, 0, 0, 0, 1, 32) + verity(data)
          else: body = struct.pack("<i3I", -61, 0, 0, 0)
      """
    try expectRefused("\(digest)\n\(Self.server(more))")
  }

  private func expectRefused(_ script: String) throws {
    let result = try load(script)
    if result.status == 77 {
      print("ForeignPlaceTests: skipped: this kernel has no FUSE: \(result.errors)")
      return
    }
    #expect(result.status == 4 && result.errors.contains("error[provenance.file-system]: "), "\(result.errors)")
    #expect(result.errors.contains("FUSE"), "\(result.errors)")
  }
}
