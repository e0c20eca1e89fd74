import Base
import Linux
import TestSupport
import Testing

@testable import Provenance

/// Descriptors on overlays of images and directories.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loop devices and mounts need root"))
struct OverlayTests {
  let directory: TemporaryDirectory
  let image: ForeignImage

  init() throws {
    directory = try TemporaryDirectory()
    image = try Self.image(in: directory, "one", ["deep/large.bpf.o": 7, "small.bpf.o": 9])
    for name in ["host", "host/deep", "o"] { try Directory.create(directory.file(name)) }
    try directory.write("host/deep/plain.bpf.o", "on no image")
  }

  /// An image of objects, each 20,000 bytes that a number is in.
  private static func image(
    in directory: TemporaryDirectory, _ name: String, _ files: [String: Int]
  ) throws -> ForeignImage {
    let source = directory.file("\(name)-source")
    for path in [source, "\(source)/deep"] { try Directory.create(path) }
    for (path, number) in files {
      try directory.write("\(name)-source/\(path)", (0..<20_000).map { UInt8(truncatingIfNeeded: $0 / number) })
    }
    return try ForeignImage.build(source, at: directory.file("\(name).raw"))
  }

  private func examine(_ path: String, expecting: String? = nil) throws -> Evidence {
    let file = try OwnedFD.open(path, .readOnly)
    var examination = Examination(expecting: expecting.flatMap { Digest(.sha256, hex: $0) })
    let object = try examination.examine(fd: file.withRaw { $0 })
    #expect(object.bytes.copyBytes() == (try directory.read(String(path.dropFirst(directory.path.utf8.count + 1)))))
    return object.evidence
  }

  /// Mounts an overlay on `o` for the time of a closure.
  private func withOverlay(_ options: String, on place: String = "o", _ body: () throws -> Void) throws {
    try Tools.run("mount", "-t", "overlay", "-o", options, "overlay", directory.file(place))
    defer { _ = try? Tools.run("umount", directory.file(place)) }
    try body()
  }

  private func refusal(_ path: String) throws -> Diagnostic? {
    do throws(ProvenanceError) {
      let file: OwnedFD
      do throws(SystemError) { file = try OwnedFD.open(path, .readOnly) } catch { throw .system(error) }
      var examination = Examination()
      _ = try examination.examine(fd: file.withRaw { $0 })
      return nil
    } catch {
      return error.diagnostic
    }
  }

  @Test func theLayerOfAFile() throws {
    let mounted = try MountedImage(image.path, in: directory)
    let lower = "lowerdir=\(directory.file("host")):\(mounted.mountPoint)"
    try withOverlay("ro,\(lower)") { () throws in
      let found = try examine(directory.file("o/deep/large.bpf.o"), expecting: image.rootHash)
      #expect(found.verity?.rootHash.hex == image.rootHash && found.object?.path == "deep/large.bpf.o")
      #expect(found.layer?.name == mounted.mountPoint && found.layer?.device == found.loop?.device)
      // The descriptor is the overlay's.
      #expect(found.descriptor?.fileSystem == "overlay" && found.descriptor?.device != found.loop?.device)
      #expect(try refusal(directory.file("o/deep/plain.bpf.o"))?.code == "provenance.file-system")
    }
    // A part of the image is the layer, and a part of the overlay is mounted.
    try withOverlay("ro,lowerdir=\(mounted.mountPoint)/deep:\(directory.file("host"))") { () throws in
      #expect(try examine(directory.file("o/large.bpf.o")).object?.path == "deep/large.bpf.o")
    }
    try Directory.create(directory.file("bound"))
    try withOverlay("ro,\(lower)") { () throws in
      try Tools.run("mount", "--bind", directory.file("o/deep"), directory.file("bound"))
      defer { _ = try? Tools.run("umount", directory.file("bound")) }
      #expect(try examine(directory.file("bound/large.bpf.o")).object?.path == "deep/large.bpf.o")
    }
  }

