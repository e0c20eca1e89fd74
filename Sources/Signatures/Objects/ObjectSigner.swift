/// Signing BPF objects: the bytes to sign, and putting the signature to the object. What is in between may happen
/// elsewhere, with a key that never comes here.
public enum ObjectSigner {
  /// The bytes that a signature of the object is over: the text of its ``ObjectManifest``.
  public static func bytesToSign(of object: RawSpan) throws(ObjectSignatureError) -> [UInt8] {
    try ObjectManifest(of: object).text
  }

  /// Signs an object, and each of its programs for the kernel; signatures that it has are replaced.
  ///
  /// - Parameters:
  ///   - certificate: the signer's certificate in PEM; of several the first is used.
  ///   - plan: what the kernel is to check.
  /// - Returns: the object with its signature section.
  public static func sign(
    _ object: RawSpan, certificate: [UInt8], key: borrowing PrivateKey, forKernel plan: KernelSigningPlan
  ) throws(ObjectSignatureError) -> [UInt8] {
    let manifest = try bytesToSign(of: object)
    var section = SignatureSection(manifest: manifest, message: [])
    do throws(SignatureError) {
      section.message = try SignedMessage.sign(manifest, certificate: certificate, key: key, form: .rootHash)
      for content in plan.contents {
        let message = try SignedMessage.sign(content.bytes, certificate: certificate, key: key, form: .rootHash)
        let signature = KernelSignature(program: content.program, form: content.form, message: message)
        if let signature { section.kernelSignatures.append(signature) }
      }
    } catch {
      throw .signature(error)
    }
    return try section.attached(to: object)
  }

  /// The signatures for the kernel that an object carries; none when it has no signature section.
  ///
  /// - Throws: ``ObjectSignatureError`` for a section that is damaged.
  public static func kernelSignatures(of object: RawSpan) throws(ObjectSignatureError) -> [KernelSignature] {
    do throws(ObjectSignatureError) {
      return try SignatureSection.read(from: object).kernelSignatures
    } catch {
      if case .unsigned = error { return [] }
      throw error
    }
  }

  /// Puts a signature made elsewhere to an object, when it holds.
  ///
  /// - Parameters:
  ///   - message: a detached PKCS#7 message in DER over ``bytesToSign(of:)``.
  ///   - trusted: the signer's certificate.
  public static func attach(
    _ message: [UInt8], to object: RawSpan, trusted: borrowing Certificates
  ) throws(ObjectSignatureError) -> [UInt8] {
    let manifest = try bytesToSign(of: object)
    do throws(SignatureError) {
      _ = try SignedMessage.verify(message, content: manifest, trusted: trusted, allowsAttributes: false)
    } catch {
      throw .signature(error)
    }
    return try SignatureSection(manifest: manifest, message: message).attached(to: object)
  }

  /// Puts a signature made elsewhere to an object when it has the right form; neither signer nor content is checked.
  public static func attachUnchecked(
    _ message: [UInt8], to object: RawSpan
  ) throws(ObjectSignatureError) -> [UInt8] {
    let manifest = try bytesToSign(of: object)
    do throws(SignatureError) {
      try SignedMessage.checkForm(message, isDetached: true, allowsAttributes: false)
    } catch {
      throw .signature(error)
    }
    return try SignatureSection(manifest: manifest, message: message).attached(to: object)
  }
}
