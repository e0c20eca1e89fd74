internal import Base
public import Gate
internal import KernelABI
internal import Linux
public import Loader
public import Provenance

/// Making a gate of what was loaded and pinned as its programs: they only watch until then.
public enum GateInstallation {
  /// The functions that the gate's programs are called from, as the kernel's types have them.
  static let hooks =
    GateHook.allCases.map { "bpf_lsm_\($0.name)" } + ["bpf_lsm_bdev_setintegrity", "bpf_lsm_bdev_free_security"]

  /// Refuses a machine on which a gate would bind nothing, and one that has a gate.
  ///
  /// - Parameter path: where its parts would be pinned.
  public static func requirePossible(_ path: String = GateLayout.pinPath) throws(GateError) {
    let modules =
      KernelProbes.securityModuleIDs().map { ids in ids.map { SecurityModule.describe($0) } }
      ?? KernelSettings.securityModules()
    guard let modules else { throw .noSecurityModule(found: "the kernel could not be asked for them") }
    guard modules.contains(SecurityModule.bpf.name) else {
      throw .noSecurityModule(found: modules.joined(separator: ", "))
    }
    let missing: [String]
    do throws(BPFLoadError) {
      missing = try KernelTypeNumbers.missing(functions: hooks)
    } catch {
      throw .load(error)
    }
    guard missing.isEmpty else { throw .noHooks(missing.map { String($0.dropFirst("bpf_lsm_".count)) }) }
    let hasVerity: Bool
    do throws(SystemError) { hasVerity = try KernelFile.has(.verityModule) } catch { throw .system(error) }
    guard hasVerity else { throw .noModule("dm_verity") }
    guard (try? FileStatus.of(path: path, followLinks: false)) == nil else { throw .installed(path: path) }
  }

  /// The sizes of the maps that the object leaves open.
  ///
  /// - Parameter volumes: how many volumes the machine may open; the gate forgets one that is closed.
  public static func sizes(for tables: GateTables, volumes: UInt32 = 1024) -> [MapEntries] {
    GateMap.allCases.filter(\.isSizedByPlan).map { map in
      let entries = map == .devices ? volumes : UInt32(clamping: max(1, tables.count(map)))
      return MapEntries(map: map.rawValue, entries: entries)
    }
  }

  /// Gives the gate its rows, and writes its state last: until then it is not complete.
  ///
  /// - Parameters:
  ///   - volumes: what was there before the gate and was verified.
  ///   - path: where its parts are pinned.
  /// - Throws: ``GateError``. The gate is taken away then, or the error says what is left of it.
  public static func complete(
    _ tables: GateTables, volumes: [VouchedVolume], at path: String = GateLayout.pinPath
  ) throws(GateError) {
    do throws(GateError) {
      let gate = try InstalledGate.open(path, readOnly: false)
      for map in GateMap.allCases { try gate.put(tables.entries(of: map), into: map) }
      try gate.put(
        volumes.map {
          GateDevice(seeding: $0.rootHash, major: $0.device.major, minor: $0.device.minor).entry
        }, into: .devices)
      try gate.put(gate.parts(), into: .own)
      let place: FileStatus
      do throws(SystemError) { place = try FileStatus.of(path: path) } catch { throw .system(error) }
      try gate.write(
        GateState(
          mountNamespace: ProgramStock.mountNamespaceOfInit(),
          pinDevice: GateState.deviceNumber(major: place.device.major, minor: place.device.minor)))
    } catch {
      do throws(UnloadError) {
        _ = try Unloading.unload(pinPath: path)
      } catch let left {
        throw .notUndone(error, left: left.diagnostic.message)
      }
      throw error
    }
  }
}
