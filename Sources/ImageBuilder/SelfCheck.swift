internal import ByteKit
internal import DMVerity
internal import Diagnostics
internal import DiskLayout
internal import EROFS
internal import LinuxSys
internal import Manifest

/// Opens the finished image as its users will, and proves that it holds what its manifest says.
struct SelfCheck {
  let rootHash: Digest
  let manifest: Manifest

  func check(_ path: String) throws(BuildError) {
    do {
      let source = try FileSource.open(path)
      let layout = try DiskLayout.appended(in: source)
      let device = try VerifiedDevice(source, layout: layout, rootHash: rootHash, memoryLimit: .max)
      let image = try ErofsImage(device)
      guard let found = try Manifest.read(from: image), found == manifest else {
        throw BuildError.selfCheck(
          Diagnostic("build.bad-manifest", .incomplete, "the image's manifest is not the one that was packed"))
      }
      try found.check(superblock: layout.superblock)
      try found.checkFiles(of: image)
    } catch let error as BuildError {
      throw error
    } catch let error as any Diagnosable {
      throw .selfCheck(error.diagnostic)
    } catch {
      throw .selfCheck(Diagnostic("build.self-check", .incomplete, "\(error)"))
    }
  }
}
