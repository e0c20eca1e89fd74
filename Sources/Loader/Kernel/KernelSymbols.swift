internal import KernelABI
internal import BPFObject
internal import Base
internal import Linux

/// What an object expects from the running kernel: functions (kfuncs), variables, addresses, configuration.
///
/// BTF ids and addresses are written into instructions, here and at load time, because each kernel numbers its types
/// and places its symbols anew; ``LinkedObject/kernelEdits`` lists where. Everything else that depends on the kernel
/// is left to the kernel.
extension ObjectLoader {
  /// The object with its externs looked up in the running kernel and its modules, and the modules whose functions it
  /// calls; an object without externs is returned as it is.
  static func resolvingSymbols(
    of linked: LinkedObject, kernelTypes: KernelTypes
  ) throws(BPFLoadError) -> (object: LinkedObject, modules: ModuleTable) {
    var modules = ModuleTable(mapCount: linked.maps.count)
    guard !linked.externs.isEmpty || !linked.configuration.isEmpty else { return (linked, modules) }
    let configuration = linked.configuration.isEmpty ? nil : try configuration(linked.configuration)
    let resolutions = try resolutions(of: linked, kernelTypes, &modules)
    do throws(BPFObjectError) {
      return (try linked.resolving(resolutions, configuration: configuration), modules)
    } catch {
      throw .unresolvable(error)
    }
  }

  private static func resolutions(
    of linked: LinkedObject, _ kernelTypes: KernelTypes, _ modules: inout ModuleTable
  ) throws(BPFLoadError) -> [ExternResolution] {
    let externs = linked.externs
    let targets = externs.filter { $0.kind != .address }.map { extern in
      switch extern.kind {
      case .function: ProgramKind.AttachTarget(name: extern.kernelName, kind: .function)
      case .variable, .address: ProgramKind.AttachTarget(name: extern.kernelName, kind: .variable)
      }
    }
    let types = targets.isEmpty ? [] : try kernelTypes.find(targets, for: linked.programs.first?.name ?? "")
    var remaining = types.makeIterator()
    let addresses = try addresses(of: Set(externs.filter { $0.kind == .address }.map(\.kernelName)))
    var resolutions: [ExternResolution] = []
    for extern in externs {
      if extern.kind == .address {
        switch addresses[extern.kernelName] {
        case .address(let address): resolutions.append(.address(address))
        case .ambiguous: throw .ambiguousKernelSymbol(name: extern.name)
        case nil where extern.isWeak: resolutions.append(.absent)
        case nil: throw .noKernelSymbol(name: extern.name, hasType: false, searched: "no such name")
        }
      } else if let type = remaining.next() ?? nil {
        resolutions.append(.btf(id: type.id, module: modules.reference(to: type.module, from: extern)))
      } else if extern.isWeak {
        resolutions.append(.absent)
      } else {
        throw .noKernelSymbol(name: extern.name, hasType: true, searched: kernelTypes.searched)
      }
    }
    return resolutions
  }

  /// The addresses that the kernel's symbol table gives; it is read only when one is wanted.
  private static func addresses(
    of names: Set<String>
  ) throws(BPFLoadError) -> [String: KernelAddressSearch.Answer] {
    guard !names.isEmpty else { return [:] }
    let search: KernelAddressSearch
    do throws(SystemError) {
      let table = try KernelReports.symbols()
      search = KernelAddressSearch(for: names, in: table.rawSpan)
    } catch {
      throw .system(error)
    }
    // Zero would be taken for "there is no such symbol".
    guard !search.isHidden else { throw .hiddenKernelAddresses(names: names.sorted()) }
    return search.found
  }

  /// The value of the `.kconfig` map for the running kernel, never for the machine the object was built on.
  private static func configuration(_ fields: [ConfigurationField]) throws(BPFLoadError) -> [UInt8] {
    let release: String
    do throws(SystemError) {
      release = try KernelReports.release()
    } catch {
      throw .system(error)
    }
    // The names that begin with LINUX_ are not options.
    let asksForOptions = fields.contains { $0.name.hasPrefix("CONFIG_") }
    do throws(BPFObjectError) {
      let configuration = asksForOptions ? KernelReports.configuration(release: release) : nil
      return try ConfigurationAnswers(release: release, configuration: configuration).value(of: fields)
    } catch {
      throw .kernelConfiguration(error)
    }
  }
}
