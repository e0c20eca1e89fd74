internal import BPFObject
internal import Base
internal import Linux
internal import Synchronization

/// The running kernel's own types, by name. Shared by the loads of a run, which may be under way at the same time: what
/// one has looked up, the next one has at hand, and the kernel's type information is opened once.
public final class KernelTypes: Sendable {
  private let state = Mutex(State())

  /// Nothing is read before the first type is asked for.
  public init() {}

  /// A type of the running kernel.
  struct Found: Sendable {
    let id: UInt32
    /// The module that has it; nil for the kernel itself.
    let module: KernelModule?
  }

  /// Why the kernel's types could not be searched.
  enum Failure: Error {
    case unavailable(SystemError)
    case malformed(KernelTypeSearch.Malformed)
  }

  /// The types that are meant, each nil when neither the kernel nor a module has it. The kernel's own is taken before
  /// a module's, as in libbpf.
  func find(_ targets: [ProgramKind.AttachTarget]) throws(Failure) -> [Found?] {
    try state.withLock { (state) throws(Failure) in try state.find(targets) }
  }

  /// Where a type that was not found was looked for, in words.
  var searched: String { state.withLock { $0.searched } }

  /// What has been opened and looked up so far.
  private struct State: ~Copyable {
    private var kernel: KernelBTF?
    private var modules: Modules?
    private var found: [ProgramKind.AttachTarget: Found?] = [:]

    private enum Modules {
      case listed([KernelModule])
      /// The kernel does not let this process look.
      case hidden(SystemError)
    }

    init() {}

    mutating func find(_ targets: [ProgramKind.AttachTarget]) throws(Failure) -> [Found?] {
      let missing = targets.filter { found[$0] == nil }
      if !missing.isEmpty {
        for (target, type) in zip(missing, try search(missing)) { found[target] = .some(type) }
      }
      return targets.map { found[$0] ?? nil }
    }

    var searched: String {
      switch modules {
      case nil: "no such name"
      case .listed(let modules): "no such name in the kernel, nor in its \(modules.count) modules with types"
      case .hidden(let error): "no such name in the kernel; its modules could not be searched: \(error.errnoName)"
      }
    }

    private mutating func search(_ targets: [ProgramKind.AttachTarget]) throws(Failure) -> [Found?] {
      if kernel == nil {
        do throws(SystemError) { kernel = try KernelBTF.open() } catch { throw .unavailable(error) }
      }
      do throws(KernelTypeSearch.Malformed) {
        switch kernel {
        case .some(let kernel):
          var result = try KernelTypeSearch.ids(of: targets, in: kernel.bytes).map { id in
            id.map { Found(id: $0, module: nil) }
          }
          for (index, target) in targets.enumerated() where target.module != nil && target.module != "vmlinux" {
            result[index] = nil
          }
          if result.contains(where: { $0 == nil }) {
            try Self.search(&modules, for: targets, continuing: kernel.bytes, &result)
          }
          return result
        case .none: return targets.map { _ in nil }
        }
      } catch {
        throw .malformed(error)
      }
    }

    /// Looks in every module for what the kernel itself does not have. Only then are its types counted and the modules
    /// opened, because that takes longer than all the rest.
    private static func search(
      _ modules: inout Modules?, for targets: [ProgramKind.AttachTarget], continuing kernel: RawSpan,
      _ result: inout [Found?]
    ) throws(KernelTypeSearch.Malformed) {
      if modules == nil {
        do throws(SystemError) { modules = .listed(try KernelModule.all()) } catch { modules = .hidden(error) }
      }
      guard case .listed(let list)? = modules, !list.isEmpty else { return }
      let base = try KernelTypeSearch.base(of: kernel)
      for module in list {
        let open = result.indices.filter { index in
          result[index] == nil && [nil, module.name].contains(targets[index].module)
        }
        guard !open.isEmpty, let bytes = try? BPF.btfBytes(module.types) else { continue }
        let ids = try KernelTypeSearch.ids(
          of: open.map { targets[$0] }, in: bytes.rawSpan, continuing: kernel, base)
        for (index, id) in zip(open, ids) { result[index] = id.map { Found(id: $0, module: module) } }
      }
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

  /// The types that are meant, asked for on behalf of a program, which the error names.
  func find(_ targets: [ProgramKind.AttachTarget], for program: String) throws(BPFLoadError) -> [Found?] {
    do throws(Failure) {
      return try find(targets)
    } catch {
      switch error {
      case .unavailable(let error): throw .noKernelBTF(program: program, error: error)
      case .malformed(let malformed): throw .unreadableKernelBTF(reason: malformed.reason)
      }
    }
  }
}
