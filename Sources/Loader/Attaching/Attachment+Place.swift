internal import KernelABI
internal import Linux

/// Places that an option names, looked for before anything is made.
extension Attachment {
  /// Refuses an interface, a cgroup or a network namespace that is not there: a mistake in an option is no refusal of the
  /// kernel, and nothing has to be undone for it.
  func requirePlace() throws(BPFLoadError) {
    switch self {
    case .interface(let name, _):
      do throws(SystemError) {
        _ = try NetworkInterface.index(named: name)
      } catch {
        guard error.code == .enodev else { throw .system(error) }
        throw .noSuchPlace(
          option: "--interface", value: name, expected: "a network interface of this network namespace",
          found: "none of that name", next: "`ip link` lists the interfaces that there are")
      }
    case .cgroup(let path, _):
      let expected = "a directory of a cgroup2 file system"
      let next = "`findmnt -t cgroup2` says where one is mounted; name a directory of it"
      do throws(SystemError) {
        let directory = try OwnedFD.open(path, [.readOnly, .directory])
        guard try directory.fileSystemType() != FileSystemMagic.cgroup2.rawValue else { return }
      } catch {
        throw .noSuchPlace(option: "--cgroup", value: path, expected: expected, found: error.description, next: next)
      }
      throw .noSuchPlace(
        option: "--cgroup", value: path, expected: expected, found: "a directory of another file system", next: next)
    case .networkNamespace(let path?, _):
      do throws(SystemError) {
        _ = try OwnedFD.open(path, .readOnly)
      } catch {
        throw .noSuchPlace(
          option: "--target", value: path, expected: "the file of a network namespace", found: error.description,
          next: "`ip netns` lists those that have a name; theirs are in /run/netns")
      }
    case .networkNamespace(nil, _), .rawTracepoint, .typed, .iterator, .structure, .tracepoint, .kernelProbe,
      .kernelProbes, .userProbe, .userProbes, .marked, .samples, .netfilter, .sockets:
      break
    }
  }

  /// Whether a rehearsal has looked for the place: here, or among the kernel's types.
  var isLookedFor: Bool {
    switch self {
    case .interface, .cgroup, .networkNamespace, .typed, .iterator, .structure: true
    case .rawTracepoint, .tracepoint, .kernelProbe, .kernelProbes, .userProbe, .userProbes, .marked, .samples,
      .netfilter,
      .sockets:
      false
    }
  }
}
