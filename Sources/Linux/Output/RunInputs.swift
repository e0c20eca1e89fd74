/// The files that a run reads, none of which may become one of its results.
///
/// A result gets its name by a rename, and whatever had the name before is gone. Where that was the private key, it is
/// gone for good, so every command that writes a file asks here first.
public struct RunInputs: Sendable {
  /// A file by what it is, whatever path leads to it.
  private struct Identity: Hashable {
    let device: DeviceNumber
    let inode: UInt64

    init?(_ path: String) {
      guard let status = try? FileStatus.of(path: path) else { return nil }
      self.init(status)
    }

    init(_ status: FileStatus) {
      device = status.device
      inode = status.inode
    }
  }

  private struct Input {
    let path: String
    let role: String
    let identity: Identity?
  }

  private var inputs: [Input] = []

  public init() {}

  /// Adds a file that is read; one that is not there has nothing to lose.
  ///
  /// - Parameters:
  ///   - path: its path, or `-` for standard input.
  ///   - role: what it is to the run, in a few words: `the private key`.
  public mutating func add(_ path: String, as role: String) {
    inputs.append(Input(path: path, role: role, identity: Identity(path == "-" ? "/dev/stdin" : path)))
  }

  /// Adds a file that is read and was looked at already.
  public mutating func add(_ path: String, _ status: FileStatus, as role: String) {
    inputs.append(Input(path: path, role: role, identity: Identity(status)))
  }

  /// Adds a file that an option named, if it did.
  public mutating func add(_ path: String?, as role: String) {
    if let path { add(path, as: role) }
  }

  /// Adds a private key by its file or URI. Of the URIs only `file:` leads to a file, with or without the slashes of an
  /// empty authority (RFC 8089, section 2; OSSL_STORE-file(7)).
  public mutating func add(key: String) {
    guard key.lowercased().hasPrefix("file:") else { return add(key, as: "the private key") }
    let rest = String(key.dropFirst("file:".count))
    for authority in ["//localhost/", "///"] where rest.lowercased().hasPrefix(authority) {
      return add("/\(rest.dropFirst(authority.count))", as: "the private key")
    }
    add(rest, as: "the private key")
  }

  /// Refuses a path that may not become a result: that of a file which is read, under whatever name, or of something that
  /// is no regular file, since root's rename replaces a device node just as well.
  ///
  /// - Throws: ``SafeOutputError``. A path where nothing is yet is always in order.
  public func requireReplaceable(_ output: String) throws(SafeOutputError) {
    guard let status = try? FileStatus.of(path: output, followLinks: false) else { return }
    // A link is replaced itself; a link to a device, as /dev/stdout is one, was not meant to be.
    let target = status.kind == .symbolicLink ? try? FileStatus.of(path: output) : status
    if let kind = target?.kind, kind != .regular { throw .notAFile(output: output, kind: kind.rawValue) }
    guard let identity = Identity(output) else { return }
    for input in inputs where input.identity == identity {
      throw .replacesInput(output: output, input: input.path, role: input.role)
    }
  }
}
