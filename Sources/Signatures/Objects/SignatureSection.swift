internal import BPFObject
internal import Base

/// The contents of the section `.bpf_sig`: a manifest, a detached PKCS#7 message over it, and signatures that the kernel
/// checks.
///
/// Eight bytes ``magic``, the number of records as 32 bits, then for each record its kind and its length in 32 bits,
/// its bytes, and zeros up to the next multiple of four. All numbers are little-endian. Records come in the order of
/// their kinds: one manifest, one message over it, then any number of ``KernelSignature``s; nothing follows the last.
/// The manifest does not cover the latter; each holds by itself.
public struct SignatureSection: Equatable, Sendable {
  /// The section's name.
  public static let name = ".bpf_sig"
  static let magic = Array("VBPFSIG1".utf8)
  /// Records that a section may have. More than any object has programs and forms; what an attacker adds is not read
  /// through for ever.
  static let recordLimit: UInt32 = 4096

  /// Kinds of records.
  private enum Kind: UInt32 {
    case manifest = 1
    case message = 2
    case kernelSignature = 3
  }

  /// The text of ``ObjectManifest``.
  public var manifest: [UInt8]
  /// The PKCS#7 message in DER.
  public var message: [UInt8]
  /// At most one for a program and a form.
  public var kernelSignatures: [KernelSignature]

  init(manifest: [UInt8], message: [UInt8], kernelSignatures: [KernelSignature] = []) {
    self.manifest = manifest
    self.message = message
    self.kernelSignatures = kernelSignatures
  }

  /// The section's contents.
  var bytes: [UInt8] {
    var output = Self.magic
    let records =
      [(Kind.manifest, manifest), (.message, message)] + kernelSignatures.map { (.kernelSignature, $0.record) }
    output.appendLittleEndian(UInt32(truncatingIfNeeded: records.count))
    for (kind, contents) in records {
      output.appendLittleEndian(kind.rawValue)
      output.appendLittleEndian(UInt32(truncatingIfNeeded: contents.count))
      output += contents
      output += [UInt8](repeating: 0, count: (4 - output.count % 4) % 4)
    }
    return output
  }

  /// Reads the section's contents; only what ``bytes`` writes is taken.
  ///
  /// - Throws: ``ObjectSignatureError/section(reason:)``.
  init(_ contents: [UInt8]) throws(ObjectSignatureError) {
    guard contents.starts(with: Self.magic) else { throw .section(reason: "it does not begin with VBPFSIG1") }
    let records: [[UInt8]]
    do throws(ByteError) {
      records = try Self.records(in: contents.rawSpan)
    } catch {
      throw .section(reason: "\(error.needed) bytes are needed at byte \(error.offset) of \(error.available)")
    }
    guard records.count >= 2 else { throw .section(reason: "it has \(records.count) records") }
    manifest = records[0]
    message = records[1]
    kernelSignatures = []
    for record in records.dropFirst(2) {
      guard let signature = KernelSignature(record: record) else {
        throw .section(reason: "a signature for the kernel is damaged")
      }
      guard !kernelSignatures.contains(where: { $0.program == signature.program && $0.form == signature.form }) else {
        throw .section(reason: "program `\(signature.program)` has two signatures of one form")
      }
      kernelSignatures.append(signature)
    }
    // Which records there are, in which order, and what is between and behind them.
    guard bytes == contents else { throw .section(reason: "it is not in its canonical form") }
  }

  /// The bytes of the records, whatever their kinds.
  private static func records(in span: RawSpan) throws(ByteError) -> [[UInt8]] {
    var records: [[UInt8]] = []
    var next = magic.count + 4
    for _ in 0..<min(try span.u32(at: magic.count), recordLimit) {
      let size = Int(try span.u32(at: next + 4))
      records.append(try span.slice(at: next + 8, count: size).copyBytes())
      next += 8 + (size + 3) / 4 * 4
    }
    return records
  }

  /// The signature section of an object.
  ///
  /// - Throws: ``ObjectSignatureError/unsigned`` when there is none, ``ObjectSignatureError/signedTwice(_:)`` when there
  ///   are several.
  public static func read(from object: RawSpan) throws(ObjectSignatureError) -> SignatureSection {
    let sections: [[UInt8]]
    do throws(BPFObjectError) {
      sections = try BPFObject.sections(named: name, in: object)
    } catch {
      throw .object(error)
    }
    guard let contents = sections.first else { throw .unsigned }
    guard sections.count == 1 else { throw .signedTwice(sections.count) }
    return try SignatureSection(contents)
  }

  /// The object with this signature and no other.
  ///
  /// - Throws: ``ObjectSignatureError/section(reason:)`` when it has more records than would be read.
  func attached(to object: RawSpan) throws(ObjectSignatureError) -> [UInt8] {
    guard kernelSignatures.count + 2 <= Int(Self.recordLimit) else {
      throw .section(
        reason: "it would have \(kernelSignatures.count + 2) records, and at most \(Self.recordLimit) are read")
    }
    do throws(BPFObjectError) {
      return try BPFObject.settingSection(named: Self.name, to: bytes, in: object)
    } catch {
      throw .object(error)
    }
  }
}
