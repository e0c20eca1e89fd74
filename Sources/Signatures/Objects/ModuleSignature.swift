internal import Base

/// The signature at the end of a kernel module, which can be put behind any file (include/linux/module_signature.h,
/// scripts/sign-file.c): the file, a detached PKCS#7 message over it, twelve bytes that say how long the message is, and
/// a line of text.
public struct ModuleSignature: Equatable, Sendable {
  /// The line at the file's end.
  static let mark = Array("~Module signature appended~\n".utf8)
  /// PKEY_ID_PKCS7.
  private static let kind: UInt8 = 2
  private static let descriptionSize = 12

  /// Bytes before the signature.
  let contentCount: Int
  /// The PKCS#7 message in DER.
  let message: [UInt8]

  /// Whether a file ends in the mark.
  static func isPresent(in file: RawSpan) -> Bool {
    guard file.byteCount >= mark.count else { return false }
    return file.extracting(last: mark.count).hasSameBytes(as: mark.rawSpan)
  }

  /// The signature at a file's end; nil when it does not end in the mark.
  ///
  /// - Throws: ``ObjectSignatureError/trailer(reason:)`` for what the kernel refuses too (kernel/module_signature.c).
  static func split(_ file: RawSpan) throws(ObjectSignatureError) -> ModuleSignature? {
    guard isPresent(in: file) else { return nil }
    let end = file.byteCount - mark.count
    guard end >= descriptionSize else { throw .trailer(reason: "it ends too early") }
    let description = file.extracting((end - descriptionSize)..<end).copyBytes()
    // Algorithm, hash, kind, two lengths and three bytes of padding; only the kind is not zero.
    guard description.prefix(8).enumerated().allSatisfy({ $1 == ($0 == 2 ? kind : 0) }) else {
      throw .trailer(reason: "it is not of the kind PKCS#7, or has fields that this kind leaves zero")
    }
    let count = description.suffix(4).reduce(0) { $0 << 8 | Int($1) }
    guard count > 0, count <= end - descriptionSize else {
      throw .trailer(reason: "a message of \(count) bytes in a file of \(file.byteCount)")
    }
    let contentCount = end - descriptionSize - count
    let message = file.extracting(contentCount..<(end - descriptionSize)).copyBytes()
    return ModuleSignature(contentCount: contentCount, message: message)
  }

  /// The bytes that a trailer of the object would be over: the file without the trailer it may have.
  public static func bytesToSign(of file: RawSpan) throws(ObjectSignatureError) -> [UInt8] {
    let present = try split(file)
    return file.extracting(first: present?.contentCount ?? file.byteCount).copyBytes()
  }

  /// Signs a file; a trailer that it has is replaced.
  public static func sign(
    _ file: RawSpan, certificate: [UInt8], key: borrowing PrivateKey
  ) throws(ObjectSignatureError) -> [UInt8] {
    let content = try bytesToSign(of: file)
    do throws(SignatureError) {
      return append(try SignedMessage.sign(content, certificate: certificate, key: key, form: .rootHash), to: content)
    } catch {
      throw .signature(error)
    }
  }

  /// Puts a signature made elsewhere behind a file, when it holds.
  ///
  /// - Parameters:
  ///   - message: a detached PKCS#7 message in DER over ``bytesToSign(of:)``.
  ///   - trusted: the signer's certificate.
  public static func attach(
    _ message: [UInt8], to file: RawSpan, trusted: borrowing Certificates
  ) throws(ObjectSignatureError) -> [UInt8] {
    let content = try bytesToSign(of: file)
    do throws(SignatureError) {
      _ = try SignedMessage.verify(message, content: content, trusted: trusted)
    } catch {
      throw .signature(error)
    }
    return append(message, to: content)
  }

  /// Puts a signature made elsewhere behind a file when it has the right form; neither signer nor content is checked.
  public static func attachUnchecked(_ message: [UInt8], to file: RawSpan) throws(ObjectSignatureError) -> [UInt8] {
    let content = try bytesToSign(of: file)
    do throws(SignatureError) {
      try SignedMessage.checkForm(message, isDetached: true)
    } catch {
      throw .signature(error)
    }
    return append(message, to: content)
  }

  private static func append(_ message: [UInt8], to content: [UInt8]) -> [UInt8] {
    let length = UInt32(truncatingIfNeeded: message.count)
    let bigEndian = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
    return content + message + [0, 0, kind, 0, 0, 0, 0, 0] + bigEndian + mark
  }
}
