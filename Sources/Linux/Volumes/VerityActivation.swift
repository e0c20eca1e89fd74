internal import Base
internal import CCryptsetup
internal import Glibc

/// A device-mapper volume of target type `verity`, set up by libcryptsetup so that veritysetup knows it too.
public struct VerityActivation: Sendable {
  /// Below /dev/mapper.
  public var name: String
  /// Block devices; for a tree that follows its data they are one.
  public var dataDevice: String
  public var hashDevice: String
  /// Where the superblock is on the hash device, in bytes.
  public var hashOffset: UInt64
  public var rootHash: [UInt8]
  /// Detached PKCS#7 in DER over the root hash's digits; the kernel checks it against its keyrings.
  public var signature: [UInt8]?

  public init(
    name: String, dataDevice: String, hashDevice: String, hashOffset: UInt64, rootHash: [UInt8], signature: [UInt8]?
  ) {
    self.name = name
    self.dataDevice = dataDevice
    self.hashDevice = hashDevice
    self.hashOffset = hashOffset
    self.rootHash = rootHash
    self.signature = signature
  }

  /// Why a volume was not activated or removed.
  public enum Failure: Error, Equatable, Sendable {
    /// libcryptsetup cannot be loaded.
    case noLibrary(reason: String)
    /// It refused; its own messages are the only place where the kernel's reason for refusing a signature is told.
    case refused(SystemError, messages: [String])
  }

  /// Activates the volume, read-only; needs root.
  public func activate() throws(Failure) {
    let result = unsafe Self.withLog { log, size in
      unsafe rootHash.withUnsafeBytes { root in
        unsafe (signature ?? []).withUnsafeBytes { message in
          unsafe name.withCString { name in
            dataDevice.withSystemPath { data in
              hashDevice.withSystemPath { hash in
                var request = unsafe vb_verity_request(
                  name: name, data_device: data, hash_device: hash, hash_offset: hashOffset,
                  root_hash: root.baseAddress, root_hash_size: root.count, signature: nil,
                  signature_size: message.count)
                if signature != nil { unsafe request.signature = message.baseAddress }
                return unsafe vb_verity_activate(&request, log, size)
              }
            }
          }
        }
      }
    }
    try Self.check(result, "crypt_activate", name)
  }

  /// Removes an active volume: at once, or, while it is in use, by the kernel when its last user is gone.
  public static func deactivate(name: String) throws(Failure) {
    try check(
      unsafe withLog { log, size in unsafe name.withCString { unsafe vb_verity_deactivate($0, log, size) } },
      "crypt_deactivate", name)
  }

  private static func withLog(
    _ call: (UnsafeMutablePointer<CChar>?, Int) -> vb_crypt_result
  ) -> (result: vb_crypt_result, messages: [String]) {
    var log = [CChar](repeating: 0, count: 4096)
    let result = unsafe log.withUnsafeMutableBufferPointer { unsafe call($0.baseAddress, $0.count) }
    let text = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // What is tried again and again is said again and again.
    var messages: [String] = []
    for line in text.split(whereSeparator: \.isNewline).map(String.init) where !messages.contains(line) {
      messages.append(line)
    }
    return (result, messages)
  }

  private static func check(
    _ ended: (result: vb_crypt_result, messages: [String]), _ operation: String, _ name: String
  ) throws(Failure) {
    let code = ended.result.code
    guard code != 0 else { return }
    guard code != VB_NO_CRYPTSETUP else {
      throw .noLibrary(reason: ended.messages.joined(separator: "; "))
    }
    throw .refused(SystemError(operation, path: name, errno: -code), messages: ended.messages)
  }
}
