public import Base
public import Image
internal import Linux

/// Shows on this very machine that what must be refused is refused, and what must be allowed is allowed.
///
/// The questions go through the same code as a load, up to the policy's decision; nothing is given to the kernel as a
/// program. Everything is made in a private directory, and mounts in a mount namespace of their own, so that nothing
/// is left behind, whatever ends the process.
public enum SelfTest {
  /// Asks every question.
  ///
  /// - Parameters:
  ///   - image: an image to test with, which is only read; nil to build a small one.
  ///   - location: where that image's parts are, as far as the caller says so.
  ///   - rootHash: the root hash that the image must have, if the caller knows.
  ///   - object: the object inside the image to ask about; nil for the first one that its manifest names.
  public static func run(
    image: String?, at location: ImageLocation = ImageLocation(), rootHash: Digest?, object: String?
  ) throws(SelfTestError) -> [Control] {
    do {
      let directory = try PrivateDirectory(prefix: "verity-bpf-self-test")
      let original = try image ?? buildImage(in: directory.path)
      let specimen = try Specimen.copy(
        of: original, at: location, into: directory, expecting: rootHash, object: object)
      return imageControls(specimen) + originControls(specimen) + imageRollback(specimen)
        + policyControls(in: specimen.directory.path) + signatureControls(specimen) + mountControls(specimen)
    } catch let error as SelfTestError {
      throw error
    } catch let error as any Diagnosable {
      throw .badImage(error.diagnostic)
    } catch {
      throw .badImage(Diagnostic("self-test.copy", .incomplete, "the image cannot be copied: \(error)"))
    }
  }

  /// Builds an image with one object in it.
  private static func buildImage(in directory: String) throws -> String {
    let source = "\(directory)/objects"
    try Directory.create(source)
    let object = TinyObject.bytes
    let file = try OwnedFD.open("\(source)/drop.bpf.o", [.writeOnly, .create, .exclusive])
    try file.writeAll(object.rawSpan)
    var request = BuildRequest(
      directory: source, output: "\(directory)/built", rootHashFile: "\(directory)/built.roothash")
    request.name = "self-test"
    request.version = "2.0.0"
    do throws(BuildError) {
      _ = try ImageBuilder(request).build()
    } catch {
      throw SelfTestError.noImage(error.diagnostic)
    }
    return request.output
  }
}