  /// Names with what the kernel's and mount(8)'s own syntax is made of.
  @Test(arguments: ["a b", "a:b", "a,b", "a\\b", "a=b", "\u{e4}\u{308}", "a\\040b", " "])
  func namesOfLayers(name: String) throws {
    try Directory.create(directory.file("in"))
    let mounted = try MountedImage(image.path, in: directory, name: "in/\(name)")
    let escaped = name.reduce(into: "") { text, character in
      if "\\:,".contains(character) { text.append("\\") }
      text.append(character)
    }
    try withOverlay("ro,lowerdir=\(directory.file("host")):\(directory.file("in"))/\(escaped)") { () throws in
      #expect(try examine(directory.file("o/small.bpf.o")).layer?.name == mounted.mountPoint)
    }
    // The new way to mount, which gives one name at a time.
    let script = """
      import ctypes, sys
      libc = ctypes.CDLL(None, use_errno=True)
      fs = libc.syscall(430, b'overlay', 0)
      for layer in sys.argv[2:]:
          if libc.syscall(431, fs, 1, b'lowerdir+', layer.encode('utf-8', 'surrogateescape'), 0): sys.exit(75)
      libc.syscall(431, fs, 0, b'ro', None, 0)
      libc.syscall(431, fs, 6, None, None, 0)
      mount = libc.syscall(432, fs, 0, 0)
      sys.exit(1 if libc.syscall(429, mount, b'', -100, sys.argv[1].encode(), 4) else 0)
      """
    let result = try Subprocess.run(
      ["python3", "-c", script, directory.file("o"), directory.file("host"), mounted.mountPoint])
    // lowerdir+ came with Linux 6.7.
    guard result.status != 75 else { return }
    try #require(result.status == 0, "\(result.text)")
    defer { _ = try? Tools.run("umount", directory.file("o")) }
    #expect(try examine(directory.file("o/small.bpf.o")).layer?.name == mounted.mountPoint)
  }

