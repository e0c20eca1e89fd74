internal import Base
internal import KernelABI
internal import Linux
internal import Signatures
internal import Trust

/// Objects that lie on no image: only fs-verity, their own signature, or a rule about their digest can let them pass.
extension Examination {
  /// Examines the object in an ordinary file, which is opened and read once.
  public mutating func examine(file path: String) throws(ProvenanceError) -> ExaminedObject {
    forgetReached()
    let descriptor: OwnedFD
    do throws(SystemError) {
      descriptor = try OwnedFD.openRegular(path)
    } catch {
      throw .system(error)
    }
    return try finish(try Self.contents(of: descriptor, name: path), path: path, evidence: Evidence())
  }

  /// Examines the object behind a descriptor when it is signed; nil when it is not, or is larger than any object.
  mutating func examine(signed number: Int32) throws(ProvenanceError) -> ExaminedObject? {
    let descriptor = try OpenObject.duplicate(number)
    let bytes: [UInt8]
    do throws(ProvenanceError) {
      bytes = try Self.contents(of: descriptor, name: "fd \(number)")
    } catch .tooLarge {
      return nil
    }
    guard ObjectVerifier.isSigned(bytes.rawSpan) else { return nil }
    let path = KernelFile.link(.openFileName, "\(number)") ?? ""
    return try finish(bytes, path: path, evidence: Evidence())
  }

  /// Examines the object behind a descriptor when its file has fs-verity; nil when it has not.
  mutating func examine(withFileVerity number: Int32) throws(ProvenanceError) -> ExaminedObject? {
    let descriptor = try OpenObject.duplicate(number)
    guard try FileVerityFacts.measure(descriptor) != nil else { return nil }
    let bytes = try Self.contents(of: descriptor, name: "fd \(number)")
    var evidence = Evidence()
    evidence.fileVerity = try FileVerityFacts.prove(
      bytes.rawSpan, of: descriptor, trust: trust, time: Timestamp.now().seconds)
    let path = KernelFile.link(.openFileName, "\(number)") ?? ""
    return try finish(bytes, path: path, evidence: evidence)
  }

  private static func contents(of descriptor: borrowing OwnedFD, name: String) throws(ProvenanceError) -> [UInt8] {
    let status: FileStatus
    do throws(SystemError) { status = try descriptor.status() } catch { throw .system(error) }
    // A pipe or device has no bytes to come back to.
    guard status.kind == .regular else { throw .system(SystemError("read", path: name, .einval)) }
    guard status.size <= sizeLimit else { throw .tooLarge(object: name, size: status.size, limit: sizeLimit) }
    let answer = try OpenContents.read(descriptor, on: status.device, byteCount: Int(status.size))
    do throws(SystemError) {
      // It got shorter since it was asked for its size.
      guard let bytes = try answer.get() else { throw SystemError("read", path: name, .eio) }
      return bytes
    } catch {
      throw .system(error)
    }
  }

  private mutating func finish(
    _ bytes: [UInt8], path: String, evidence: Evidence
  ) throws(ProvenanceError) -> ExaminedObject {
    let digest: Digest
    do throws(HashingError) { digest = try Digest.of(bytes.rawSpan) } catch { throw .hashing(error) }
    var complete = evidence
    complete.file = FileFacts(path: path, size: UInt64(bytes.count), digest: digest)
    return try complete.examined(bytes, digest: digest, trust: trust)
  }
}
