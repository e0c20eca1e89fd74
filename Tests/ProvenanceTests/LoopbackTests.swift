import Base
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Provenance

/// Descriptors on real mounts of images that mkfs.erofs and veritysetup made.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loop devices and mounts need root"))
struct LoopbackTests {
  let directory: TemporaryDirectory
  let image: ForeignImage

  init() throws {
    directory = try TemporaryDirectory()
    let source = directory.file("source")
    try Directory.create(source)
    try Directory.create("\(source)/deep")
    try directory.write("source/small.bpf.o", "a small object")
    // Several blocks and a tail, so that more than one block is proven.
    try directory.write("source/deep/large.bpf.o", (0..<20_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
    image = try ForeignImage.build(source, at: directory.file("image.raw"))
  }

  private func examine(_ path: String, expecting: String? = nil) throws -> ExaminedEvidence {
    let file = try OwnedFD.open(path, .readOnly)
    let expected = expecting.flatMap { Digest(.sha256, hex: $0) }
    let number = file.withRaw { $0 }
    var examination = Examination(expecting: expected)
    let object = try examination.examine(fd: number)
    return ExaminedEvidence(evidence: object.evidence, bytes: object.bytes.copyBytes())
  }

  struct ExaminedEvidence {
    let evidence: Evidence
    let bytes: [UInt8]
  }

  @Test func provesTheBytesAndTheirPlace() throws {
    let mounted = try MountedImage(image.path, in: directory)
    let large = try examine(mounted.file("deep/large.bpf.o"), expecting: image.rootHash)
    #expect(large.bytes == (try directory.read("source/deep/large.bpf.o")))
    #expect(large.evidence.object?.path == "deep/large.bpf.o")
    #expect(large.evidence.verity?.rootHash.hex == image.rootHash)
    #expect(large.evidence.verity?.wasExpected == true)
    #expect(large.evidence.loop?.backingFile == image.path)
    #expect(large.evidence.loop?.isReadOnly == true)

    let small = try examine(mounted.file("small.bpf.o"))
    #expect(small.bytes == Array("a small object".utf8))
    #expect(small.evidence.verity?.wasExpected == false)

    // Moved to where its path on the mount says something else, the object still has its own name.
    try Directory.create(directory.file("small.bpf.o"))
    try Tools.run("mount", "--bind", mounted.file("deep"), directory.file("small.bpf.o"))
    defer { _ = try? Tools.run("umount", directory.file("small.bpf.o")) }
    #expect(try examine(directory.file("small.bpf.o/large.bpf.o")).evidence.object?.path == "deep/large.bpf.o")
  }

  /// An inode with two names in the image has one of the two, by whichever it was opened, and never a third.
  @Test func aSecondHardLink() throws {
    try Tools.run("ln", directory.file("source/deep/large.bpf.o"), directory.file("source/alias.bpf.o"))
    let linked = try ForeignImage.build(directory.file("source"), at: directory.file("linked.raw"))
    let mounted = try MountedImage(linked.path, in: directory)
    let names = ["alias.bpf.o", "deep/large.bpf.o"]
    let inodes = try names.map { try FileStatus.of(path: mounted.file($0)).inode }
    try #require(inodes[0] == inodes[1], "mkfs.erofs made no hard link")
    for name in names { #expect(try names.contains(examine(mounted.file(name)).evidence.object?.path ?? "")) }
    // Outside, one of them lies under the name of another object of the image.
    try directory.write("small.bpf.o", "")
    try Tools.run("mount", "--bind", mounted.file("alias.bpf.o"), directory.file("small.bpf.o"))
    defer { _ = try? Tools.run("umount", directory.file("small.bpf.o")) }
    #expect(try names.contains(examine(directory.file("small.bpf.o")).evidence.object?.path ?? ""))
  }

  /// Names that sysfs writes as they are: blanks, a line feed, what looks like an escape or like the kernel's own remark.
  @Test(arguments: ["a b.raw", "a!b.raw", "a\\040b.raw", "a\nb.raw", "a ", "\u{e4}.raw", "a.raw (deleted)"])
  func namesOfBackingFiles(name: String) throws {
    try Tools.run("cp", image.path, directory.file(name))
    let mounted = try MountedImage(directory.file(name), in: directory)
    let found = try examine(mounted.file("small.bpf.o")).evidence
    #expect(found.loop?.backingFile == directory.file(name) && found.verity?.rootHash.hex == image.rootHash)
    // A file that is gone is no longer what was mounted, whatever it was called.
    try Tools.run("rm", directory.file(name))
    let error = #expect(throws: ProvenanceError.self) { try examine(mounted.file("small.bpf.o")) }
    #expect(error?.diagnostic.code == "provenance.device", "\(String(describing: error))")
  }

  /// A name that is no text cannot be asked about, which is not a file that is gone.
  @Test func aNameThatIsNoText() throws {
    let place = directory.file("mount")
    try Directory.create(place)
    let odd = "\"$(printf '%s/a\\377.raw' '\(directory.path)')\""
    try Tools.run("sh", "-ec", "cp '\(image.path)' \(odd); mount -t erofs -o ro,loop \(odd) '\(place)'")
    defer { _ = try? Tools.run("umount", place) }
    let error = #expect(throws: ProvenanceError.self) { try examine("\(place)/small.bpf.o") }
    #expect(error?.diagnostic.code == "provenance.cannot-ask" && error?.diagnostic.found?.contains("UTF-8") == true)
  }

  @Test func readsTheSameFromTheImageFile() throws {
    var examination = Examination()
    let examined = try examination.examine(image: image.path, object: "/deep/large.bpf.o")
    #expect(examined.bytes.copyBytes() == (try directory.read("source/deep/large.bpf.o")))
    #expect(examined.evidence.descriptor == nil)
    #expect(examined.evidence.loop == nil)
  }

  @Test func refusesAnotherRootHash() throws {
    let mounted = try MountedImage(image.path, in: directory)
    let wrong = String(image.rootHash.reversed())
    #expect(throws: ProvenanceError.self) { try examine(mounted.file("small.bpf.o"), expecting: wrong) }
  }

  @Test func refusesBytesWrittenUnderTheMount() throws {
    let mounted = try MountedImage(image.path, in: directory)
    // The mount has the file's pages already; the backing file changes afterwards.
    _ = try directory.read(mounted.file("deep/large.bpf.o"))
    var bytes = try directory.read("image.raw")
    let place = try #require(bytes.firstIndex(of: 1))  // the contents begin with seven zeros, then seven ones
    let start = try #require(
      (place..<bytes.count - 14).first { Array(bytes[$0..<$0 + 14]) == [1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2] })
    bytes[start] = 0xee
    let file = try OwnedFD.open(image.path, .readWrite)
    try file.writeAll([0xee].rawSpan, at: UInt64(start))
    let error = #expect(throws: ProvenanceError.self) { try examine(mounted.file("deep/large.bpf.o")) }
    #expect(error?.diagnostic.code == "verity.data-mismatch" || error?.diagnostic.code == "erofs.block")
    #expect(error?.diagnostic.category == .integrity)
  }

  @Test func refusesALoopDeviceWithAnotherBackingFile() throws {
    // The same names and sizes, so that inode numbers agree, but other contents: the mount is swapped between open
    // and examination.
    let source = directory.file("other")
    try Directory.create(source)
    try Directory.create("\(source)/deep")
    try directory.write("other/small.bpf.o", "an evil object")
    try directory.write("other/deep/large.bpf.o", [UInt8](repeating: 0x66, count: 20_000))
    let other = try ForeignImage.build(source, at: directory.file("other.raw"))
    let mounted = try MountedImage(image.path, in: directory)

    let file = try OwnedFD.open(mounted.file("deep/large.bpf.o"), .readOnly)
    var first = [UInt8](repeating: 0, count: 20_000)
    do {
      var span = first.mutableSpan
      var view = span.mutableBytes
      #expect(try file.readFully(at: 0, into: &view))
    }
    try LoopControl.change(mounted.device, to: other.path)

    let number = file.withRaw { $0 }
    do throws(ProvenanceError) {
      var examination = Examination()
      let object = try examination.examine(fd: number)
      // When the page cache was dropped, the descriptor shows the other image's bytes, and these are what is proven:
      // under the other image's root hash, which no policy for the first one allows.
      #expect(object.evidence.verity?.rootHash.hex == other.rootHash)
      #expect(object.evidence.verity?.rootHash.hex != image.rootHash)
      #expect(object.bytes.copyBytes() != first)
    } catch {
      #expect(error.diagnostic.code == "provenance.mount-differs")
    }
    // With the root hash named beforehand there is no way through.
    #expect(throws: ProvenanceError.self) {
      var examination = Examination(expecting: Digest(.sha256, hex: image.rootHash))
      _ = try examination.examine(fd: number)
    }
  }

  /// Another image of the same shape takes the place of the first below the mount, which goes on showing what it has read:
  /// each of the two is whole, and they are not the same.
  @Test func refusesAMountThatShowsOtherBytesThanTheImage() throws {
    try directory.write("source/deep/large.bpf.o", (0..<20_000).map { UInt8(truncatingIfNeeded: $0 / 11) })
    let other = try ForeignImage.build(directory.file("source"), at: directory.file("other.raw"))
    let mounted = try MountedImage(image.path, in: directory)
    let shown = try directory.read(mounted.file("deep/large.bpf.o"))
    let bytes = try directory.read(other.path)
    let file = try OwnedFD.open(image.path, .readWrite)
    try file.writeAll(bytes.rawSpan, at: 0)
    let stillShown = try directory.read(mounted.file("deep/large.bpf.o"))
    try #require(stillShown == shown, "the mount has let go of the file's pages")
    let error = #expect(throws: ProvenanceError.self) { try examine(mounted.file("deep/large.bpf.o")) }
    #expect(error?.diagnostic.code == "provenance.mount-differs")
    #expect(error?.diagnostic.message.contains("shows other bytes for `deep/large.bpf.o`") == true)
    // What is the same in both is what the mount shows, and lies on the image that is there now.
    #expect(try examine(mounted.file("small.bpf.o")).evidence.verity?.rootHash.hex == other.rootHash)
  }

  /// Two files hold one and the same image, so that nothing but the loop device tells that it was set up anew.
  @Test func refusesALoopDeviceThatIsChangedMeanwhile() throws {
    let paths = [directory.file("twin.raw"), image.path]
    try Tools.run("cp", paths[1], paths[0])
    let mounted = try MountedImage(image.path, in: directory)
    let file = try OwnedFD.open(mounted.file("deep/large.bpf.o"), .readOnly)
    let (number, device) = (file.withRaw { $0 }, mounted.device)
    let isOver = Atomic<Bool>(false)
    let isNoticed = Atomic<Bool>(false)
    Processors.share(2) { share in
      if share == 1 {
        while !isOver.load(ordering: .relaxed) { for path in paths { try? LoopControl.change(device, to: path) } }
        return
      }
      // Far more often than it takes: a change comes every few milliseconds.
      for _ in 0..<2000 {
        do throws(ProvenanceError) {
          var examination = Examination()
          _ = try examination.examine(fd: number)
        } catch {
          guard error.diagnostic.message.contains("was changed while it was examined") else { continue }
          isNoticed.store(true, ordering: .relaxed)
          break
        }
      }
      isOver.store(true, ordering: .relaxed)
    }
    let noticed = isNoticed.load(ordering: .relaxed)
    #expect(noticed)
  }
}