  /// What one layer has takes the place of what others have under that path, and what hides them has to be seen.
  @Test func theFirstLayerWins() throws {
    let other = try Self.image(in: directory, "two", ["deep/large.bpf.o": 11, "other.bpf.o": 5])
    let mounted = try [
      MountedImage(image.path, in: directory), MountedImage(other.path, in: directory, name: "second"),
    ]
    let places = mounted.map(\.mountPoint)
    try withOverlay("ro,lowerdir=\(places[0]):\(places[1])") { () throws in
      #expect(try examine(directory.file("o/deep/large.bpf.o")).verity?.rootHash.hex == image.rootHash)
      #expect(try examine(directory.file("o/other.bpf.o")).verity?.rootHash.hex == other.rootHash)
      #expect(try examine(directory.file("o/other.bpf.o"), expecting: other.rootHash).layer?.name == places[1])
      #expect(throws: ProvenanceError.self) {
        try examine(directory.file("o/other.bpf.o"), expecting: image.rootHash)
      }
    }
    try withOverlay("ro,lowerdir=\(places[1]):\(places[0])") { () throws in
      #expect(try examine(directory.file("o/deep/large.bpf.o")).verity?.rootHash.hex == other.rootHash)
    }
    // What hides a file is seen where it was put under a mounted overlay, which knows nothing of it.
    for path in ["top", "top/deep"] { try Directory.create(directory.file(path)) }
    try withOverlay("ro,lowerdir=\(directory.file("top")):\(places[0])") { () throws in
      let (deep, small) = (directory.file("o/deep/large.bpf.o"), directory.file("o/small.bpf.o"))
      #expect(try examine(deep).verity != nil && examine(small).verity != nil)
      try setAttribute("redirect", "/other", of: "top/deep")
      #expect(try refusal(deep)?.message.contains("gives a directory on the way") == true)
      try setAttribute("opaque", "y", of: "top/deep")
      #expect(try refusal(deep)?.message.contains("hides what is below it") == true)
      try Tools.run("mknod", directory.file("top/small.bpf.o"), "c", "0", "0")
      #expect(try refusal(small)?.message.contains("hides what is below it") == true)
    }
  }

  private func setAttribute(_ name: String, _ value: String, of path: String) throws {
    let script = "import os, sys; os.setxattr(sys.argv[1], 'trusted.overlay.' + sys.argv[2], sys.argv[3].encode())"
    try Tools.run("python3", "-c", script, directory.file(path), name, value)
  }

  /// The layer under the overlay's own mount point has no path any more.
  @Test func onItsOwnLayer() throws {
    let mounted = try MountedImage(image.path, in: directory)
    let options = "ro,lowerdir=\(directory.file("host")):\(mounted.mountPoint)"
    try withOverlay(options, on: "mnt") { () throws in
      let found = try examine("\(mounted.mountPoint)/deep/large.bpf.o")
      #expect(found.verity?.rootHash.hex == image.rootHash && found.object?.path == "deep/large.bpf.o")
      #expect(found.layer?.name == mounted.mountPoint && found.loop?.backingFile == image.path)
    }
    // Over a part of it.
    try withOverlay("ro,lowerdir=\(directory.file("host")):\(mounted.mountPoint)/deep", on: "mnt/deep") { () throws in
      #expect(try examine("\(mounted.mountPoint)/deep/large.bpf.o").object?.path == "deep/large.bpf.o")
    }
  }

  /// A layer below the file's has no say, even where it cannot be looked at.
  @Test func onADirectoryOfNoDevice() throws {
    let mounted = try MountedImage(image.path, in: directory)
    try Directory.create(directory.file("memory"))
    try Tools.run("mount", "-t", "tmpfs", "tmpfs", directory.file("memory"))
    defer { _ = try? Tools.run("umount", directory.file("memory")) }
    try directory.write("memory/plain.bpf.o", "in memory")
    try withOverlay("ro,lowerdir=\(mounted.mountPoint):\(directory.file("memory"))", on: "memory") { () throws in
      #expect(try examine(directory.file("memory/small.bpf.o")).verity?.rootHash.hex == image.rootHash)
      let found = try refusal(directory.file("memory/plain.bpf.o"))
      #expect(found?.message.contains("it is on tmpfs, which is on no device") == true, "\(String(describing: found))")
    }
  }

  @Test func whatIsRefused() throws {
    let mounted = try MountedImage(image.path, in: directory)
    let (place, host) = (mounted.mountPoint, directory.file("host"))
    for name in ["u", "w", "second", "x"] { try Directory.create(directory.file(name)) }
    func expect(_ options: String, _ words: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
      try withOverlay(options) { () throws in
        let found = try refusal(directory.file("o/small.bpf.o"))
        #expect(found?.code == "provenance.file-system", sourceLocation: sourceLocation)
        let message = found?.message ?? ""
        let isSaid = message.contains("is on overlayfs") && message.contains(words)
        #expect(isSaid, "\(message)", sourceLocation: sourceLocation)
      }
    }
    try expect(
      "lowerdir=\(place),upperdir=\(directory.file("u")),workdir=\(directory.file("w"))", "it has a writable layer, `")
    try expect("ro,lowerdir=\(place):\(host),metacopy=on,redirect_dir=follow", "metacopy is on")
    try expect("ro,lowerdir=\(place):\(host)::\(directory.file("x"))", "it has data-only layers")
    // One overlay over another.
    try withOverlay("ro,lowerdir=\(place):\(host)", on: "second") { () throws in
      try expect("ro,lowerdir=\(directory.file("second")):\(directory.file("x"))", "cannot be looked at")
    }
    // A directory is another one now.
    try withOverlay("ro,lowerdir=\(place):\(host)") { () throws in
      try Tools.run("mount", "--bind", directory.file("x"), place)
      defer { _ = try? Tools.run("umount", place) }
      let found = try refusal(directory.file("o/small.bpf.o"))
      #expect(found?.message.contains("none of its layers has `small.bpf.o`") == true, "\(String(describing: found))")
      try directory.write("x/small.bpf.o", "another")
      let other = try refusal(directory.file("o/small.bpf.o"))
      #expect(other?.message.contains("has another one at") == true, "\(String(describing: other))")
    }
    // Relative names, of directories that are not here.
    let script = "mkdir -p l; mount --bind '\(place)' l; mount -t overlay -o ro,lowerdir=l:../host overlay ../o"
    try Tools.run("sh", "-ec", "cd '\(directory.path)/w'; \(script)")
    defer { _ = try? Tools.run("umount", directory.file("o"), directory.file("w/l")) }
    #expect(try refusal(directory.file("o/small.bpf.o"))?.message.contains("named relative to a directory") == true)
  }

  /// What the mount point's neighbours are called is tried.
  @Test func relativeNames() throws {
    let mounted = try MountedImage(image.path, in: directory)
    try Tools.run("sh", "-ec", "cd '\(directory.path)'; mount -t overlay -o ro,lowerdir=mnt:host overlay o")
    defer { _ = try? Tools.run("umount", directory.file("o")) }
    let found = try examine(directory.file("o/small.bpf.o"))
    #expect(found.layer?.name == "mnt" && found.loop?.backingFile == image.path && mounted.image == image.path)
  }

  private func overwrite(_ path: String, with bytes: [UInt8]) throws {
    let file = try OwnedFD.open(path, .readWrite)
    try file.writeAll(bytes.rawSpan, at: 0)
  }

  /// Another image below the layer's mount, which goes on showing what it has read.
  @Test func refusesALayerThatShowsOtherBytesThanItsImage() throws {
    let other = try Self.image(in: directory, "two", ["deep/large.bpf.o": 11, "small.bpf.o": 9])
    let mounted = try MountedImage(image.path, in: directory)
    for place in ["o", "mnt"] {
      let bytes = try directory.read("one.raw")
      try withOverlay("ro,lowerdir=\(directory.file("host")):\(mounted.mountPoint)", on: place) { () throws in
        let path = directory.file("\(place)/deep/large.bpf.o")
        _ = try directory.read("\(place)/deep/large.bpf.o")
        try overwrite(image.path, with: directory.read("two.raw"))
        let found = try refusal(path)
        #expect(found?.code == "provenance.mount-differs", "\(place): \(String(describing: found))")
        // What is the same in both is verified under the root hash that is there now.
        #expect(try examine(directory.file("\(place)/small.bpf.o")).verity?.rootHash.hex == other.rootHash)
        try overwrite(image.path, with: bytes)
      }
    }
  }
}
