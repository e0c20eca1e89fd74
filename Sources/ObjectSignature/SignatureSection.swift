internal import BPFObject
internal import ByteKit

/// The contents of the section `.bpf_sig`: a manifest and a detached PKCS#7 message over it.
///
/// Eight bytes ``magic``, the number of records as 32 bits, then for each record its kind and its length in 32 bits,
/// its bytes, and zeros up to the next multiple of four. All numbers are little-endian. Records come in the order of
/// their kinds, and nothing follows the last.
public struct SignatureSection: Equatable, Sendable {
  /// The section's name.
  public static let name = ".bpf_sig"
  static let magic = Array("VBPFSIG1".utf8)

  /// Kinds of records.
  private enum Kind: UInt32 {
    case manifest = 1
    case message = 2
  }

  /// The text of ``ObjectManifest``.
  public var manifest: [UInt8]
  /// The PKCS#7 message in DER.
  public var message: [UInt8]

  init(manifest: [UInt8], message: [UInt8]) {
    self.manifest = manifest
    self.message = message
  }

  /// The section's contents.
  var bytes: [UInt8] {
    var output = Self.magic
    output.appendLittleEndian(UInt32(2))
    for (kind, contents) in [(Kind.manifest, manifest), (.message, message)] {
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
    do throws(ByteError) {
      let span = contents.rawSpan
      let start = Self.magic.count + 4
      let manifestCount = Int(try span.u32(at: start + 4))
      manifest = try span.slice(at: start + 8, count: manifestCount).copyBytes()
      let next = start + 8 + (manifestCount + 3) / 4 * 4
      message = try span.slice(at: next + 8, count: Int(try span.u32(at: next + 4))).copyBytes()
    } catch {
      throw .section(reason: "\(error.needed) bytes are needed at byte \(error.offset) of \(error.available)")
    }
    // Which records there are, in which order, and what is between and behind them.
    guard bytes == contents else { throw .section(reason: "it is not in its canonical form") }
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
  func attached(to object: RawSpan) throws(ObjectSignatureError) -> [UInt8] {
    do throws(BPFObjectError) {
      return try BPFObject.settingSection(named: Self.name, to: bytes, in: object)
    } catch {
      throw .object(error)
    }
  }
}
