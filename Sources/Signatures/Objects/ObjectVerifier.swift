public import Base

/// A signature of an object that holds.
public struct VerifiedSignature: Equatable, Sendable {
  /// How the signature is put to the object.
  public enum Format: String, Sendable, CaseIterable {
    /// The section ``SignatureSection``: everything that is loaded, whatever is stripped.
    case companion
    /// The trailer of kernel modules, ``ModuleSignature``: the whole file.
    case module
  }

  public let format: Format
  /// SHA-256 of the signer's certificate in DER.
  public let signer: Digest
  /// What that certificate says of itself. When it is valid is for the caller to judge, who knows the time.
  public let certificate: CertificateFacts
  /// SHA-256 of what is signed: of the manifest, or of the file without its trailer. Other than that of the file it stays
  /// the same when debug information is stripped or the object is signed again.
  public let content: Digest
  /// What is covered, one line each, for people; for a module trailer only the file.
  public let covered: [String]
  /// What the object has that the signature says nothing about.
  public let notCovered: [String]
}

/// Checking the signatures of BPF objects.
public enum ObjectVerifier {
  /// Whether the object has a signature of either kind, right or wrong.
  public static func isSigned(_ object: RawSpan) -> Bool {
    if ModuleSignature.isPresent(in: object) { return true }
    guard names(object) else { return false }
    do throws(ObjectSignatureError) {
      _ = try SignatureSection.read(from: object)
      return true
    } catch {
      if case .unsigned = error { return false }
      // What cannot be read as an object is no signed object either.
      if case .object = error { return false }
      return true
    }
  }

  /// Whether the section's name is anywhere in the bytes: most objects are unsigned, and need not be taken apart.
  private static func names(_ object: RawSpan) -> Bool {
    object.firstOffset(of: Array(SignatureSection.name.utf8).rawSpan) != nil
  }

  /// Checks the signature of an object: that in its section when it has one, or its trailer. Of an object with both, both
  /// must hold, and that of the section counts.
  ///
  /// - Throws: ``ObjectSignatureError/unsigned`` when it has neither; any other for a signature that does not hold.
  public static func verify(
    _ object: RawSpan, trusted: borrowing Certificates
  ) throws(ObjectSignatureError) -> VerifiedSignature {
    let trailer = try ModuleSignature.split(object)
    do throws(ObjectSignatureError) {
      let contentCount = trailer?.contentCount ?? object.byteCount
      let verified = try verifySection(object.extracting(first: contentCount), trusted: trusted)
      if let trailer { _ = try verify(trailer, of: object, trusted: trusted) }
      return verified
    } catch {
      guard case .unsigned = error, let trailer else { throw error }
      return try verify(trailer, of: object, trusted: trusted)
    }
  }

  private static func verifySection(
    _ object: RawSpan, trusted: borrowing Certificates
  ) throws(ObjectSignatureError) -> VerifiedSignature {
    let section = try SignatureSection.read(from: object)
    let verified = try check(section.message, content: section.manifest, trusted: trusted, allowsAttributes: false)
    // Only now does a trusted signer vouch for the manifest.
    let manifest = try ObjectManifest(text: section.manifest)
    try manifest.check(against: ObjectManifest(of: object))
    if !section.kernelSignatures.isEmpty {
      try check(section.kernelSignatures, by: verified.signer, of: object, trusted: trusted)
    }
    return VerifiedSignature(
      format: .companion, signer: verified.signer, certificate: verified.certificate,
      content: try digest(of: section.manifest),
      covered: manifest.entries.filter { !$0.isRemovable }.map(\.label),
      notCovered: ["strings that nothing names", "the places of the sections in the file", "the signature itself"])
  }

  /// The signatures for the kernel are no part of the manifest. A wrong one would only be refused where it is used, by the
  /// kernel; it is found here, so that everything in a signed object is as its signer left it.
  private static func check(
    _ signatures: [KernelSignature], by signer: Digest, of object: RawSpan, trusted: borrowing Certificates
  ) throws(ObjectSignatureError) {
    let contents = KernelSigningPlan(object: object).contents
    for signature in signatures {
      guard let content = contents.first(where: { $0.program == signature.program && $0.form == signature.form }) else {
        throw .kernelSignature(program: signature.program, nil)
      }
      do throws(SignatureError) {
        let verified = try SignedMessage.verify(
          signature.message, content: content.bytes, trusted: trusted, allowsAttributes: false)
        // Another trusted signer would do for the kernel, but not for the evidence about the whole object.
        guard verified.signer == signer else { throw .untrustedSigner }
      } catch {
        throw .kernelSignature(program: signature.program, error)
      }
    }
  }

  private static func verify(
    _ trailer: ModuleSignature, of object: RawSpan, trusted: borrowing Certificates
  ) throws(ObjectSignatureError) -> VerifiedSignature {
    let content = object.extracting(first: trailer.contentCount).copyBytes()
    let verified = try check(trailer.message, content: content, trusted: trusted, allowsAttributes: true)
    return VerifiedSignature(
      format: .module, signer: verified.signer, certificate: verified.certificate, content: try digest(of: content),
      covered: ["the whole file, \(trailer.contentCount) bytes"], notCovered: [])
  }

  private static func digest(of content: [UInt8]) throws(ObjectSignatureError) -> Digest {
    do throws(HashingError) { return try Digest.of(content.rawSpan) } catch { throw .hashing(error) }
  }

  private static func check(
    _ message: [UInt8], content: [UInt8], trusted: borrowing Certificates, allowsAttributes: Bool
  ) throws(ObjectSignatureError) -> SignedMessage.Verified {
    do throws(SignatureError) {
      return try SignedMessage.verify(
        message, content: content, trusted: trusted, allowsAttributes: allowsAttributes)
    } catch {
      throw .signature(error)
    }
  }
}
