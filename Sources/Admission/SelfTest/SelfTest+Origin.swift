internal import KernelABI
internal import Base
internal import Verity
internal import ImageFormat
internal import Linux

extension SelfTest {
  /// The right bytes from the wrong place.
  static func originControls(_ specimen: borrowing Specimen) -> [Control] {
    let title = "the right object, copied to a file outside any image"
    // On a disk that is the device-mapper's, the device is asked what it is.
    let codes: Set<String> = [
      "provenance.file-system", "provenance.kernel-alone", "provenance.no-permission", "dm-table.target-type",
    ]
    do throws(SystemError) {
      // /dev/shm is a tmpfs nearly everywhere; where it cannot be written, another directory is as good.
      let directory = try? PrivateDirectory(prefix: "verity-bpf-self-test", in: "/dev/shm")
      let path =
        switch directory {
        case .some(let directory): "\(directory.path)/copy.o"
        case nil: "\(specimen.directory.path)/copy.o"
        }
      let file = try OwnedFD.open(path, [.readWrite, .create, .exclusive])
      try file.writeAll(specimen.bytes.rawSpan)
      let question = Question.trusting(specimen.rootHash)
      let answer = file.withRaw { question.ask(.descriptor($0)) }
      return [Control("copied", title, .refused(codes), answer: answer)]
    } catch {
      return [Control("copied", title, .refused(codes), .failed(reason: error.description))]
    }
  }

  /// The image on a loop device, as `load --fd` sees it. Root only.
  ///
  /// The mount is in a mount namespace of this thread's own, and the loop device goes with its last user: whatever ends
  /// the process takes both down.
  static func mountControls(_ specimen: borrowing Specimen) -> [Control] {
    let good = "the object through a mount, by descriptor"
    let changed = "the same after a bit of it was flipped under the mount"
    let codes = specimen.dataFaultCodes
    guard ProcessIdentity.current().uid == 0 else {
      return mountControls(.skipped(reason: "mounting needs root"), good: good, changed: changed, codes)
    }
    do throws(SystemError) {
      let path = try specimen.variant("mounted") { _ throws(SystemError) in }
      // Where the data go on behind the file system, a tree in a file of its own is what is found.
      let layout = specimen.layout
      let tree = try OwnedFD.open(Sidecars(imagePath: path).hashTree, [.readWrite, .create, .exclusive])
      try OwnedFD.open(path, .readOnly).copy(
        from: layout.superblockOffset, count: layout.treeEnd - layout.superblockOffset, to: tree, at: 0)
      let mountPoint = "\(specimen.directory.path)/mount"
      try Directory.create(mountPoint)
      let backing = try OwnedFD.open(path, .readWrite)
      try Mount.enterPrivateNamespace()
      let loop = try AttachedLoop.attach(backing)
      try Mount.mount(loop.path, on: mountPoint, type: "erofs", [.readOnly, .noSetUserID, .noDevices])
      defer { try? Mount.unmount(mountPoint) }
      let object = try OwnedFD.open("\(mountPoint)/\(specimen.object)", .readOnly)
      let question = Question.trusting(specimen.rootHash, pinned: true)
      let before = object.withRaw { question.ask(.descriptor($0)) }
      try Specimen.flip(backing, at: specimen.objectOffset)
      let after = object.withRaw { question.ask(.descriptor($0)) }
      return [
        Control("mounted", good, .allowed, answer: before),
        Control("changed-under-mount", changed, .refused(codes), answer: after),
      ]
    } catch {
      let verdict: Control.Verdict =
        error.code.map { impossible.contains($0) } ?? false
        ? .skipped(reason: "it cannot be mounted here: \(error.description)") : .failed(reason: error.description)
      return mountControls(verdict, good: good, changed: changed, codes)
    }
  }

  /// What a kernel or container without loop devices, EROFS or mounts of its own answers. Anything else, as a full disk,
  /// says that it could have been tried.
  private static let impossible: Set<Errno> = [.eperm, .eacces, .enodev, .enxio, .enoent, .enosys, .eopnotsupp]

  private static func mountControls(
    _ verdict: Control.Verdict, good: String, changed: String, _ codes: Set<String>
  ) -> [Control] {
    [
      Control("mounted", good, .allowed, verdict),
      Control("changed-under-mount", changed, .refused(codes), verdict),
    ]
  }
}
