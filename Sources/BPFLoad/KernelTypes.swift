internal import BPFObject
internal import ByteKit
internal import LinuxSys

/// The running kernel's own types, by name. Shared by loads that follow one another: what one has looked up, the next
/// one has at hand, and the kernel's type information is opened once.
public final class KernelTypes {
  private var kernel: KernelBTF?
  private var found: [ProgramKind.AttachTarget: UInt32?] = [:]

  /// Nothing is read before the first type is asked for.
  public init() {}

  /// The ids of the targets, each nil when the kernel has no such type.
  func ids(of targets: [ProgramKind.AttachTarget]) throws(Failure) -> [UInt32?] {
    let missing = targets.filter { found[$0] == nil }
    if !missing.isEmpty {
      for (target, id) in zip(missing, try search(missing)) { found[target] = .some(id) }
    }
    return targets.map { found[$0] ?? nil }
  }

  /// Why the kernel's types could not be searched.
  enum Failure: Error {
    case unavailable(SystemError)
    case malformed(KernelTypeSearch.Malformed)
  }

  private func search(_ targets: [ProgramKind.AttachTarget]) throws(Failure) -> [UInt32?] {
    if kernel == nil {
      do throws(SystemError) { kernel = try KernelBTF.open() } catch { throw .unavailable(error) }
    }
    do throws(KernelTypeSearch.Malformed) {
      switch kernel {
      case .some(let kernel): return try KernelTypeSearch.ids(of: targets, in: kernel.bytes)
      case .none: return targets.map { _ in nil }
      }
    } catch {
      throw .malformed(error)
    }
  }
}

extension KernelTypes {
  /// The object's structures of functions as the kernel has them. All of the kernel's types are read for it.
  func layouts(
    of structures: [StructOps], object: [UInt8], for name: String
  ) throws(BPFLoadError) -> [StructOps.Layout] {
    let kernel: KernelBTF
    do throws(SystemError) { kernel = try KernelBTF.open() } catch { throw .noKernelBTF(program: name, error: error) }
    var layouts: [StructOps.Layout] = []
    do throws(BPFObjectError) {
      let (own, types) = (try BTF(object.rawSpan), try BTF(kernel.bytes))
      for structure in structures { layouts.append(try structure.layout(object: own, kernel: types)) }
    } catch {
      throw .structOps(error)
    }
    return layouts
  }

  /// The ids of the targets, asked for on behalf of a program, which the error names.
  func ids(of targets: [ProgramKind.AttachTarget], for program: String) throws(BPFLoadError) -> [UInt32?] {
    do throws(Failure) {
      return try ids(of: targets)
    } catch {
      switch error {
      case .unavailable(let error): throw .noKernelBTF(program: program, error: error)
      case .malformed(let malformed): throw .unreadableKernelBTF(reason: malformed.reason)
      }
    }
  }
}
