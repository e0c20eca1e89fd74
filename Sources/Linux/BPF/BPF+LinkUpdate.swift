internal import CLinuxShim
public import KernelABI

extension BPF {
  /// What the kernel says of a link (struct bpf_link_info).
  public struct LinkInfo: Equatable, Sendable {
    public let id: UInt32
    /// `enum bpf_link_type`.
    public let type: UInt32
    /// The program that it holds; 0 for a link of a structure of functions.
    public let programID: UInt32
    /// What stands behind that: for each type something else.
    fileprivate let words: [UInt32]

    /// What kind of link it is; nil for one that is not known here.
    public var kind: LinkType? { LinkType(rawValue: type) }

    /// What the link is on, where the kernel says so by a number.
    public var place: Place? {
      switch kind {
      case .xdp: .interface(words[0], nil)
      case .tcx, .netkit: .interface(words[0], words[1])
      case .cgroup: .cgroup(UInt64(words[0]) | UInt64(words[1]) << 32, words[2])
      case .netns: .networkNamespace(words[0], words[1])
      case .sockmap: .sockets(map: words[0], words[1])
      case .structOps: .structure(map: words[0])
      case .unspec, .rawTracepoint, .tracing, .iter, .perfEvent, .kprobeMulti, .netfilter, .uprobeMulti, .tracingMulti,
        nil:
        nil
      }
    }

    /// A place whose links can be given another program, each with `enum bpf_attach_type`.
    public enum Place: Equatable, Sendable {
      /// An interface's index, 0 when it is gone; nil where the type of the link says all.
      case interface(UInt32, UInt32?)
      /// The cgroup's number, which is its directory's inode.
      case cgroup(UInt64, UInt32)
      /// The inode of the namespace's file.
      case networkNamespace(UInt32, UInt32)
      /// The id of the map with the sockets.
      case sockets(map: UInt32, UInt32)
      /// The id of the map that is registered.
      case structure(map: UInt32)
    }
  }

  /// BPF_OBJ_GET_INFO_BY_FD of a link.
  public static func linkInfo(_ link: KernelObject) throws(SystemError) -> LinkInfo {
    var raw = vb_bpf_link_info()
    try info(of: link, into: &raw)
    let words = raw.words
    return LinkInfo(
      id: raw.id, type: raw.type, programID: raw.prog_id, words: [words.0, words.1, words.2, words.3])
  }

  /// BPF_LINK_UPDATE: the link holds another program from now on, or registers another structure's map, without a moment
  /// in which it holds none.
  ///
  /// - Parameter old: what it holds now. EPERM when that is something else.
  public static func update(
    _ link: KernelObject, to new: KernelObject, replacing old: KernelObject
  ) throws(SystemError) {
    var attributes = vb_bpf_link_update()
    attributes.link_fd = UInt32(bitPattern: link.descriptor.withRaw { $0 })
    attributes.new_fd = UInt32(bitPattern: new.descriptor.withRaw { $0 })
    attributes.flags = LinkUpdateFlag.replace.rawValue
    attributes.old_fd = UInt32(bitPattern: old.descriptor.withRaw { $0 })
    defer { withExtendedLifetime((link, new, old)) {} }
    _ = try call(.linkUpdate, &attributes)
  }
}
