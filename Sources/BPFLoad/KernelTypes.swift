internal import BPFObject
internal import LinuxSys

/// The running kernel's own types, by name. Shared by loads that follow one another: what one has looked up, the next
/// one has at hand, and the kernel's type information is opened once.
public final class KernelTypes {
  private var kernel: KernelBTF?
  private var found: [ProgramKind.AttachTarget: UInt32?] = [:]

  /// Nothing is read before the first type is asked for.
  public init() {}

  /// The ids of the targets, each nil when the kernel has no such type.
  ///
  /// - Parameter program: who asks, for error messages.
  func ids(
    of targets: [ProgramKind.AttachTarget], for program: String
  ) throws(BPFLoadError) -> [UInt32?] {
    let missing = targets.filter { found[$0] == nil }
    if !missing.isEmpty {
      for (target, id) in zip(missing, try search(missing, for: program)) { found[target] = .some(id) }
    }
    return targets.map { found[$0] ?? nil }
  }

  private func search(
    _ targets: [ProgramKind.AttachTarget], for program: String
  ) throws(BPFLoadError) -> [UInt32?] {
    if kernel == nil {
      do throws(SystemError) {
        kernel = try KernelBTF.open()
      } catch {
        throw .noKernelBTF(program: program, error: error)
      }
    }
    do throws(KernelTypeSearch.Malformed) {
      switch kernel {
      case .some(let kernel): return try KernelTypeSearch.ids(of: targets, in: kernel.bytes)
      case .none: return targets.map { _ in nil }
      }
    } catch {
      throw .unreadableKernelBTF(reason: error.reason)
    }
  }
}
